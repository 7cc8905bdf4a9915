import { jobOf, resourceOf } from '../../config/lookup.js';
import type { Config, ResticBackupJob } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { SourceStepInput } from '../../contracts/jobs.js';
import { parseRunId } from '../../contracts/names.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { readingHost } from '../host/reading-host.js';
import { markUndone, openUndos, recordFormerState } from '../host/undo.js';
import { checkHostOf, checkRunOfJob, jobWith } from '../restic/job.js';
import { destroySnapshots } from './destroy.js';
import { holdSnapshots, releaseSnapshots } from './holds.js';
import { openZfs, selectionOf } from './job.js';
import { listTrees, type Zfs } from './listing.js';
import { mountSnapshots, mountsBelow, unmountAll } from './mounts.js';
import { judgeSnapshots } from './retention.js';
import { refuseStandby } from './role.js';
import { selectDatasets } from './select.js';
import { ensureSnapshots } from './snapshot.js';
import { snapshotName } from './snapshot-plan.js';
import { planFrom, refuseUnreadable, withoutVanished } from './source-choice.js';
import {
  hasSourcePlan,
  reading,
  readingFolder,
  readSourcePlan,
  type SourcePlan,
  writeSourcePlan,
} from './source-plan.js';
import type { Snapshot } from './types.js';

/** A dataset is read from snapshots that stand still: taken for the run or by a named job, held and mounted until the copy is proved. */

/** By it the journal of former states knows what to put back. */
export const sourceKind = 'zfs-source';
const whatOf = (input: SourceStepInput): string => `${sourceKind}:${reading(input)}`;

export const holdTag = (run: string): string => `holdfast:${run}`;

/** Makes the snapshots of a resource ready to be read. A retry finds what its predecessor has planned, and goes on with that. */
export async function openSource(tools: Tools, input: SourceStepInput): Promise<SourcePlan> {
  const { host, signal } = tools;
  const { job, run, resource } = input;
  const config = jobWith(tools.config, { job, resource });
  checkRunOfJob(run, job);
  checkHostOf(tools.config, resource, host.name);
  const zfs = openZfs(tools, resource);
  tools.progress({ phase: 'making snapshots ready' });
  const chosen = (await hasSourcePlan(host, input))
    ? await readSourcePlan(host, input)
    : { ...(await choose(tools, zfs, input, config)), ...throughMountOf(tools.config, resource) };
  // Before anything is held: a retry must not choose a newer snapshot and forget the hold on this one.
  await writeSourcePlan(host, input, chosen);
  const former = { dataset: selectionOf(tools.config, resource).dataset, snapshot: chosen.snapshot, job };
  await recordFormerState(host, run, whatOf(input), former);
  const plan = await holdPlanned(tools, zfs, input, chosen);
  const reader = readingHost(host, tools.config, resource);
  await mountSnapshots(reader, readingFolder(reader, input), plan, signal);
  tools.log(`${resource}: ${plan.datasets.length} datasets are read from the snapshot ${plan.snapshot}`);
  return plan;
}

/** A dataset that somebody destroys before it is held costs the run that dataset, as in a snapshot job, and not the copy of all others. */
async function holdPlanned(
  tools: Tools,
  zfs: Zfs,
  input: SourceStepInput,
  plan: SourcePlan,
): Promise<SourcePlan> {
  const { run, resource } = input;
  try {
    await holdSnapshots(zfs, holdTag(run), plan);
    return plan;
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'HF_DATASET_MISSING') throw error;
    const { dataset } = selectionOf(tools.config, resource);
    const left = withoutVanished(plan, await listTrees(zfs, { roots: [dataset] }));
    if (!left) throw error;
    tools.log(`${resource}: ${left.note}`);
    await writeSourcePlan(tools.host, input, left.plan);
    return holdPlanned(tools, zfs, input, left.plan);
  }
}

function throughMountOf(config: Config, resource: string): Pick<SourcePlan, 'through'> {
  const { mount, dataset } = resourceOf(config, resource);
  return mount === undefined || dataset === undefined ? {} : { through: { directory: mount, root: dataset } };
}

