import { HoldfastError } from '../../contracts/errors.js';
import type { SnapshotReport, SnapshotStepInput } from '../../contracts/zfs.js';
import type { RunResult } from '../../system/host.js';
import type { Tools } from '../door.js';
import { addEvidence } from '../host/evidence.js';
import { complains, zfsFailure } from './classify.js';
import { openZfs, snapshotJob, takenOf } from './job.js';
import { describeChanges, readKnown, writeKnown } from './known-datasets.js';
import { type ListedType, zfsCommand } from './list-command.js';
import { listTrees, type Zfs } from './listing.js';
import { lookAtRoom, mustHaveRoom } from './pool-room.js';
import { refuseStandby } from './role.js';
import {
  ownSnapshot,
  type PlannedResource,
  planSnapshots,
  type SnapshotPlan,
  type SnapshotQuestion,
} from './snapshot-plan.js';
import type { Listing } from './types.js';

/** The snapshots of one run: look, take, look again. Three commands, whatever the number of datasets. */

/** How often a tree may change between the look and the moment: Kubernetes makes and deletes datasets at any time. */
const tries = 4;

/** Takes this run's snapshots of all resources, or finds those of an earlier attempt; they count only when they were seen. */
export async function takeSnapshots(tools: Tools, input: SnapshotStepInput): Promise<SnapshotReport[]> {
  const { name: pattern } = snapshotJob(tools, input);
  const { job, run } = input;
  const resources = input.resources.map((resource) => takenOf(tools.config, resource));
  const zfs = openZfs(tools, input.resources[0] ?? '');
  const roots = [...new Set(resources.map(({ dataset }) => dataset))];
  tools.progress({ phase: 'taking snapshots' });
  // A later attempt may be about to find what an earlier one has made; but that may have ended before it had looked.
  if (tools.attempt === 1 || !(await isBegun(zfs, roots, { job, run, pattern, resources })))
    mustHaveRoom(await lookAtRoom(zfs, tools.config, roots), zfs.host.name);
  const plan = await ensureSnapshots(tools, zfs, { job, run, pattern, resources });
  const listing = await listTrees(zfs, { roots });
  const reports: SnapshotReport[] = [];
  for (const planned of plan.resources) reports.push(await prove(tools, { input, plan, planned, listing }));
  return reports;
}

const isBegun = async (
  zfs: Zfs,
  roots: readonly string[],
  wanted: Omit<SnapshotQuestion, 'listing'>,
): Promise<boolean> => planSnapshots({ ...wanted, listing: await listTrees(zfs, { roots }) }).adopted;

/** The datasets alone: their snapshots are many times as many, and matter only where the name is taken already. */
const datasetsOnly: readonly ListedType[] = ['filesystem', 'volume'];

/** A tree that changed under the command made it fail as a whole, with nothing done: it is looked at again, then with all that it holds. */
export async function ensureSnapshots(
  tools: Tools,
  zfs: Zfs,
  wanted: Omit<SnapshotQuestion, 'listing'>,
  { mayStandBy = false } = {},
): Promise<SnapshotPlan> {
  const roots = [...new Set(wanted.resources.map(({ dataset }) => dataset))];
  for (let attempt = 1; ; attempt += 1) {
    const types = attempt === 1 ? { types: datasetsOnly } : {};
    const plan = planSnapshots({ ...wanted, listing: await listTrees(zfs, { roots, ...types }) });
    for (const { datasets } of mayStandBy ? [] : plan.resources) refuseStandby(datasets, zfs.host.name);
    const failed = await runAll(tools, zfs, plan);
    if (!failed) return plan;
    const mayPass = complains(/does not exist|already exists/, failed.stderrTail);
    const failure = zfsFailure(failed, `take the snapshot ${plan.name}`, zfs.host.name);
    if (!mayPass || attempt >= tries) throw failure;
    tools.log(`${failure.message}; looking again`);
  }
}

/** The first command that failed. */
async function runAll(
  { log }: Tools,
  { host, signal, zfs }: Zfs,
  { commands }: SnapshotPlan,
): Promise<RunResult | undefined> {
  for (const args of commands) {
    const result = await host.run(zfsCommand(zfs, args), { signal, log });
    if (result.exitCode !== 0) return result;
  }
  return undefined;
}

interface Question {
  input: SnapshotStepInput;
  plan: SnapshotPlan;
  planned: PlannedResource;
  /** Of after the command. */
  listing: Listing;
}

/** Every planned dataset that is still there must show the snapshot of this run. */
async function prove(tools: Tools, { input, plan, planned, listing }: Question): Promise<SnapshotReport> {
  const { job, run } = input;
  const { resource, datasets } = planned;
  const there = datasets.flatMap(({ name, guid }) => {
    const now = listing.get(name);
    return now?.guid === guid ? [now] : [];
  });
  const found = there.flatMap((dataset) => ownSnapshot(dataset, plan.name, run) ?? []);
  if (found.length === 0 || found.length < there.length) {
    const without = there.find((dataset) => !ownSnapshot(dataset, plan.name, run))?.name ?? planned.root;
    const message = `zfs took the snapshot ${plan.name} without a complaint, but ${without} does not show it. Look at "zfs list -t snapshot" on the host`;
    throw new HoldfastError('HF_COPY_NOT_PROVED', message.slice(0, 300));
  }
  const { driver } = tools.host;
  const notes = describeChanges(await readKnown(driver, job, resource), there);
  for (const note of notes) tools.log(`${resource}: ${note}`);
  const restorePoint = new Date(Math.min(...found.map(({ creationS }) => creationS)) * 1000).toISOString();
  const report: SnapshotReport = {
    resource,
    snapshot: plan.name,
    datasets: found.length,
    restorePoint,
    ...(plan.adopted && { adopted: true }),
    notes,
    warnings: warningsOf(plan),
  };
  await addEvidence(driver, {
    kind: 'snapshots',
    run,
    job,
    resource,
    snapshot: plan.name,
    datasets: found.length,
    restorePoint,
  });
  await writeKnown(driver, job, resource, there);
  return report;
}

function warningsOf({ adopted, commands, parts }: SnapshotPlan): string[] {
  if (adopted && commands.length > 0) {
    return ['An earlier attempt had taken only some of the snapshots: the others are of a later moment'];
  }
  return parts > 1
    ? [`There are so many datasets that the snapshots were taken in ${parts} parts, one after the other`]
    : [];
}
