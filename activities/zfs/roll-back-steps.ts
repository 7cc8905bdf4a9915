import { resourceOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { RestorePlan, RestoreReport } from '../../contracts/jobs.js';
import type { DatasetRestoreStepInput } from '../../contracts/zfs-restore.js';
import { sha256 } from '../../system/sha256.js';
import type { Tools } from '../door.js';
import { addEvidence, readEvidence } from '../host/evidence.js';
import type { PutBack } from '../host/questions.js';
import { markUndone, openUndos, recordFormerState } from '../host/undo.js';
import { checkHostOf } from '../restic/job.js';
import { type Origin, originOf } from './files-source.js';
import { listTrees, type Zfs } from './listing.js';
import { refuseStandby } from './role.js';
import {
  bringTreeBack,
  isStillAside,
  mountAgain,
  proveRolledBack,
  refuseWritable,
  rollBack,
} from './roll-back.js';
import { planRollBack, type RollBack, type RollBackPlan } from './roll-back-plan.js';

/** A resource as it was, in its own place; and back, on request or when it does not come to its end. */

/** By it the journal of former states knows what to put back. */
export const rollBackKind = 'zfs-roll-back';
const whatOf = (resource: string): string => `${rollBackKind}:${resource}`;

/** Only where the host's own file says so. */
function ownTree(tools: Tools, input: DatasetRestoreStepInput): Origin {
  const { config, host } = tools;
  checkHostOf(config, input.resource, host.name);
  const origin = originOf(tools, input);
  if (resourceOf(config, input.resource).restoreInPlace) return origin;
  throw new HoldfastError(
    'HF_TARGET_REFUSED',
    `"${input.resource}" may not be restored in place: set resources.${input.resource}.restoreInPlace: true on this host, or clone it beside. Nothing was touched`,
  );
}

async function prepare(
  tools: Tools,
  input: DatasetRestoreStepInput,
): Promise<{ origin: Origin; rolled: RollBackPlan }> {
  const origin = ownTree(tools, input);
  const { copy, at, run } = input;
  const all = [...(await listTrees(origin.zfs, { roots: [origin.root] })).values()];
  refuseStandby(all.slice(0, 1), origin.name, 'Nothing was touched');
  return { origin, rolled: planRollBack(all, { root: origin.root, run, copy, at, job: origin.job }) };
}

/** What the operator is shown, and approves by its digest. */
export async function planRollBackStep(tools: Tools, input: DatasetRestoreStepInput): Promise<RestorePlan> {
  const { origin, rolled } = await prepare(tools, input);
  return {
    snapshot: rolled.snapshot,
    restorePoint: rolled.restorePoint,
    target: `${origin.name}:${rolled.root}`,
    paths: [],
    files: rolled.datasets.length,
    bytes: 0,
    bytesFree: -1,
    resumes: false,
    digest: digestOf(rolled),
    steps: rolled.steps,
  };
}

/** Not of what is mounted: that may change, and nothing is lost by it. */
const digestOf = ({ root, aside, snapshot, datasets, steps }: RollBackPlan): string =>
  sha256(JSON.stringify([root, aside, snapshot, datasets, steps]));

/** A retry goes on with what its predecessor has written down. */
export async function rollBackStep(tools: Tools, input: DatasetRestoreStepInput): Promise<RestoreReport> {
  const { host, log } = tools;
  const { run, job, resource } = input;
  const what = whatOf(resource);
  const origin = ownTree(tools, input);
  const [open] = (await openUndos(host, run)).filter((undo) => undo.what === what);
  const done = (await readEvidence(host)).find((entry) => entry.kind === 'rolled-back' && entry.run === run);
  let former = (open?.former ?? (done?.kind === 'rolled-back' ? done.former : undefined)) as
    | RollBack
    | undefined;
  if (!former) {
    const { rolled } = await prepare(tools, input);
    if (digestOf(rolled) !== input.digest)
      throw new HoldfastError(
        'HF_NOT_APPROVED',
        `What would be done to ${rolled.root} is no longer what was approved. Nothing was touched; start it again and look at the new plan`,
      );
    const { steps, restorePoint, ...kept } = rolled;
    former = kept;
    await recordFormerState(host, run, what, { ...former });
  }
  tools.progress({ phase: 'rolling back' });
  if (!done) await atOnce(() => rollBack(origin.zfs, former, log));
  await proveRolledBack(origin.zfs, former);
  await addEvidence(host, { kind: 'rolled-back', run, job, resource, former });
  await markUndone(host, run, what);
  return reportOf(former, `${former.datasets.length} datasets are what the snapshot holds, by guid`);
}

/** Nothing is mounted meanwhile: what fails is not tried again for hours, it is put back. */
async function atOnce(body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'HF_TOOL_FAILED') throw error;
    throw new HoldfastError('HF_ROLL_BACK_FAILED', error.message);
  }
}