/** A run that uploads portions has begun in the same second as another one, and takes many snapshots. */
function patternOf({ run, portion }: SourceStepInput): string {
  const { operation } = parseRunId(run) ?? {};
  const more = [operation, portion].filter((part) => part !== undefined).join('-');
  return `holdfast_{job}${more && `.${more}`}_{time}`;
}

async function choose(
  tools: Tools,
  zfs: Zfs,
  input: SourceStepInput,
  { fromSnapshotsOf }: ResticBackupJob,
): Promise<SourcePlan> {
  const { job, run, resource } = input;
  const selection = selectionOf(tools.config, resource);
  const roots = [selection.dataset];
  const types = ['filesystem', 'volume'] as const;
  const wanted = selectDatasets(await listTrees(zfs, { roots, types }), selection).datasets;
  refuseStandby(wanted, zfs.host.name);
  refuseUnreadable(wanted, resource);
  const pattern = patternOf(input);
  if (fromSnapshotsOf === undefined)
    await ensureSnapshots(tools, zfs, { job, run, pattern, resources: [selection] });
  const { datasets } = selectDatasets(await listTrees(zfs, { roots }), selection);
  const own = { run, name: snapshotName(pattern, job, run) };
  const by = fromSnapshotsOf === undefined ? own : { job: fromSnapshotsOf };
  return planFrom(datasets, by, resource);
}

/** Unmounts, lets go, and removes what this job took for earlier runs: the newest stays, so that a restore can be compared with it. */
export async function closeSource(tools: Tools, input: SourceStepInput): Promise<{ closed: boolean }> {
  const { host, run, config } = tools;
  checkRunOfJob(run, input.job);
  checkHostOf(config, input.resource, host.name);
  const what = whatOf(input);
  const [open] = (await openUndos(host, run)).filter((undo) => undo.what === what);
  if (!open) return { closed: false };
  await putBackSource(() => config)(host, what, open.former, run);
  await markUndone(host, run, what);
  await removeOlder(tools, input);
  return { closed: true };
}

/** Another operation of the job may have taken one and not held it yet. */
const mayBeTakenUpS = 600;

async function removeOlder(tools: Tools, { job, run, resource }: SourceStepInput): Promise<void> {
  const zfs = openZfs(tools, resource);
  const selection = selectionOf(tools.config, resource);
  const { datasets } = selectDatasets(await listTrees(zfs, { roots: [selection.dataset] }), selection);
  const newestS = Math.max(...datasets.flatMap(({ snapshots }) => snapshots.map((one) => one.creationS)));
  const rules = { job, keep: { last: 1 }, nowS: 0, timezone: 'UTC' };
  const old = datasets
    .flatMap((dataset) => judgeSnapshots(dataset, rules))
    .filter(({ reasons }) => reasons.length === 0)
    .filter(({ snapshot }) => isOver(snapshot, { run, newestS }));
  if (old.length === 0) return;
  const doomed = old.map(({ dataset, snapshot: { name, guid } }) => ({ dataset, snapshot: name, guid }));
  const left = await destroySnapshots(tools, zfs, doomed);
  for (const [name, why] of left) tools.log(`${name} of an earlier run stays: ${why}`);
}

function isOver(snapshot: Snapshot, { run, newestS }: { run: string; newestS: number }): boolean {
  const operationIn = (text = ''): string | undefined => parseRunId(text)?.operation;
  return operationIn(snapshot.run) === operationIn(run) || snapshot.creationS < newestS - mayBeTakenUpS;
}

/** Safe to do twice: what is not mounted and not held is left as it is. */
export const putBackSource =
  (config: () => Config) =>
  async (host: Host, what: string, former: Record<string, unknown>, run: string): Promise<void> => {
    const [resource = ''] = what.slice(sourceKind.length + 1).split('.');
    const job = String(former.job);
    jobOf(config(), job);
    const { signal } = new AbortController();
    const reader = readingHost(host, config(), resource);
    await unmountAll(
      reader,
      await mountsBelow(reader, readingFolder(reader, { job, resource, run })),
      signal,
    );
    const { zfs = 'zfs', zpool = 'zpool' } = config().hosts[host.name]?.tools ?? {};
    const names = { root: String(former.dataset), snapshot: String(former.snapshot) };
    await releaseSnapshots({ host, signal, zfs, zpool }, holdTag(run), names);
  };
