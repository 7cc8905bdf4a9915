import { isAppendOnly } from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Copy, StepInput } from '../../contracts/jobs.js';
import { tags } from '../../contracts/names.js';
import type { Tools } from '../door.js';
import { provedCopies, readEvidence, refusedCopies } from '../host/evidence.js';
import { checkSourceThere, guardSource } from '../host/guard.js';
import { whatIsRead } from '../zfs/read-source.js';
import { adoptCopy } from './adopt.js';
import { copyTags, listSnapshots, openRestic, type Restic, removeStaleLocks } from './driver.js';
import { checkHostOf, checkRunOfJob, jobWith } from './job.js';
import { madeBy, otherHosts } from './made-by.js';
import type { Snapshot } from './parse.js';
import { type Made, proveCopy } from './prove.js';
import { forgetParts } from './prune.js';
import {
  asResticWrites,
  type BackupRequest,
  backupArguments,
  leftOut,
  runBackup,
  unreadableWarnings,
} from './run-backup.js';
import { listParts } from './seed-parts.js';
import { beginSparseNote } from './sparse-note.js';
import { refuseOldVersion } from './versions.js';

/** One resource into one store: look, copy, look again. Two restic starts besides the copy itself. */

/** Makes this run's copy, or finds the one that an earlier attempt made; in both cases it is proved before it counts. */
export async function backupResource(tools: Tools, input: StepInput): Promise<Copy> {
  const job = jobWith(tools.config, input);
  checkRunOfJob(input.run, input.job);
  checkHostOf(tools.config, input.resource, tools.host.name);
  const { guarded, frozen } = await whatIsRead(tools, input);
  const { directory, least } = guarded.config;
  // A retry may come hours after the guard of the workflow.
  await guardSource(guarded);
  const restic = await openRestic(tools, input.store, input.resource);
  const { run, resource } = input;
  const noting = beginSparseNote(restic, { run, resource, directory: asResticWrites(directory) });
  const copy = backup(restic, {
    job: input.job,
    run: input.run,
    resource: input.resource,
    directory: asResticWrites(directory),
    exclude: leftOut(guarded.config, job.exclude),
    mustHoldFiles: (least.files ?? 0) > 0 || (least.bytes ?? 0) > 0,
    acceptCounts: input.acceptCounts ?? false,
    isSeeded: job.seeding !== undefined,
    seedFirst: input.seedFirst ?? false,
    removesParts: job.prune === undefined && !isAppendOnly(tools.config, input.store),
    checkSource: async () => {
      await checkSourceThere(guarded);
      await frozen?.check();
    },
    ...(frozen && { restorePoint: frozen.restorePoint, folders: frozen.folders }),
  });
  return copy.finally(() => noting.end());
}

/** The procedure by itself, for who has no configuration at hand. */
export async function backup(restic: Restic, request: BackupRequest): Promise<Copy> {
  await refuseOldVersion(restic);
  await removeStaleLocks(restic);
  restic.progress({ phase: 'asking the store' });
  const listing = await listSnapshots(restic, copyTags(request.job, request.resource));
  const earlier = madeBy(restic.host.name, listing);
  const own = earlier.filter((snapshot) => snapshot.tags.includes(tags.run(request.run)));
  if (own.length > 1) throw tooMany(restic, request, own);
  const [found] = own;
  if (!found) {
    if (request.seedFirst) await refuseFirstCopy(restic, request, earlier);
    const parts = request.isSeeded && earlier.length === 0 ? await listParts(restic, request) : [];
    const made = await makeCopy(restic, request, madeBy(restic.host.name, parts).at(-1));
    made.warnings.push(...sameRunElsewhere(restic, request, listing));
    const copy = await proveCopy(restic, request, earlier, made);
    if (parts.length > 0 && request.removesParts) await removeParts(restic, request);
    return copy;
  }
  return (
    (await provedBefore(restic, request, found)) ??
    proveCopy(restic, request, earlier, await adoptCopy(restic, request, found))
  );
}

