import { normalize } from 'node:path';
import type { FolderResource } from '../../config/lookup.js';
import { tags } from '../../contracts/names.js';
import { type BackupArguments, backupVerb } from './command.js';
import { copyTags, type Restic, runRestic } from './driver.js';
import { ownNamesInside } from './in-place.js';
import { type BackupSummary, parseBackupLine } from './parse.js';
import { followProgress } from './progress.js';

/** One `restic backup`, real or dry: what it is asked, and what it said. */

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
  /** The first copy is not made: it is to be uploaded by portions before. */
  seedFirst?: boolean;
  /** The first copy stands on the parts that were uploaded before it. */
  isSeeded?: boolean;
  /** The parts go as soon as the first copy is proved, and not with the next prune. */
  removesParts?: boolean;
  /** The moment that a frozen source holds; else that of the copy. */
  restorePoint?: string;
  /** What must lie in the planned path, and nothing else: asked of the copy. */
  folders?: readonly string[];
  /** Throws when the source went away while it was being copied. */
  checkSource(): Promise<void>;
}

/** restic writes paths down cleaned. */
export const asResticWrites = (path: string): string => normalize(path).replace(/(?<=.)\/+$/, '');

/** Ours come last: a pattern of the job that takes things back in does not reach them. */
export const leftOut = (
  { directory, restoreInPlace }: FolderResource,
  exclude: readonly string[],
): string[] => [...exclude, ...(restoreInPlace ? ownNamesInside(asResticWrites(directory)) : [])];

/** The arguments of the copy; a dry run asks with the very same. */
export const backupArguments = ({ host }: Restic, request: BackupRequest): BackupArguments => ({
  host: host.name,
  tags: ['holdfast', ...copyTags(request.job, request.resource), tags.run(request.run)],
  exclude: request.exclude,
  paths: [request.directory],
});

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
