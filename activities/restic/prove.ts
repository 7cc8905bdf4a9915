import { HoldfastError } from '../../contracts/errors.js';
import type { Copy } from '../../contracts/jobs.js';
import { addEvidence, provedCopies, provedParts, readEvidence, refusedCopies } from '../host/evidence.js';
import type { BackupRequest } from './backup.js';
import type { Restic } from './driver.js';
import type { Snapshot } from './parse.js';
import { type Counts, whyImplausible } from './plausible.js';
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
  checkPaths(restic, request, made.snapshot);
  await request.checkSource();
  await checkCounts(restic, request, earlier, made);
  const { job, run, resource } = request;
  const copy: Copy = {
    resource,
    store: restic.store,
    snapshot: made.snapshot.id,
    restorePoint: new Date(made.snapshot.time).toISOString(),
    files: made.files,
    bytes: made.bytes,
    bytesAdded: made.bytesAdded,
    warnings: made.files === 0 ? [...made.warnings, 'The copy holds no file'] : made.warnings,
    ...(made.adopted && { adopted: true }),
  };
  await addEvidence(restic.host, { kind: 'copy', run, job, ...copy });
  const unknownTool = unknownVersion(made.snapshot.program);
  return unknownTool === undefined ? copy : { ...copy, unknownTool };
}

/** restic up to 0.18 leaves a path out that does not exist, and ends with 0. */
function checkPaths({ store }: Restic, { resource, directory }: BackupRequest, { paths }: Snapshot): void {
  if (paths.length === 1 && paths[0] === directory) return;
  const message = `The copy of "${resource}" in "${store}" holds ${JSON.stringify(paths)} where ${directory} was planned`;
  throw new HoldfastError('HF_COPY_NOT_PROVED', message.slice(0, 300), { paths });
}

async function checkCounts(
  { host, store }: Restic,
  request: BackupRequest,
  earlier: readonly Snapshot[],
  made: Made,
): Promise<void> {
  const { job, run, resource } = request;
  const evidence = await readEvidence(host);
  const proved = provedCopies(evidence, { job, resource, store });
  const refused = refusedCopies(evidence, { job, resource, store });
  const summaries = earlier.filter(({ id }) => id !== made.snapshot.id && !refused.has(id));
  const known = proved.length > 0 ? proved : summaries.flatMap(({ summary }) => summary ?? []);
  // A first upload of weeks: a source that was emptied under it must not become the first copy.
  const measure = known.length > 0 ? known : provedParts(evidence, { job, resource, store }).slice(-1);
  const why = whyImplausible(made, measure, request.mustHoldFiles);
  if (why === undefined || request.acceptCounts) return;
  const { files, bytes } = made;
  const snapshot = made.snapshot.id;
  await addEvidence(host, { kind: 'copy-refused', run, job, resource, store, snapshot, files, bytes });
  throw new HoldfastError(
    'HF_COPY_IMPLAUSIBLE',
    `The new copy of "${resource}" in "${store}" is not believed: ${why}. Look at the source; if it is right so, run the job with --accept-counts once`,
    { resource, store, snapshot, files },
  );
}
