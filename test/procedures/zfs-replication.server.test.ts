import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Estate } from '../support/estate.js';
import type { LabHost } from '../support/lab-host.js';
import type { PlainConfig } from '../support/plain-config.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';
import { overSsh, useLabEstate } from '../support/zfs-estate.js';

/** A replication job from the command line: one worker that drives two real ZFS hosts over ssh, with nothing of ours on them. */

const { lab, skip, start } = useLabEstate();

let estate: Estate | undefined;

function withReplication(config: PlainConfig): void {
  config.hosts.din = { ssh: overSsh(lab.din) };
  config.hosts.grogu = { ssh: overSsh(lab.grogu, 'holdfast', { sudo: ['zfs'] }) };
  config.resources.kubernetes = { host: 'din', dataset: `${lab.din.parents.fast}/k8s` };
  config.stores.grogu = { zfs: { host: 'grogu', dataset: lab.grogu.parents.backup } };
  config.jobs['kubernetes-to-grogu'] = {
    kind: 'zfs-replication',
    resources: ['kubernetes'],
    store: 'grogu',
    snapshots: 'all',
    objective: { rpo: '3h' },
    schedule: { cron: '15 * * * *' },
    retryFor: '2m',
  };
}

const guids = async (host: LabHost, root: string): Promise<string[]> => {
  const text = await host.zfs('list', '-H', '-r', '-t', 'snapshot', '-o', 'name,guid', root);
  return text
    .split('\n')
    .map((line) => line.slice(root.length))
    .sort();
};

test('a job copies a tree from one appliance to another, says so in status, and a diverged replica stops alone', {
  skip,
}, async () => {
  const [source, target] = [`${lab.din.parents.fast}/k8s`, `${lab.grogu.parents.backup}/kubernetes`];
  await lab.din.sh(`
    set -e
    zfs create '${source}'; zfs create '${source}/pvc 1'; zfs create '${source}/pvc-2'; zfs create -s -V 8M '${source}/vol'
    dd if=/dev/urandom of='/${source}/pvc 1/data' bs=64k count=16 2>/dev/null
    zfs snapshot -r '${source}@one'
  `);
  estate = await start({ change: withReplication });
  const first = await estate.holdfast('run', 'kubernetes-to-grogu', '--follow');
  assert.equal(first.code, 0, first.stdout + first.stderr);
  assert.deepEqual(await guids(lab.grogu, target), await guids(lab.din, source));
  const status = await estate.holdfast('status', 'kubernetes-to-grogu');
  assert.equal(status.code, 0, status.stdout + status.stderr);
  assert.match(status.stdout, /kubernetes in grogu: all 4 datasets held the newest snapshot, looked at/);

  await writeThere(target, 'stranger');
  await lab.din.sh(`zfs snapshot -r '${source}@two'`);
  const second = await estate.holdfast('run', 'kubernetes-to-grogu', '--follow');
  const said = second.stdout + second.stderr;
  assert.equal(second.code, 5, said);
  assert.match(said, /pvc-2: someone wrote \d+ bytes to the replica after @one/);
  const there = await guids(lab.grogu, target);
  assert(
    there.some((line) => line.startsWith('/pvc 1@two')),
    there.join('\n'),
  );
  assert(!there.some((line) => line.startsWith('/pvc-2@two')), there.join('\n'));
  const lagging = await estate.holdfast('status', 'kubernetes-to-grogu');
  assert.match(
    lagging.stdout,
    new RegExp(`^${source}/pvc-2\\tgrogu\\t@one\\t.*\\tdiverged$`, 'm'),
    lagging.stdout,
  );
  await rollBackAndGoOn(estate, source, target);
  await writeThere(target, 'another');
  await parkAndCopyAnew(estate, target);
  assert.deepEqual(
    (await guids(lab.grogu, `${target}/pvc-2`)).filter((line) => line.startsWith('@two')).length,
    1,
  );
});

const writeThere = (target: string, file: string): Promise<unknown> =>
  lab.grogu.sh(`
    set -e
    zfs set readonly=off '${target}/pvc-2'; zfs set canmount=on '${target}/pvc-2'; zfs mount '${target}/pvc-2' 2>/dev/null || zfs mount -o rw '${target}/pvc-2'
    echo stranger > "$(zfs get -H -o value mountpoint '${target}/pvc-2')/${file}"; sync; zfs unmount '${target}/pvc-2'
  `);