const reportOf = ({ root, aside, snapshot, datasets }: RollBack, verified: string): RestoreReport => ({
  snapshot,
  restorePoint: '',
  target: root,
  files: datasets.length,
  bytes: 0,
  verified: [verified],
  notVerified: [],
  warnings: [],
  movedAside: aside,
});

/** What `--undo RUN` does: the tree of before comes back, the rolled back one is kept beside. */
export async function undoRollBackStep(tools: Tools, input: DatasetRestoreStepInput): Promise<RestoreReport> {
  const { host } = tools;
  const { run, job, resource, undo = '' } = input;
  const origin = ownTree(tools, input);
  const found = (await readEvidence(host)).find(
    (entry) => entry.kind === 'rolled-back' && entry.run === undo,
  );
  if (found?.kind !== 'rolled-back' || found.job !== job || found.resource !== resource)
    throw new HoldfastError(
      'HF_RUN_NOT_FOUND',
      `The host ${host.name} knows of no roll-back of "${resource}" by ${undo}`.slice(0, 300),
    );
  const what = whatOf(resource);
  const former = { ...found.former, back: `${found.former.root}.restored-${run.replaceAll(':', '')}` };
  const begun = (await readEvidence(host)).some((entry) => entry.kind === 'undo-open' && entry.run === run);
  const there = await listTrees(origin.zfs, {
    roots: [origin.root.slice(0, origin.root.lastIndexOf('/'))],
    depth: 1,
    types: ['filesystem', 'volume'],
  });
  if (!begun && !there.has(former.aside))
    throw new HoldfastError(
      'HF_NOTHING_TO_DO',
      `${former.aside} is not there any more: it was brought back already, or removed`.slice(0, 300),
    );
  refuseWritable(there, former, origin.name);
  await recordFormerState(host, run, what, { ...former, undoes: undo });
  await bringTreeBack(origin.zfs, former).catch(async (error: unknown) => {
    if (!(await refusedWhole(origin.zfs, former, error))) throw error;
    await markUndone(host, run, what);
    throw new HoldfastError('HF_ROLL_BACK_FAILED', (error as HoldfastError).message);
  });
  await markUndone(host, run, what);
  return { ...reportOf(former, `${former.root} is again what was ${former.aside}`), movedAside: former.back };
}

/** A tool said no before anything was renamed: neither tried again for hours nor brought to its end another day. */
const refusedWhole = async (zfs: Zfs, former: RollBack, error: unknown): Promise<boolean> =>
  error instanceof HoldfastError && error.code === 'HF_TOOL_FAILED' && (await isStillAside(zfs, former));

/** After a failure, Terminate or a lost server. A way back of which nothing was renamed is not begun now, when nobody asks for it. */
export const putBackRollBack =
  (config: () => Config): PutBack =>
  async (host, _what, former) => {
    const { zfs = 'zfs', zpool = 'zpool' } = config().hosts[host.name]?.tools ?? {};
    const { signal } = new AbortController();
    const [words, plan] = [{ host, signal, zfs, zpool }, former as unknown as RollBack];
    if (former.undoes !== undefined && (await isStillAside(words, plan))) return mountAgain(words, plan);
    await bringTreeBack(words, plan);
  };
