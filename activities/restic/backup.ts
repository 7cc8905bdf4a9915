import { normalize } from 'node:path';
import { HoldfastError } from '../../contracts/errors.js';
import type { Copy, StepInput } from '../../contracts/jobs.js';
import { tags } from '../../contracts/names.js';
import type { Tools } from '../door.js';
import { provedCopies, readEvidence } from '../host/evidence.js';
import { checkSourceThere, guardSource } from '../host/guard.js';
import { whatIsRead } from '../zfs/read-source.js';
import { adoptCopy } from './adopt.js';
import { type BackupArguments, backupVerb } from './command.js';
import { copyTags, listSnapshots, openRestic, type Restic, removeStaleLocks, runRestic } from './driver.js';
import { checkHostOf, checkRunOfJob, jobWith } from './job.js';
import { type BackupSummary, parseBackupLine, type Snapshot } from './parse.js';
import { followProgress } from './progress.js';
import { type Made, proveCopy } from './prove.js';
import { newestPart } from './seed-parts.js';
import { beginSparseNote } from './sparse-note.js';
import { refuseOldVersion } from './versions.js';

/** One resource into one store: look, copy, look again. Two restic starts besides the copy itself. */

/** What is copied under which tags. */
export interface BackupRequest {
  job: string;
  run: string;
  resource: string;
  /** The one planned path, as restic writes it down. */
  directory: string;
  exclude: readonly string[];
  /** The configuration demands that the source holds something. */
  mustHoldFiles: boolean;
  acceptCounts: boolean;
  /** The first copy stands on the parts that were uploaded before it. */
  isSeeded?: boolean;
  /** The moment that a frozen source holds; else that of the copy. */
  restorePoint?: string;
  /** What must lie in the planned path, and nothing else: asked of the copy. */
  folders?: readonly string[];
  /** Throws when the source went away while it was being copied. */
  checkSource(): Promise<void>;
}

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
    exclude: job.exclude,
    mustHoldFiles: (least.files ?? 0) > 0 || (least.bytes ?? 0) > 0,
    acceptCounts: input.acceptCounts ?? false,
    isSeeded: job.seeding !== undefined,
    checkSource: async () => {
      await checkSourceThere(guarded);
      await frozen?.check();
    },
    ...(frozen && { restorePoint: frozen.restorePoint, folders: frozen.folders }),
  });
  return copy.finally(() => noting.end());
}

/** restic writes paths down cleaned. */
export const asResticWrites = (path: string): string => normalize(path).replace(/(?<=.)\/+$/, '');

/** The procedure by itself, for who has no configuration at hand. */
export async function backup(restic: Restic, request: BackupRequest): Promise<Copy> {
  await refuseOldVersion(restic);
  await removeStaleLocks(restic);
  restic.progress({ phase: 'asking the store' });
  const earlier = await listSnapshots(restic, copyTags(request.job, request.resource));
  const own = earlier.filter((snapshot) => snapshot.tags.includes(tags.run(request.run)));
  if (own.length > 1) throw tooMany(restic, request, own);
  const [found] = own;
  if (!found) {
    const parent = request.isSeeded && earlier.length === 0 ? await newestPart(restic, request) : undefined;
    return proveCopy(restic, request, earlier, await makeCopy(restic, request, parent));
  }
  return (
    (await provedBefore(restic, request, found)) ??
    proveCopy(restic, request, earlier, await adoptCopy(restic, request, found))
  );
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

/** The arguments of the copy; a dry run asks with the very same. */
export const backupArguments = ({ host }: Restic, request: BackupRequest): BackupArguments => ({
  host: host.name,
  tags: ['holdfast', ...copyTags(request.job, request.resource), tags.run(request.run)],
  exclude: request.exclude,
  paths: [request.directory],
});

/** Runs the copy and gathers what restic said about it. */
async function makeCopy(restic: Restic, request: BackupRequest, parent?: Snapshot): Promise<Made> {
  const asked = { ...backupArguments(restic, request), ...(parent && { parent: parent.id }) };
  const { summary, unreadable, partial } = await runBackup(restic, asked, 'copying');
  if (!summary) {
    const message = `restic ended well for "${request.resource}" into "${restic.store}", but never said what it made`;
    throw new HoldfastError('HF_COPY_NOT_PROVED', message);
  }
  const found = await listSnapshots(restic, [
    ...copyTags(request.job, request.resource),
    tags.run(request.run),
  ]);
  const [snapshot] = found;
  if (found.length > 1) throw tooMany(restic, request, found);
  if (!snapshot?.id.startsWith(summary.snapshot) || summary.snapshot === '') {
    const message = `restic says that it saved "${request.resource}" into "${restic.store}", but the store does not show the copy of this run`;
    throw new HoldfastError('HF_COPY_NOT_PROVED', message, { said: summary.snapshot });
  }
  const { files, bytes, bytesAdded } = summary;
  return { snapshot, files, bytes, bytesAdded, warnings: unreadableWarnings(unreadable, partial) };
}

export interface Heard {
  summary: BackupSummary | undefined;
  /** Each once, in the order in which restic met them. */
  unreadable: string[];
  partial: boolean;
}

/** Runs `backup`, real or dry, with its progress and its complaints. */
export async function runBackup(restic: Restic, request: BackupArguments, phase: string): Promise<Heard> {
  let summary: BackupSummary | undefined;
  const unreadable = new Set<string>();
  const onStatus = followProgress(restic, phase);
  const { partial } = await runRestic(restic, backupVerb(request), {
    // An attempt that was taken for dead may live and copy now: what was listed before would no longer hold, and there would be two copies.
    lockTaken: request.dryRun ? 'wait' : 'refuse',
    onLine: (line) => {
      const parsed = parseBackupLine(line);
      if (parsed?.kind === 'status') onStatus(parsed);
      if (parsed?.kind === 'summary') summary = parsed;
      if (parsed?.kind === 'error') unreadable.add(parsed.item);
      // 0.14 to 0.18 only mumble this, and end with 0.
      const [, gone] = /^(.*) does not exist, skipping$/.exec(line) ?? [];
      if (gone) unreadable.add(gone);
    },
  });
  return { summary, unreadable: [...unreadable], partial };
}

const namedAtMost = 19;

/** Which files are missing, for humans: at most 20 entries, the log has all. */
export function unreadableWarnings(items: readonly string[], partial: boolean): string[] {
  if (items.length === 0) {
    return partial ? ['restic could not read some of the source, and did not say what; see the log'] : [];
  }
  const named = items.slice(0, namedAtMost).map((item) => `Could not be read, not in the copy: ${item}`);
  const more = items.length - named.length;
  return more > 0 ? [...named, `… and ${more} more that could not be read; the log names them all`] : named;
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
