import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { destroySnapshots } from '../../activities/zfs/destroy.js';
import { withExactSizes } from '../../activities/zfs/replicate-estimate.js';
import { hostEnds } from '../../activities/zfs/replicate-hosts.js';
import type { Stream } from '../../activities/zfs/replicate-streams.js';
import type { DatasetPlan, Segment } from '../../activities/zfs/replicate-types.js';
import { localHost } from '../../system/local-host.js';
import { fakeZfs } from '../support/fake-zfs.js';
import { temporaryFolder } from '../support/temp.js';

/** So many names that no system takes them as one argument (131,072 bytes on Linux). */

const folder = temporaryFolder('long');
const zfs = join(folder, 'zfs');
const notes = join(folder, 'notes');
writeFileSync(
  zfs,
  `#!/bin/sh
for last in "$@"; do :; done
case "$1 $2" in
'send -nvt') printf 'the token %s\\n' "$last" ;;
'send -nvP') case "$last" in *killer*) kill -9 $PPID ;; esac
  printf 'full\\t%s\\t7\\nsize\\t%s\\n' "$last" "\${#last}" ;;
'program '*) exit 1 ;;
'list '*) shift 6; for name in "$@"; do printf '%s\\t7\\n' "$name"; done ;;
'destroy '*) printf '%s\\n' "\${2#*@}" | tr , '\\n' >> '${notes}' ;;
esac
`,
);
chmodSync(zfs, 0o755);

const host = localHost({ name: 'din', stateFolder: folder });
const end = { host, signal: new AbortController().signal, zfs, zpool: 'zpool' };
const ends = hostEnds({ source: end, sourceRoot: 'fast/k', target: end, targetRoot: 'backup/k' });
const long = 'x'.repeat(3000);

const streamOf = (name: string): Stream => ({
  key: name,
  toGuid: '7',
  source: 'fast/k',
  target: 'backup/k',
  send: ['send', '-vP', '-w', name],
  receive: [],
  bytes: 1,
});

test('the sizes of a backlog of many segments are asked for in several programs, each as long as one may be', async () => {
  const names = Array.from({ length: 60 }, (_, at) => `fast/${long}${'y'.repeat(at % 9)}@s`);
  assert.deepEqual(
    await ends.sizes(names.map(streamOf)),
    names.map(({ length }) => length),
  );
});

test('sizes that cannot be asked for end nothing: what the listing says of them is good enough', async () => {
  assert.deepEqual(await ends.sizes(['fast/killer@a', 'fast/other@a'].map(streamOf)), [undefined, undefined]);
});

test('many half received streams are read in several programs', async () => {
  const tokens = Array.from({ length: 60 }, (_, at) => `1-${at}-${long}`);
  const read = await ends.readTokens(tokens);
  for (const [at, token] of tokens.entries()) assert.match(JSON.stringify(read[at]), new RegExp(token));
});

test('a backlog of thousands of segments keeps the estimate, a smaller one beside it is asked', async () => {
  const segment: Segment = { from: undefined, to: 's', toGuid: '7', intermediates: false, bytes: 2 ** 30 };
  const planOf = (target: string, segments: number): DatasetPlan => ({
    kind: 'incremental',
    reason: '',
    source: `fast/${target}`,
    target,
    type: 'filesystem',
    guid: '1',
    raw: true,
    behind: 1,
    segments: Array.from({ length: segments }, () => segment),
    holds: [],
    bytes: segments * 2 ** 30,
    level: 0,
  });
  const asked: number[] = [];
  const plans = await withExactSizes(
    {
      ...ends,
      sizes: async (streams) => {
        asked.push(streams.length);
        return streams.map(() => 5);
      },
    },
    [planOf('many', 3000), planOf('few', 2)],
  );
  assert.deepEqual(asked, [2]);
  assert.deepEqual(
    plans.map(({ bytes }) => bytes),
    [3000 * 2 ** 30, 10],
  );
});

test('thousands of snapshots of one dataset go by several commands where no channel program may be run', async () => {
  const doomed = Array.from({ length: 700 }, (_, at) => ({
    dataset: 'fast/k',
    snapshot: `hourly-${at}-${'z'.repeat(200)}`,
    guid: '7',
  }));
  const left = await destroySnapshots(
    fakeZfs(['fast'], {}).tools('hourly-2026-11-20T03:00:00Z'),
    end,
    doomed,
  );
  assert.deepEqual([...left], []);
  assert.deepEqual(
    readFileSync(notes, 'utf8').trim().split('\n'),
    doomed.map(({ snapshot }) => snapshot),
  );
});
