import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Estate } from '../support/estate.js';
import {
  act,
  assertOneSide,
  fileIn,
  guids,
  jobName,
  makeTree,
  property,
  replicate,
  startFailoverEstate,
  treesOf,
  writeIn,
} from '../support/failover-estate.js';
import type { LabHost } from '../support/lab-host.js';
import { needs } from '../support/needs.js';
import type { PlainConfig } from '../support/plain-config.js';
import { runIn, saysItWaitsFor } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** Failovers between pools that take one stream each, while another job has it: they wait where they send, and only there. */

const lab = useZfsLab({ own: true });
const skip = lab.skip || needs('temporal', 'restic');
let estate: Estate | undefined;
after(() => estate?.stop());

const otherTree = (): string => `${lab.din.parents.fast}/other one`;
const otherReplica = (): string => `${lab.grogu.parents.backup}/other`;
const waitsForOther = /^stream-(din\.fast|grogu\.backup)\.1, used by other-2/;

function withOneStreamEach(config: PlainConfig): void {
  config.hosts.din.pools = { fast: { streams: 1 } };
  config.hosts.grogu.pools = { backup: { streams: 1 } };
  config.resources.other = { host: 'din', dataset: otherTree() };
  config.jobs.other = {
    kind: 'zfs-replication',
    resources: ['other'],
    store: 'grogu',
    snapshots: 'all',
    limit: '1MiB',
    retryFor: '10m',
  };
}

const started = async (): Promise<Estate> => {
  estate ??= await startFailoverEstate(lab, withOneStreamEach);
  return estate;
};

/** A run of the other job whose stream, of 16 seconds, has begun to arrive. */
async function sendOther(running: Estate, snapshot: string): Promise<string> {
  await lab.din.sh(
    `set -e; dd if=/dev/urandom of='/${otherTree()}/data' bs=1M count=16 2>/dev/null; zfs snapshot '${otherTree()}@${snapshot}'`,
  );
  const run = runIn((await running.holdfast('run', 'other')).stdout);
  await waitFor(async () => (await lab.grogu.ask(`pgrep -f '${arriving}'`)).code === 0, {
    timeoutMs: 120_000,
    what: 'the other stream to arrive',
  });
  return run;
}

const arriving = '^zfs receive .*/other$';

/** It keeps its streams for as long as we like. */
const holdOther = (): Promise<unknown> => lab.grogu.sh(`pkill -STOP -f '${arriving}'`);
const letOtherGo = (): Promise<unknown> => lab.grogu.sh(`pkill -CONT -f '${arriving}'`);

const statusOf = async ({ client }: Estate, run: string): Promise<string> =>
  (await client.workflow.getHandle(run).describe()).status.name;

/** That the other job's run has done its own work whatever came in between. */
async function assertOtherArrives(running: Estate, run: string): Promise<void> {
  await waitFor(async () => (await statusOf(running, run)) !== 'RUNNING', {
    timeoutMs: 240_000,
    what: `${run} to end`,
  });
  assert.equal(await statusOf(running, run), 'COMPLETED');
  assert.deepEqual(await guids(lab.grogu, otherReplica()), await guids(lab.din, otherTree()));
}

async function heldLeases({ client }: Estate): Promise<string[]> {
  const found: string[] = [];
  const query = "WorkflowType = 'holdLease' AND ExecutionStatus = 'Running'";
  for await (const { workflowId } of client.workflow.list({ query })) found.push(workflowId);
  return found.sort();
}

const assertNoLease = (running: Estate): Promise<unknown> =>
  waitFor(async () => (await heldLeases(running)).length === 0, {
    timeoutMs: 30_000,
    what: 'all leases to be given back',
  });

/** Names of holds, each once, below a root. */
const holdsOn = async (host: LabHost, root: string): Promise<string[]> => {
  const script = `zfs list -H -r -t snapshot -o name '${root}' | tr '\\n' '\\0' | xargs -0 -r zfs holds -H | cut -f2`;
  return [...new Set((await host.sh(script)).split('\n').filter((tag) => tag !== ''))].sort();
};

