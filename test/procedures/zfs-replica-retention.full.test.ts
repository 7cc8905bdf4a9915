import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Estate, evidenceOf, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';
import { overSsh } from '../support/zfs-estate.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** Retention on the target of a replication, between two real pools, from the command line. */

const lab = useZfsLab();
const skip = lab.skip || needs('temporal', 'restic');
let estate: Estate | undefined;
after(() => estate?.stop());

const keep = (rules: object | undefined) =>
  estate?.configure((config) => {
    config.jobs.copy.keep = rules;
  });
const run = async (...more: string[]) => {
  assert(estate);
  const ended = await estate.holdfast('run', 'copy', '--follow', ...more);
  return { ...ended, said: ended.stdout + ended.stderr };
};

test('a target keeps what its own rules say, gone replicas whole, and unusually much waits for a yes', {
  skip,
}, async () => {
  const [source, target] = [`${lab.din.parents.fast}/k8s`, `${lab.grogu.parents.backup}/k8s`];
  const there = async (dataset = ''): Promise<string[]> =>
    (await lab.grogu.zfs('list', '-H', '-d', '1', '-t', 'snapshot', '-o', 'name', `${target}${dataset}`))
      .split('\n')
      .map((line) => line.replace(/^.*@/, ''));
  const snap = (...names: string[]) =>
    lab.din.sh(names.map((name) => `zfs snapshot -r '${source}@${name}'`).join('; '));
  await lab.din.sh(`zfs create '${source}'; zfs create '${source}/a b'; zfs create '${source}/old'`);
  await snap('1');
  estate = await startEstate({
    change(config) {
      config.hosts.din = { ssh: overSsh(lab.din) };
      config.hosts.grogu = { ssh: { ...overSsh(lab.grogu, 'holdfast'), sudo: ['zfs'] } };
      config.resources.k8s = { host: 'din', dataset: source };
      config.stores.grogu = { zfs: { host: 'grogu', dataset: lab.grogu.parents.backup } };
      config.jobs.copy = {
        kind: 'zfs-replication',
        resources: ['k8s'],
        store: 'grogu',
        snapshots: 'all',
        keep: { last: 2 },
        objective: { rpo: '3h' },
        retryFor: '2m',
      };
    },
  });
  const first = await run();
  assert.equal(first.code, 0, first.said);

  // A backlog is thinned on its way; a snapshot of somebody else over there is not ours to remove.
  await lab.grogu.sh(`zfs snapshot '${target}/a b@auto-2026-11-20_03-00'`);
  await lab.din.sh(`zfs destroy -r '${source}/old'`);
  await snap('2', '3', '4');
  const second = await run();
  assert.equal(second.code, 0, second.said);
  assert.deepEqual(
    await there(),
    ['3', '4'],
    second.said + (await estate.holdfast('logs', runIn(second.stdout))).stdout,
  );
  assert.deepEqual(await there('/a b'), ['auto-2026-11-20_03-00', '3', '4']);
  assert.deepEqual(await there('/old'), ['1']);
  assert.match(second.stdout, /2 old ones removed/);

  // What has gone from the source since is still known for ours.
  keep(undefined);
  await snap('5', '6', '7', '8', '9');
  assert.equal((await run()).code, 0);
  await lab.din.sh(`zfs destroy '${source}@3%8'`);
  assert.equal((await there()).length, 7);
  keep({ last: 2 });
  const held = await run();
  assert.equal(held.code, 6, held.said);
  assert.match(held.said, /5 of the 7 snapshots .* would go: .*--only prune/);
  const asking = runIn((await estate.holdfast('run', 'copy', '--only', 'prune')).stdout);
  const running = estate;
  await waitFor(async () => (await running.holdfast('approve', asking)).code === 0, {
    timeoutMs: 120_000,
    what: 'the question to be asked',
  });
  await running.client.workflow.getHandle(asking).result();
  assert.deepEqual(await there(), ['8', '9']);
  const idle = await run();
  assert.equal(idle.code, 0, idle.said);
  const facts = evidenceOf({ ...running, stateFolder: `${running.stateFolder}/hosts/din` }).filter(
    ({ kind }) => kind === 'replicas-removed',
  );
  assert.equal(facts.length, 2, JSON.stringify(facts));
});
