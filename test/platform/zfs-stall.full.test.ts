import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { hostEnds } from '../../activities/zfs/replicate-hosts.js';
import { replicate } from '../../activities/zfs/replicate-rounds.js';
import { closeOwnHosts, ownHost } from '../support/lab-zfs-host.js';
import { waitFor } from '../support/wait.js';
import { useZfsLab } from '../support/zfs-lab.js';
import { wholePolicy } from '../support/zfs-trees.js';

/** A receiver that hangs, on real pools: ended in time, and gone on with by its token in the same run. */

const lab = useZfsLab();
after(closeOwnHosts);

test('zfs receive stopped in the middle: the run ends it and resumes what arrived', {
  skip: lab.skip,
}, async () => {
  const source = `${lab.din.parents.fast}/stalled`;
  const target = `${lab.grogu.parents.backup}/stalled`;
  // Half a minute of stream: on a busy machine "used" is told late, and what the kernel has in its buffers arrives all the same.
  await lab.din.sh(`
    set -e
    zfs create '${source}'
    dd if=/dev/urandom of='/${source}/data' bs=1M count=32 2>/dev/null
    zfs snapshot '${source}@one'
  `);
  const lines: string[] = [];
  const tools = { signal: new AbortController().signal, zfs: 'zfs', zpool: 'zpool' };
  const ends = hostEnds({
    source: { host: ownHost(lab.din), ...tools },
    target: { host: ownHost(lab.grogu), ...tools },
    sourceRoot: source,
    targetRoot: target,
    wire: async () => ({ onSource: [{ file: 'pv', args: ['-q', '-L', '1m'] }], onTarget: [] }),
    noProgressAfterMs: 30_000,
    log: (line) => void lines.push(line),
  });
  const stopped = waitFor(
    async () => Number((await lab.grogu.ask(`zfs list -Hpo used '${target}'`)).stdout) > 1_000_000,
    { timeoutMs: 180_000, what: 'the stream to be under way' },
  ).then(() => lab.grogu.sh(`pkill -STOP -f "^zfs receive .*stalled"`));
  const request = {
    sourceRoot: source,
    targetRoot: target,
    policy: { ...wholePolicy, destination: 'grogu' },
  } as const;
  const [{ last, troubles }] = await Promise.all([
    replicate(ends, request, { destination: 'grogu', run: 'replica-2026-11-20T03:00:00Z', parallel: 1 }),
    stopped,
  ]);
  assert(
    lines.some((line) => line.startsWith('nothing moved for 30 s')),
    lines.join('\n'),
  );
  assert.deepEqual(
    last.plans.map(({ kind }) => kind),
    ['nothing'],
    [...lines, JSON.stringify(troubles)].join('\n'),
  );
  assert.equal(lines.filter((line) => line.startsWith('zfs send -vP -t 1-')).length, 1, lines.join('\n'));
});