const cursorsOn = async (host: LabHost, root: string): Promise<string[]> =>
  (await host.zfs('list', '-H', '-r', '-t', 'bookmark', '-o', 'name', root))
    .split('\n')
    .filter((name) => name !== '')
    .map((name) => name.replace(/^.*#/, '').replace(/_\d+$/, ''));

const roles = async (): Promise<string[]> => {
  const { source, target } = treesOf(lab);
  const words = await Promise.all([
    property(lab.din, source, 'holdfast:role'),
    property(lab.grogu, target, 'holdfast:role'),
  ]);
  return words.map((role) => role.split(' ')[0] ?? '');
};

/** What parts of the tree are on both sides the same, and nothing keeps anything but what every replication does. */
async function assertLikeBefore(running: Estate): Promise<void> {
  const trees = treesOf(lab);
  assert.deepEqual(await roles(), ['-', '-']);
  await assertOneSide(lab, trees);
  const next = await replicate(running);
  assert.equal(next.code, 0, next.text);
  assert.deepEqual(await guids(lab.grogu, trees.target), await guids(lab.din, trees.source));
  assert.deepEqual(await holdsOn(lab.din, trees.source), []);
  assert.deepEqual(await holdsOn(lab.grogu, trees.target), ['holdfast_fence']);
  assert.deepEqual([...new Set(await cursorsOn(lab.din, trees.source))], ['holdfast_grogu.k8s']);
  assert.deepEqual(await cursorsOn(lab.grogu, trees.target), []);
  await assertNoLease(running);
}

test('a failover and the way back wait for the stream of another job, can be cancelled while they wait, and all of them end well', {
  skip,
}, async () => {
  const trees = treesOf(lab);
  const { source, target } = trees;
  await makeTree(lab, trees);
  await lab.din.sh(`set -e; zfs create '${otherTree()}'; zfs snapshot '${otherTree()}@one'`);
  const running = await started();
  for (const job of [jobName, 'other']) {
    const first = await running.holdfast('run', job, '--follow');
    assert.equal(first.code, 0, first.stdout + first.stderr);
  }

  const other = await sendOther(running, 'two');
  await holdOther();
  const given = running.start('do', jobName, 'failover', '--yes');
  const cancelled = runIn(await given.waitForLine('started', 120_000));
  await saysItWaitsFor(running, cancelled, waitsForOther);
  assert.deepEqual(await roles(), ['standby', '-']);
  await running.client.workflow.getHandle(cancelled).cancel();
  await given.exit;
  assert.equal(await statusOf(running, cancelled), 'CANCELLED');
  assert.deepEqual(await roles(), ['-', '-']);
  assert.equal(await property(lab.din, `${source}/pvc 1`, 'readonly'), 'off');

  const child = running.start('do', jobName, 'failover', '--yes');
  await saysItWaitsFor(running, runIn(await child.waitForLine('started', 120_000)), waitsForOther);
  assert.equal(await statusOf(running, other), 'RUNNING');
  await letOtherGo();
  const over = await child.exit;
  assert.equal(over.code, 0, over.stdout + over.stderr);
  await assertOtherArrives(running, other);
  assert.deepEqual(await roles(), ['standby', 'promoted']);
  assert.deepEqual(await guids(lab.grogu, target), await guids(lab.din, source));
  await assertOneSide(lab, trees);
  await assertNoLease(running);
  await writeIn(lab.grogu, `${target}/pvc 1`, 'data', 'second');

  const another = await sendOther(running, 'three');
  await holdOther();
  const returning = running.start('do', jobName, 'failback', '--yes');
  await saysItWaitsFor(running, runIn(await returning.waitForLine('started', 120_000)), waitsForOther);
  assert.deepEqual(await roles(), ['standby', 'promoted'], 'it is used while the way back waits');
  await letOtherGo();
  const back = await returning.exit;
  assert.equal(back.code, 0, back.stdout + back.stderr);
  await assertOtherArrives(running, another);
  assert.equal(await fileIn(lab.din, `${source}/pvc 1`, 'data'), 'second');
  await assertLikeBefore(running);
});

test('a failover without its source waits for no stream, though a run that waits for that host has them all; that run goes on later, and so does the way back', {
  skip,
}, async () => {
  const trees = treesOf(lab);
  const { source, target } = trees;
  const running = await started();
  const other = await sendOther(running, 'four');
  await lab.din.pullPlug();
  // What is due meanwhile waits for the host as well, and has the replica.
  const due = runIn((await running.holdfast('run', jobName)).stdout);
  const child = running.start('do', jobName, 'failover', '--yes', '--set', 'source=off');
  const failover = runIn(await child.waitForLine('started', 120_000));
  await saysItWaitsFor(running, failover, new RegExp(`^replica-k8s\\.grogu, used by ${due}$`));
  const cancelled = await running.holdfast('cancel', due);
  assert.equal(cancelled.code, 0, cancelled.stdout + cancelled.stderr);
  const over = await child.exit;
  assert.equal(over.code, 0, over.stdout + over.stderr);
  assert.equal(await statusOf(running, other), 'RUNNING');
  assert.deepEqual(
    (await heldLeases(running)).filter((lease) => lease.startsWith('lease-stream-')),
    ['lease-stream-din.fast.1', 'lease-stream-grogu.backup.1'],
  );
  assert.match(await property(lab.grogu, target, 'holdfast:role'), new RegExp(`^promoted ${failover}`));
  await writeIn(lab.grogu, `${target}/pvc 1`, 'data', 'third');

  await lab.din.boot();
  const seen = await replicate(running);
  assert.equal(seen.code, 5, seen.text);
  await assertOneSide(lab, trees);
  const back = await act(running, 'failback');
  assert.equal(back.code, 0, back.text);
  await assertOtherArrives(running, other);
  assert.equal(await fileIn(lab.din, `${source}/pvc 1`, 'data'), 'third');
  await assertLikeBefore(running);
});
