import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withExactSizes } from '../../activities/zfs/replicate-estimate.js';
import { transferGroup } from '../../activities/zfs/replicate-group.js';
import { hostEnds } from '../../activities/zfs/replicate-hosts.js';
import { rateMeter } from '../../activities/zfs/replicate-progress.js';
import { watchStreams } from '../../activities/zfs/replicate-script.js';
import { streamsOf } from '../../activities/zfs/replicate-streams.js';
import type { DatasetPlan } from '../../activities/zfs/replicate-types.js';
import { localHost } from '../../system/local-host.js';
import { isAlive } from '../support/alive.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';
import { planFor } from '../support/zfs-trees.js';

/** Streams that hang, and how much they are: with real processes, and a zfs that only plays dead. */

const folder = temporaryFolder('stall');
const zfs = join(folder, 'zfs');
const pids = join(folder, 'pids');
writeFileSync(
  zfs,
  `#!/bin/sh
case "$1 $2" in
'send -nvP')
  printf '%s\\n' "$*" >> '${folder}/asked'
  case "$*" in *gone*) echo "cannot open: dataset does not exist" >&2; exit 1;; esac
  printf 'full\\tx\\t123456\\nsize\\t123456\\n' ;;
'send -vP')
  printf 'size\\t1000000\\n' >&2; head -c 5000 /dev/zero
  echo $$ >> '${pids}'; trap '' TERM
  # Says its progress like the real one, and it is always the same.
  i=0; while [ $i -lt 600 ]; do printf '03:00:00\\t5000\\tx@one\\n' >&2; sleep 0.1; i=$((i+1)); done ;;
receive*) echo $$ >> '${pids}'; kill -STOP $$; cat > /dev/null ;;
bookmark*|hold*) exit 0 ;;
esac
`,
);
chmodSync(zfs, 0o755);

const endsFor = (noProgressAfterMs: number, lines: string[] = []) => {
  const host = localHost({ name: 'here', stateFolder: join(folder, 'state') });
  const { signal } = new AbortController();
  const tool = { host, signal, zfs, zpool: 'zpool' };
  return hostEnds({
    source: tool,
    target: tool,
    sourceRoot: 'fast',
    targetRoot: 'backup',
    noProgressAfterMs,
    log: (line) => void lines.push(line),
  });
};

test('a receiver that is stopped in the middle: the stream is ended in time, and nothing of it is left running', async () => {
  const plans = [planFor('a', 1000), planFor('b', 10), planFor('c', 10)];
  const started = performance.now();
  const [first, second, third] = await transferGroup(endsFor(700), plans);
  for (const end of [first, second])
    assert.match(end?.trouble ?? '', /^nothing moved for 1 s, so it was ended/);
  assert.match(
    third?.trouble ?? '',
    /^not begun: nothing moved/,
    'a dead end is not waited for a third time',
  );
  assert(performance.now() - started < 60_000);
  // A kernel takes its time to end what it was told to kill.
  for (const pid of readFileSync(pids, 'utf8').trim().split('\n'))
    await waitFor(() => !isAlive(Number(pid)), { timeoutMs: 20_000, what: `${pid} to end` });
});

test('exact sizes are asked by one command, of large streams alone', async () => {
  const gone = planFor('gone', 3 * 2 ** 30);
  const large = planFor('large', 2 * 2 ** 30);
  const small = planFor('small', 10);
  assert.deepEqual(await withExactSizes(endsFor(1000), [small]), [small]);
  const sizes = (await withExactSizes(endsFor(1000), [small, large, gone])).map(({ bytes }) => bytes);
  assert.deepEqual(sizes, [10, 123_456, 3 * 2 ** 30]);
  const asked = readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n');
  assert.deepEqual(asked.sort(), ['send -nvP -L -c fast/gone@one', 'send -nvP -L -c fast/large@one']);
});

test('what is left of a stream that was cut is asked for, also where nothing else is large: it must fit as well', async () => {
  const resume = { token: '1-abc', toName: 'fast/cut@one', toGuid: '7', bytesDone: 10 };
  const cut: DatasetPlan = { ...planFor('cut', 0), kind: 'resume', resume, segments: [], bytes: 0 };
  const [exact] = await withExactSizes(endsFor(1000), [cut]);
  assert.equal(exact?.bytes, 123_456);
});

test('progress is in bytes of the stream that runs, and the sizes are those that zfs says', () => {
  const watch = watchStreams([planFor('a', 100), planFor('b', 50)].flatMap(streamsOf));
  const at = watch.position();
  watch.sender('full\tfast/a@one\t400');
  watch.sender('size\t400');
  watch.sender('03:00:01\t250\tfast/a@one');
  assert.deepEqual(watch.progress(), { bytesDone: 250, bytesTotal: 450 });
  assert(watch.position() > at);
  const still = watch.position();
  watch.sender('03:00:02\t250\tfast/a@one');
  assert.equal(watch.position(), still, 'saying the same again is no progress');
  watch.receiver('0\t0\t');
  assert(watch.position() > still);
  const moved = rateMeter()({ ...watch.progress(), alreadyBytes: 1000 });
  assert.deepEqual(moved, { bytesDone: 1250, bytesTotal: 1450, bytesPerSecond: 0 });
});
