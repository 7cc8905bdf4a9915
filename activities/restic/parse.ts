import { HoldfastError } from '../../contracts/errors.js';

/** What restic prints, taken apart. Tested on outputs of real versions: 0.14 names, omits and shortens things that 0.18 does not. */

export interface BackupStatus {
  kind: 'status';
  bytesDone: number;
  bytesTotal: number;
  filesDone: number;
  filesTotal: number;
  secondsLeft?: number;
}
export interface BackupSummary {
  kind: 'summary';
  /** 0.14 gives the first 8 characters only. */
  snapshot: string;
  files: number;
  bytes: number;
  bytesAdded: number;
  filesNew: number;
  filesChanged: number;
}
export interface ItemError {
  kind: 'error';
  item: string;
  /** Empty before 0.17.1, which printed `"error": {}`. */
  message: string;
}
export interface ExitError {
  kind: 'exit_error';
  code: number;
  message: string;
}
export type ResticLine = BackupStatus | BackupSummary | ItemError | ExitError;

type Json = Record<string, unknown>;
const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Reads a line as a JSON object; undefined for the plain words that restic mixes in. */
export function jsonObject(line: string): Json | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Json;
  } catch {
    return undefined;
  }
}

/** One line of `backup --json`, from standard output or standard error. */
export function parseBackupLine(line: string): ResticLine | undefined {
  const json = jsonObject(line);
  switch (json?.message_type) {
    case 'status':
      return backupStatus(json);
    case 'summary':
      return backupSummary(json);
    case 'error':
      return { kind: 'error', item: text(json.item), message: text((json.error as Json | null)?.message) };
    case 'exit_error':
      return { kind: 'exit_error', code: number(json.code), message: text(json.message) };
    default:
      return undefined;
  }
}

const backupStatus = (json: Json): BackupStatus => ({
  kind: 'status',
  bytesDone: number(json.bytes_done),
  bytesTotal: number(json.total_bytes),
  filesDone: number(json.files_done),
  filesTotal: number(json.total_files),
  ...(json.seconds_remaining === undefined ? {} : { secondsLeft: number(json.seconds_remaining) }),
});

const backupSummary = (json: Json): BackupSummary => ({
  kind: 'summary',
  snapshot: text(json.snapshot_id),
  files: number(json.total_files_processed),
  bytes: number(json.total_bytes_processed),
  // What went over the line is the packed size; 0.14 to 0.16 know only the size before compression.
  bytesAdded: number(json.data_added_packed ?? json.data_added),
  filesNew: number(json.files_new),
  filesChanged: number(json.files_changed),
});

export interface Snapshot {
  id: string;
  /** ISO 8601 with the zone of the machine that made it. */
  time: string;
  paths: string[];
  tags: string[];
  hostname: string;
  /** "restic 0.18.0": what made it; from 0.16 on. */
  program?: string;
  /** From 0.17 on. */
  summary?: { files: number; bytes: number };
}

/** `snapshots --json`, oldest first. */
export function parseSnapshots(stdout: string): Snapshot[] {
  const list = parseJson(stdout, 'snapshots') as Json[] | null;
  return (list ?? []).map(snapshot).sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
}

function snapshot(json: Json): Snapshot {
  const summary = json.summary as Json | undefined;
  return {
    id: text(json.id),
    time: text(json.time),
    paths: (json.paths as string[] | null) ?? [],
    tags: (json.tags as string[] | null) ?? [],
    hostname: text(json.hostname),
    ...(json.program_version === undefined ? {} : { program: text(json.program_version) }),
    ...(summary
      ? {
          summary: {
            files: number(summary.total_files_processed),
            bytes: number(summary.total_bytes_processed),
          },
        }
      : {}),
  };
}

export interface ForgetPlan {
  keep: string[];
  remove: string[];
  /** Why a snapshot is kept, in restic's words. */
  reasons: Map<string, string[]>;
}

/** `forget --dry-run --json` with everything in one group; no snapshots at all give an empty plan. */
export function parseForget(stdout: string): ForgetPlan {
  const plan: ForgetPlan = { keep: [], remove: [], reasons: new Map() };
  const groups = stdout.trim() === '' ? [] : ((parseJson(stdout, 'forget') as Json[] | null) ?? []);
  for (const group of groups) {
    plan.keep.push(...ids(group.keep));
    plan.remove.push(...ids(group.remove));
    for (const reason of (group.reasons as Json[] | null) ?? []) {
      plan.reasons.set(text((reason.snapshot as Json | null)?.id), (reason.matches as string[] | null) ?? []);
    }
  }
  // Older ones leave the id out of the snapshot in "reasons": the order is that of "keep".
  if (plan.reasons.has('')) plan.reasons = reasonsByOrder(groups);
  return plan;
}

const ids = (list: unknown): string[] => ((list as Json[] | null) ?? []).map((entry) => text(entry.id));

function reasonsByOrder(groups: Json[]): Map<string, string[]> {
  return new Map(
    groups.flatMap((group) => {
      const reasons = (group.reasons as Json[] | null) ?? [];
      return ids(group.keep).map((id, index) => [id, (reasons[index]?.matches as string[] | null) ?? []]);
    }),
  );
}

/** One line of `restore --json` (0.16 and newer). */
export function parseRestoreLine(line: string): BackupStatus | ItemError | undefined {
  const json = jsonObject(line);
  if (json?.message_type === 'error') {
    return { kind: 'error', item: text(json.item), message: text((json.error as Json | null)?.message) };
  }
  if (json?.message_type !== 'status') return undefined;
  return {
    kind: 'status',
    bytesDone: number(json.bytes_restored) + number(json.bytes_skipped),
    bytesTotal: number(json.total_bytes),
    filesDone: number(json.files_restored) + number(json.files_skipped),
    filesTotal: number(json.total_files),
  };
}

const sizeUnits: Record<string, number> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** How much `prune` says it freed, in bytes; -1 when it does not say. */
export function parsePruned(stdout: string): number {
  const [, amount, unit] = /^total prune:\s+\d+ blobs \/ ([\d.]+) ([KMGT]?i?B)/m.exec(stdout) ?? [];
  return amount ? Math.round(Number(amount) * (sizeUnits[unit ?? 'B'] ?? 1)) : -1;
}

/** "restic 0.14.0 compiled with …" -> [0, 14, 0]. */
export function parseVersion(stdout: string): readonly [number, number, number] {
  const [, major, minor, patch] = /restic (\d+)\.(\d+)\.(\d+)/.exec(stdout) ?? [];
  if (!major) throw new HoldfastError('HF_TOOL_FAILED', `This is not restic: ${stdout.slice(0, 80)}`);
  return [Number(major), Number(minor), Number(patch)];
}

/** Whether a version has what came with `major.minor`. */
export const isAtLeast = ([major, minor]: readonly number[], wanted: readonly [number, number]): boolean =>
  (major ?? 0) > wanted[0] || (major === wanted[0] && (minor ?? 0) >= wanted[1]);

/** The repository's id, from `cat config`. */
export const parseRepositoryId = (stdout: string): string =>
  text((parseJson(stdout, 'cat config') as Json).id);

function parseJson(stdout: string, verb: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch (cause) {
    const message = `restic ${verb} printed something that is not JSON: ${stdout.slice(0, 80)}`;
    throw new HoldfastError('HF_TOOL_FAILED', message, {}, { cause });
  }
}