/** A human says yes to what is lost: the replica goes on from the newest snapshot that both sides have. */
async function rollBackAndGoOn(running: Estate, source: string, target: string): Promise<void> {
  const planned = await running.holdfast('do', 'kubernetes-to-grogu', 'roll-back', '--plan');
  assert.match(
    planned.stdout,
    /would destroy what 1 replicas hold .*\n.*pvc-2 to @one: lost are \d+ bytes written/,
  );
  const set = `dataset=${target}/pvc-2`;
  const back = await running.holdfast('do', 'kubernetes-to-grogu', 'roll-back', '--set', set, '--yes');
  assert.equal(back.code, 0, back.stdout + back.stderr);
  assert.match(back.stdout, /1 rolled back: .*pvc-2@one/);
  const next = await running.holdfast('run', 'kubernetes-to-grogu', '--follow');
  // It was opened for writing by hand: that is told, and no reason to stop.
  assert.equal(next.code, 6, next.stdout + next.stderr);
  assert.match(next.stdout + next.stderr, /pvc-2: readonly is not on/);
  assert.deepEqual(await guids(lab.grogu, target), await guids(lab.din, source));
}

/** A human says yes to what is shown: what was there stays, under another name. */
async function parkAndCopyAnew(running: Estate, target: string): Promise<void> {
  const planned = await running.holdfast('do', 'kubernetes-to-grogu', 'park', '--plan');
  assert.match(planned.stdout, /would rename 1 aside and copy anew:\n.*pvc-2 → .*diverged/);
  const denied = await running.holdfast('do', 'kubernetes-to-grogu', 'park');
  assert.equal(denied.code, 5, denied.stdout + denied.stderr);
  assert.match(denied.stderr, /not a terminal; nothing was changed/);
  const parked = await running.holdfast('do', 'kubernetes-to-grogu', 'park', '--yes');
  assert.equal(parked.code, 0, parked.stdout + parked.stderr);
  const names = await lab.grogu.zfs('list', '-H', '-r', '-o', 'name', target);
  assert.match(names, /pvc-2\.parked-\d{4}-\d\d-\d\dT\d{6}Z/);
  const third = await running.holdfast('run', 'kubernetes-to-grogu', '--follow');
  assert.equal(third.code, 0, third.stdout + third.stderr);
}

test('the worker killed in the middle of a stream: the same run ends, and nothing that arrived is sent again', {
  skip,
}, async () => {
  const source = `${lab.din.parents.fast}/slow`;
  const target = `${lab.grogu.parents.backup}/slow`;
  await lab.din.sh(`
    set -e
    zfs create '${source}'
    dd if=/dev/urandom of='/${source}/data' bs=1M count=12 2>/dev/null
    zfs snapshot '${source}@one'
  `);
  assert(estate);
  const running = estate;
  running.configure((config) => {
    config.resources.slow = { host: 'din', dataset: source };
    config.jobs.slow = {
      kind: 'zfs-replication',
      resources: ['slow'],
      store: 'grogu',
      snapshots: 'all',
      limit: '1MiB',
      retryFor: '5m',
    };
  });
  const run = runIn((await running.holdfast('run', 'slow')).stdout);
  await waitFor(
    async () => Number((await lab.grogu.ask(`zfs list -Hpo used '${target}'`)).stdout) > 2_000_000,
    { timeoutMs: 120_000, what: 'the stream to be under way' },
  );
  await running.worker.stop('SIGKILL');
  await running.startWorker();
  const handle = running.client.workflow.getHandle(run);
  await waitFor(async () => (await handle.describe()).status.name !== 'RUNNING', {
    timeoutMs: 240_000,
    what: `${run} to end`,
  });
  assert.equal((await handle.describe()).status.name, 'COMPLETED');
  assert.deepEqual(await guids(lab.grogu, target), await guids(lab.din, source));
  const log = (await running.holdfast('logs', run)).stdout;
  const whole = log.split('\n').filter((line) => /zfs send -vP -L .*slow@one \|/.test(line));
  assert.equal(whole.length, 1, log);
  assert.equal(await lab.din.sh(`zfs list -Hr -t snapshot -o userrefs '${source}' | sort -u`), '0');
});
