import { resolve } from 'node:path';
import { addEvidence } from '../../activities/host/evidence.js';
import { makeClones, planClone } from '../../activities/zfs/clone.js';
import { planRestoreFiles, restoreFiles } from '../../activities/zfs/files-restore.js';
import { openFiles } from '../../activities/zfs/files-source.js';
import { listTrees } from '../../activities/zfs/listing.js';
import { HoldfastError } from '../../contracts/errors.js';
import { datasetForm } from '../../contracts/names.js';
import type { DatasetRestoreStepInput } from '../../contracts/zfs-restore.js';
import type { Context } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { shown } from '../jobs.js';
import { printable } from '../printable.js';
import { moment, relativePath } from '../restore-words.js';
import { approve, tell } from './approve.js';
import { rescueStore } from './open.js';
import type { ZfsRescue, ZfsWords } from './zfs-open.js';
import { type Meant, meantReplica } from './zfs-replicas.js';
import { rescueJob } from './zfs-run.js';

/** Out of a replica by hand: the same steps as a run's, and nothing of the replica is changed. */

const usage = (message: string): HoldfastError => new HoldfastError('HF_USAGE', message);

/** What every step is asked with. */
export function stepOf(
  { paths, copy, at }: ZfsWords,
  { resource }: Meant,
  more: Pick<DatasetRestoreStepInput, 'run' | 'how' | 'target'>,
): DatasetRestoreStepInput {
  return {
    job: rescueJob,
    resource,
    store: rescueStore,
    retryForMs: 0,
    paths: paths.map(relativePath),
    ...(copy !== undefined && { copy: copy.replace(/^@/, '') }),
    ...(at !== undefined && { at: moment(at) }),
    ...more,
  };
}

/** What no step could make sense of. */
export function checkWords({ copy, at }: ZfsWords): void {
  if (copy !== undefined && at !== undefined) throw usage('--copy and --at exclude each other');
}

/** `rescue zfs restore`: files into a new or empty folder of this machine, compared with the frozen snapshot. */
export async function restoreFromReplica(
  context: Context,
  rescue: ZfsRescue,
  words: ZfsWords,
): Promise<number> {
  checkWords(words);
  if (words.to === undefined) throw usage('Say where to: --to DIR, a new or empty folder of this machine');
  const target = resolve(words.to);
  if (target === '/') throw usage('--to takes a new or empty folder, not "/"');
  const meant = await meantReplica(rescue, words);
  const { tools, run, putBack } = await rescue.open({ works: rescue.here, target, ...meant });
  const step = stepOf(words, meant, { run, how: 'files', target });
  return thenPutBack(context, putBack, async () => {
    await openFiles(tools, step);
    const plan = await planRestoreFiles(tools, step);
    if (!context.json) context.out(printable(`replica    ${meant.words}`));
    await approve(context, plan, words.yes);
    const report = await restoreFiles(tools, { ...step, digest: plan.digest });
    return tell(context, run, report, `${report.files} files restored to ${report.target} and verified`);
  });
}

/** Whatever came out; what cannot be let go of is said, and hides neither an error nor a proof. */
async function thenPutBack(
  context: Context,
  putBack: () => Promise<void>,
  body: () => Promise<number>,
): Promise<number> {
  const tried = async (): Promise<boolean> => {
    try {
      await putBack();
      return true;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      context.note(
        printable(`The snapshots that were read are still held: ${why}. The next rescue lets go of them`),
      );
      return false;
    }
  };
  try {
    const exit = await body();
    return (await tried()) ? exit : exitCodes.warnings;
  } catch (error) {
    await tried();
    throw error;
  }
}

/** `rescue zfs clone`: writable datasets beside the replica, of one of its snapshots. */
export async function cloneReplica(context: Context, rescue: ZfsRescue, words: ZfsWords): Promise<number> {
  checkWords(words);
  if (words.paths.length > 1) throw usage('A clone takes one --path: a dataset below the replica');
  const meant = await meantReplica(rescue, words);
  const target = cloneTarget(words.to, meant);
  const { tools, run } = await rescue.open({ works: rescue.zfs.host, target, ...meant });
  const step = stepOf(words, meant, { run, how: 'clone', target });
  const plan = await planClone(tools, step);
  await approve(context, plan, words.yes);
  const made = await makeClones(tools, { ...step, digest: plan.digest });
  const report = { ...made, target, warnings: [...made.warnings, ...(await readonlyWords(rescue, target))] };
  await addEvidence(rescue.here, {
    kind: 'restore',
    run,
    store: rescueStore,
    digest: plan.digest,
    report,
  });
  const mount = `zfs set mountpoint=/mnt/look '${target}'`;
  return tell(context, run, report, `${report.files} datasets cloned to ${target}; "${mount}" mounts them`);
}

/** In the same pool, and in no replica: a dataset that appears inside of one would be in the way of its replication. */
function cloneTarget(to: string | undefined, { listing, parent }: Meant): string {
  if (to === undefined || !datasetForm.test(to) || !to.includes('/'))
    throw usage(
      `Say which new dataset: --to DATASET, for example --to ${parent}/restored${to === undefined ? '' : `, not "${shown(to)}"`}`,
    );
  const above = to.slice(0, to.lastIndexOf('/'));
  if (to.split('/')[0] !== parent.split('/')[0])
    throw refused(to, `a clone lies in the pool of its snapshot, which is ${parent.split('/')[0]}`);
  const there = listing.get(above);
  if (!there) throw refused(to, `${above} does not exist`);
  if (there.replicaOf !== undefined) throw refused(to, `${above} is a part of a replica`);
  return to;
}

/** A dataset that cannot be the target, typed by hand: no configuration is what it waits for. */
export const refused = (to: string, why: string, what = 'cloned'): HoldfastError =>
  new HoldfastError('HF_TARGET_REFUSED', `Nothing is ${what} to "${shown(to)}": ${why}`.slice(0, 300), {
    next: 'Give another dataset with --to',
  });

/** A clone takes its properties from the place where it lies. */
async function readonlyWords({ zfs }: ZfsRescue, target: string): Promise<string[]> {
  const made = await listTrees(zfs, { roots: [target], types: ['filesystem', 'volume'], depth: 0 });
  return made.get(target)?.readonly === 'on'
    ? [`${target} is readonly by what lies above it: "zfs set readonly=off '${target}'" makes it writable`]
    : [];
}
