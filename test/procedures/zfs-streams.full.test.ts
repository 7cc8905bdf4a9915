import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Estate, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import type { PlainConfig } from '../support/plain-config.js';
import { reportOf, runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';
import { overSsh } from '../support/zfs-estate.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** As many streams at the same time as a pool takes, counted where they arrive: processes of zfs receive on a real host. */

let estate: Estate | undefined;
// Before what it works on goes: nothing is received any more when that is removed.
after(() => estate?.stop());
const lab = useZfsLab();
const skip = lab.skip || needs('temporal');

const children = ['a b', 'b', 'c', 'd'];

const job = (resource: string, parallel: number, limit: string) => ({
  kind: 'zfs-replication',
  resources: [resource],
  store: 'grogu',
  snapshots: 'all',
  limit,
  retryFor: '5m',
  parallel,
});

function withTwoJobs(config: PlainConfig): void {
  config.hosts.din = { ssh: overSsh(lab.din) };
  config.hosts.grogu = { ssh: overSsh(lab.grogu), pools: { backup: { streams: 4 } } };
  config.resources.tree = { host: 'din', dataset: `${lab.din.parents.fast}/tree` };
  config.resources.other = { host: 'din', dataset: `${lab.din.parents.fast}/other` };
  config.stores.grogu = { zfs: { host: 'grogu', dataset: lab.grogu.parents.backup } };
  config.jobs.tree = job('tree', 4, '200KiB');
  config.jobs.other = job('other', 2, '4MiB');
}

/** Streams that arrive right now; the program around one has the same words in its own command line, and other tests receive on this host as well. */
async function arriving(): Promise<number> {
  const { stdout } = await lab.grogu.ask(
    `ps -eo comm,args | grep '^zfs .* receive ' | grep -cF '${lab.grogu.parents.backup}/'`,
  );
  return Number(stdout);
}

async function write(tree: string, snapshot: string): Promise<void> {
  const files = children.map(
    (name) => `dd if=/dev/urandom of='/${tree}/${name}/data' bs=1M count=24 2>/dev/null`,
  );
  await lab.din.sh(`set -e; ${files.join('; ')}; zfs snapshot -r '${tree}@${snapshot}'`);
}

test('a job with parallel: 4 has four streams under way at the same time, also after its worker was killed, and another job waits for them', {
  skip,
}, async () => {
  const [tree, other] = ['tree', 'other'].map((name) => `${lab.din.parents.fast}/${name}`) as [
    string,
    string,
  ];
  for (const root of [tree, other]) {
    const made = children.map((name) => `zfs create '${root}/${name}'`);
    await lab.din.sh(`set -e; zfs create '${root}'; ${made.join('; ')}; zfs snapshot -r '${root}@one'`);
  }
  estate = await startEstate({ change: withTwoJobs });
  const running = estate;
  for (const name of ['tree', 'other']) {
    const first = await running.holdfast('run', name, '--follow');
    assert.equal(first.code, 0, first.stdout + first.stderr);
  }
  await write(tree, 'two');
  await write(other, 'two');
  const run = runIn((await running.holdfast('run', 'tree')).stdout);
  const fourArrive = (): Promise<unknown> =>
    waitFor(async () => (await arriving()) === 4, { timeoutMs: 240_000, what: 'four streams to arrive' });
  await fourArrive();
  const second = runIn((await running.holdfast('run', 'other')).stdout);
  const waits = /^stream-grogu\.\S+\.\d, used by tree-2/;
  await waitFor(async () => waits.test((await reportOf(running, second)).waitingFor ?? ''), {
    timeoutMs: 100_000,
    what: 'the second job to wait for the first',
  });
  assert.equal(await arriving(), 4);
  await running.worker.stop('SIGKILL');
  await running.startWorker();
  await fourArrive();
  let most = 0;
  for (const [id, root] of [
    [run, tree],
    [second, other],
  ] as const) {
    const handle = running.client.workflow.getHandle(id);
    await waitFor(
      async () => {
        most = Math.max(most, await arriving());
        return (await handle.describe()).status.name !== 'RUNNING';
      },
      { timeoutMs: 600_000, what: `${id} to end` },
    );
    assert.equal((await handle.describe()).status.name, 'COMPLETED');
    const sides = [
      await lab.din.zfs('list', '-Hr', '-t', 'snapshot', '-o', 'guid', root),
      await lab.grogu.zfs(
        'list',
        '-Hr',
        '-t',
        'snapshot',
        '-o',
        'guid',
        `${lab.grogu.parents.backup}/${root.split('/').at(-1)}`,
      ),
    ].map((text) => text.trim().split('\n').sort());
    assert.deepEqual(sides[1], sides[0]);
  }
  assert(most <= 4, `${most} streams at the same time`);
});
