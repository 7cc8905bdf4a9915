import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Zfs } from '../../activities/zfs/listing.js';
import { roomOf } from '../../activities/zfs/pool-room.js';
import { transferGroup } from '../../activities/zfs/replicate-group.js';
import { hostEnds } from '../../activities/zfs/replicate-hosts.js';
import { endedForRoom } from '../../activities/zfs/replicate-room.js';
import { countTries, tokensGivenUp, worthTrying } from '../../activities/zfs/replicate-rounds.js';
import { fitInto } from '../../activities/zfs/replicate-space.js';
import { parseConfig } from '../../config/load.js';
import { localHost } from '../../system/local-host.js';
import { temporaryFolder } from '../support/temp.js';
import { dataset, planFor } from '../support/zfs-trees.js';

/** The target's pool while streams run: with real processes, and a zfs whose pool is a folder. */

const mib = 2 ** 20;

const { config } = parseConfig(
  JSON.stringify({ hosts: { grogu: { pools: { backup: { floor: '10%' } } } } }),
  '/holdfast.yaml',
);

/**
 * `received` holds what each dataset has got. A sender goes on by one piece each time that the pool was asked, so nothing here is a matter of
 * speed; `pieces` are all that it has. A piece takes 8 MiB of the pool's 256.
 */
function scene({ pieces = 1000, isPaced = true, failing = 0 } = {}) {
  const folder = temporaryFolder('room');
  const received = join(folder, 'received');
  mkdirSync(received);
  const zfs = join(folder, 'zfs');
  const asked = join(folder, 'asked');
  writeFileSync(asked, '');
  writeFileSync(
    zfs,
    `#!/bin/sh
looks() { wc -l < '${asked}'; }
case "$1" in
list)
  echo "$*" >> '${asked}'
  [ "$(looks)" -gt ${failing} ] || { echo 'cannot open: no answer' >&2; exit 1; }
  used=$(cat '${received}'/* 2>/dev/null | wc -c); used=$((used * 8))
  printf 'backup\\t%s\\t%s\\n' $used $((${256 * mib} - used)) ;;
send)
  printf 'size\\t100\\n' >&2
  i=0
  while [ $i -lt ${pieces} ]; do
    ${isPaced ? 'while [ "$(looks)" -lt $i ]; do sleep 0.01; done' : 'sleep 0.02'}
    head -c ${mib} /dev/zero || exit 1
    i=$((i+1)); printf '03:00:00\\t%s\\tx@one\\n' $i >&2
  done ;;
receive)
  for name; do :; done
  exec cat >> '${received}'/"$(basename "$name")" ;;
esac
`,
  );
  chmodSync(zfs, 0o755);
  const lines: string[] = [];
  const host = localHost({ name: 'grogu', stateFolder: join(folder, 'state') });
  const tool: Zfs = { host, signal: new AbortController().signal, zfs, zpool: 'zpool' };
  const ends = (everyMs?: number) =>
    hostEnds({
      source: tool,
      target: tool,
      sourceRoot: 'fast',
      targetRoot: 'backup',
      noProgressAfterMs: 20_000,
      room: {
        look(signal) {
          assert(config);
          return roomOf({ ...tool, signal }, config, 'backup');
        },
        ...(everyMs !== undefined && { everyMs }),
      },
      log: (line) => void lines.push(line),
    });
  const filled = () => readdirSync(received).map((name) => readFileSync(join(received, name)).length * 8);
  return { ends, lines, filled, asks: () => readFileSync(asked, 'utf8').split('\n').length - 1, received };
}

test('two first copies that each fit, and not together: both end above what is left, and what arrived is kept', async () => {
  const { ends, lines, filled, received } = scene();
  const [one, other, after] = [planFor('a', 150 * mib), planFor('b', 150 * mib), planFor('c', 10)];
  const root = dataset('backup', { usedBytes: 0, availableBytes: 256 * mib });
  for (const plan of [one, other])
    assert.equal(fitInto([plan], new Map([['backup', root]]), 'backup', 26 * mib).fits.length, 1);
  const [first, second] = await Promise.all([
    transferGroup(ends(60), [one, after]),
    transferGroup(ends(60), [other]),
  ]);
  const words =
    /^\d(\.\d)? % of backup is free, its floor is 10 % \(0\.0 GiB on "grogu"\): the stream was ended before it filled the pool\. Free some space there/;
  assert.match(first[0]?.trouble ?? '', words);
  assert.match(second[0]?.trouble ?? '', words);
  assert.match(first[1]?.trouble ?? '', /^not begun: \d(\.\d)? % of backup is free/);
  const used = filled().reduce((sum, bytes) => sum + bytes, 0);
  assert(used > 200 * mib, `${used / mib} MiB of 256`);
  assert(existsSync(join(received, 'a')) && !existsSync(join(received, 'c')));
  assert.equal(lines.filter((line) => line.includes('ended before it filled the pool')).length, 2);
});

test('a question that fails stops no stream, and is told once', async () => {
  const { ends, lines, filled } = scene({ pieces: 8, failing: 5 });
  assert.deepEqual(await transferGroup(ends(30), [planFor('a', 150 * mib)]), [{ target: 'backup/a' }]);
  assert.deepEqual(filled(), [64 * mib]);
  assert.equal(lines.filter((line) => line.includes('is not known')).length, 1, lines.join('\n'));
});

test('small streams ask nothing however long they last, large ones nothing while they are short', async () => {
  const small = scene({ pieces: 20, isPaced: false });
  assert.deepEqual(await transferGroup(small.ends(12), [planFor('a', 1000)]), [{ target: 'backup/a' }]);
  assert.equal(small.asks(), 0);
  const short = scene({ pieces: 3, isPaced: false });
  assert.deepEqual(await transferGroup(short.ends(), [planFor('a', 150 * mib)]), [{ target: 'backup/a' }]);
  assert.equal(short.asks(), 0);
});

test('a pool that was short is no try of a stream: it is left to the next run, and its token is not given up', () => {
  const resume = { token: '1-abc', toName: 'fast/a@one', toGuid: '11', bytesDone: 10 };
  const [a, b] = [planFor('a', 100, resume), planFor('b', 100)];
  const words = '1 % of backup is free, its floor is 2 %: the stream was ended before it filled the pool';
  const failed = new Map([
    ['backup/a', `not begun: ${words}`],
    ['backup/b', 'cannot receive: I/O error'],
  ]);
  const noRoom = endedForRoom(failed);
  assert.deepEqual([...noRoom], ['backup/a']);
  let tries = new Map<string, number>();
  for (let round = 0; round < 9; round++) tries = countTries(tries, [a, b], new Set(failed.keys()), noRoom);
  assert.deepEqual([...tokensGivenUp(tries)], []);
  const once = countTries(new Map(), [a, b], new Set(failed.keys()), noRoom);
  assert.deepEqual(worthTrying([a, b], once), [b]);
  assert.deepEqual(worthTrying([a], new Map()), [a], 'by the next run');
});
