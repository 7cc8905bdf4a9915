import type { Restic } from './driver.js';
import { countListing } from './listing.js';
import type { Snapshot } from './parse.js';
import type { Made } from './prove.js';
import { type BackupRequest, backupArguments, runBackup, unreadableWarnings } from './run-backup.js';

/**
 * Takes over the copy that an earlier attempt of this run made. Nobody saw how that restic ended, so the copy may lack files:
 * a dry run against it tells what of the source it does not hold.
 */
export async function adoptCopy(restic: Restic, request: BackupRequest, snapshot: Snapshot): Promise<Made> {
  restic.log(`An earlier attempt of this run has made ${snapshot.id}: comparing it with the source`);
  const question = { ...backupArguments(restic, request), parent: snapshot.id, dryRun: true };
  const { summary, unreadable, partial } = await runBackup(
    restic,
    question,
    'comparing the copy with the source',
  );
  const { files, bytes } = await countListing(restic, snapshot.id);
  const notThere = (summary?.filesNew ?? 0) + (summary?.filesChanged ?? 0);
  const warnings = unreadableWarnings(unreadable, partial).slice(0, 19);
  if (!summary) warnings.push('The copy of an earlier attempt could not be compared with the source');
  if (notThere > 0) {
    warnings.push(`${notThere} files of the source are not in the copy, or changed after it was made`);
  }
  return { snapshot, files, bytes, bytesAdded: 0, warnings, adopted: true };
}
