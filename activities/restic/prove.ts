import { errors, HoldfastError } from '../../contracts/errors.js';
import type { Copy } from '../../contracts/jobs.js';
import { addEvidence, provedCopies, provedParts, readEvidence, refusedCopies } from '../host/evidence.js';
import { listFolderVerb } from './command.js';
import { type Restic, runRestic } from './driver.js';
import { jsonObject, type Snapshot } from './parse.js';
import { type Counts, whyImplausible } from './plausible.js';
import type { BackupRequest } from './run-backup.js';
import { unknownVersion } from './versions.js';

/** What was found after the copy, before it is believed. */
export interface Made extends Counts {
  snapshot: Snapshot;
  bytesAdded: number;
  warnings: string[];
  adopted?: boolean;
}

/** Compares the copy with what was planned and with its elders; only then it becomes evidence. */
export async function proveCopy(
  restic: Restic,
  request: BackupRequest,
  earlier: readonly Snapshot[],
  made: Made,
): Promise<Copy> {
  const countsAccepted = await prove(restic, request, earlier, made).catch(async (error: unknown) => {
    await refuseCopy(restic, request, made, error);
    throw error;
  });
  const { job, run, resource } = request;
  const copy: Copy = {
    resource,
    store: restic.store,
    snapshot: made.snapshot.id,
    restorePoint: request.restorePoint ?? new Date(made.snapshot.time).toISOString(),
    files: made.files,
    bytes: made.bytes,
    bytesAdded: made.bytesAdded,
    warnings: made.files === 0 ? [...made.warnings, 'The copy holds no file'] : made.warnings,
    ...(made.adopted && { adopted: true }),
  };
  const accepted = countsAccepted ? { countsAccepted } : {};
  await addEvidence(restic.host, { kind: 'copy', run, job, ...copy, ...accepted });
  const unknownTool = unknownVersion(made.snapshot.program);
  return unknownTool === undefined ? copy : { ...copy, unknownTool };
}

/** True when a human had to accept its counts. */
async function prove(
  restic: Restic,
  request: BackupRequest,
  earlier: readonly Snapshot[],
  made: Made,
): Promise<boolean> {
  checkPaths(restic, request, made.snapshot);
  await request.checkSource();
  await checkFolders(restic, request, made.snapshot);
  return checkCounts(restic, request, earlier, made);
}

/** It stays in the store, where a restore would take it as the newest. What an outage kept from being proved, the next attempt proves. */
async function refuseCopy(
  { host, store, log }: Restic,
  { job, run, resource }: BackupRequest,
  made: Made,
  why: unknown,
): Promise<void> {
  if (!(why instanceof HoldfastError) || errors[why.code].retry !== 'never') return;
  const { files, bytes } = made;
  const snapshot = made.snapshot.id;
  const fact = { kind: 'copy-refused', run, job, resource, store, snapshot, files, bytes } as const;
  await addEvidence(host, fact).catch((error: unknown) =>
    log(`cannot note that ${snapshot} is refused: ${error instanceof Error ? error.message : error}`),
  );
}

/** restic up to 0.18 leaves a path out that does not exist, and ends with 0. */
function checkPaths({ store }: Restic, { resource, directory }: BackupRequest, { paths }: Snapshot): void {
  if (paths.length === 1 && paths[0] === directory) return;
  const message = `The copy of "${resource}" in "${store}" holds ${JSON.stringify(paths)} where ${directory} was planned`;
  throw new HoldfastError('HF_COPY_NOT_PROVED', message.slice(0, 300), { paths });
}

/** Each planned dataset has a folder of its own in the copy: one that was left out would else be missed by nobody. */
async function checkFolders(
  restic: Restic,
  { resource, directory, folders }: BackupRequest,
  { id }: Snapshot,
): Promise<void> {
  if (!folders) return;
  const { result } = await runRestic(restic, listFolderVerb(id, directory));
  const found = new Set(childrenIn(result.stdout, directory));
  const missing = folders.find((folder) => !found.has(folder));
  if (missing === undefined && found.size === folders.length) return;
  const what =
    missing === undefined ? `${found.size} folders where ${folders.length} were planned` : `no ${missing}`;
  const message = `The copy of "${resource}" in "${restic.store}" holds ${what}: not what was planned`;
  throw new HoldfastError('HF_COPY_NOT_PROVED', message.slice(0, 300));
}

/** Names directly in a folder, from what restic lists of it. */
export const childrenIn = (stdout: string, directory: string): string[] =>
  stdout.split('\n').flatMap((line) => {
    const path = jsonObject(line)?.path;
    if (typeof path !== 'string' || !path.startsWith(`${directory}/`)) return [];
    const name = path.slice(directory.length + 1);
    return name.includes('/') ? [] : [name];
  });

/** True when a human had to accept them: what came before is no measure any more. */
async function checkCounts(
  { host, store }: Restic,
  request: BackupRequest,
  earlier: readonly Snapshot[],
  made: Made,
): Promise<boolean> {
  const { job, resource } = request;
  const evidence = await readEvidence(host);
  const proved = sinceAccepted(provedCopies(evidence, { job, resource, store }));
  const refused = refusedCopies(evidence, { job, resource, store });
  const summaries = earlier.filter(({ id }) => id !== made.snapshot.id && !refused.has(id));
  const known = proved.length > 0 ? proved : summaries.flatMap(({ summary }) => summary ?? []);
  // A first upload of weeks: a source that was emptied under it must not become the first copy.
  const measure = known.length > 0 ? known : provedParts(evidence, { job, resource, store }).slice(-1);
  const why = whyImplausible(made, measure, request.mustHoldFiles);
  if (why === undefined) return false;
  if (request.acceptCounts) return true;
  const snapshot = made.snapshot.id;
  throw new HoldfastError(
    'HF_COPY_IMPLAUSIBLE',
    `The new copy of "${resource}" in "${store}" is not believed: ${why}. Look at the source; if it is right so, run the job with --accept-counts once`,
    { resource, store, snapshot, files: made.files },
  );
}

const sinceAccepted = <T extends { countsAccepted?: boolean }>(copies: T[]): T[] =>
  copies.slice(Math.max(0, copies.map(({ countsAccepted }) => countsAccepted === true).lastIndexOf(true)));