/** Two machines at work under the same names: neither harms the other, but who restores must know which is which. */
function sameRunElsewhere(
  { host, store }: Restic,
  { resource, run }: BackupRequest,
  listing: readonly Snapshot[],
): string[] {
  const ofRun = listing.filter((snapshot) => snapshot.tags.includes(tags.run(run)));
  return otherHosts(host.name, ofRun).map(
    (other) =>
      `The host "${other}" has a copy of "${resource}" by a run of the same name in "${store}": give one of the two jobs another name`,
  );
}

/** Where no prune will ever do it. The copy is proved, so nothing of this makes it fail. */
const removeParts = (restic: Restic, request: BackupRequest): Promise<void> =>
  forgetParts(restic, request, restic.host.name).catch((error: unknown) =>
    restic.log(`the parts of the first upload stay: ${error instanceof Error ? error.message : error}`),
  );

/** The evidence may know copies of a repository that was made anew since: what counts is what the store shows. */
async function refuseFirstCopy(
  { host, store }: Restic,
  { job, resource }: BackupRequest,
  earlier: readonly Snapshot[],
): Promise<void> {
  const refused = refusedCopies(await readEvidence(host), { job, resource, store });
  if (earlier.some(({ id }) => !refused.has(id))) return;
  const message = `The store "${store}" has no copy of "${resource}": its first one is uploaded by portions, by a run of its own`;
  throw new HoldfastError('HF_NOT_SEEDED', message);
}

/** The attempt before this one had come to its very end: only its answer was lost. */
async function provedBefore(
  { host, store }: Restic,
  { job, resource, run }: BackupRequest,
  { id }: Snapshot,
): Promise<Copy | undefined> {
  const proved = provedCopies(await readEvidence(host), { job, resource, store }).find(
    (copy) => copy.run === run && copy.snapshot === id,
  );
  if (!proved) return undefined;
  const { snapshot, restorePoint, files, bytes, bytesAdded, warnings, adopted } = proved;
  return {
    resource,
    store,
    snapshot,
    restorePoint,
    files,
    bytes,
    bytesAdded,
    warnings,
    ...(adopted && { adopted }),
  };
}

/** Runs the copy and gathers what restic said about it. */
async function makeCopy(restic: Restic, request: BackupRequest, parent?: Snapshot): Promise<Made> {
  const asked = { ...backupArguments(restic, request), ...(parent && { parent: parent.id }) };
  const { summary, unreadable, partial } = await runBackup(restic, asked, 'copying');
  if (!summary) {
    const message = `restic ended well for "${request.resource}" into "${restic.store}", but never said what it made`;
    throw new HoldfastError('HF_COPY_NOT_PROVED', message);
  }
  const listing = await listSnapshots(restic, [
    ...copyTags(request.job, request.resource),
    tags.run(request.run),
  ]);
  const found = madeBy(restic.host.name, listing);
  const [snapshot] = found;
  if (found.length > 1) throw tooMany(restic, request, found);
  if (!snapshot?.id.startsWith(summary.snapshot) || summary.snapshot === '') {
    const message = `restic says that it saved "${request.resource}" into "${restic.store}", but the store does not show the copy of this run`;
    throw new HoldfastError('HF_COPY_NOT_PROVED', message, { said: summary.snapshot });
  }
  const { files, bytes, bytesAdded } = summary;
  return { snapshot, files, bytes, bytesAdded, warnings: unreadableWarnings(unreadable, partial) };
}

function tooMany(
  { store }: Restic,
  { resource, run }: BackupRequest,
  found: readonly Snapshot[],
): HoldfastError {
  const ids = found.map(({ id }) => id.slice(0, 8)).join(', ');
  const message = `The store "${store}" holds ${found.length} copies of "${resource}" by the run ${run} (${ids}), where there must be one. Look at them with restic`;
  return new HoldfastError('HF_COPY_NOT_PROVED', message);
}
