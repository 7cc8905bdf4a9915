import { storesOf } from '../config/lookup.js';
import type { Config, JobConfig } from '../config/schema.js';
import { HoldfastError } from '../contracts/errors.js';
import { parseIdMap } from '../contracts/id-map.js';
import type { RestoreInput } from '../contracts/jobs.js';
import { parseRunId } from '../contracts/names.js';
import { limitsOf } from '../schedules/compile.js';
import { findHost, findJob, shown, workerOfResource } from './jobs.js';
import { parseTime } from './time.js';

/** What was typed. */
export interface RestoreWords {
  what: string;
  to?: string;
  store?: string;
  copy?: string;
  at?: string;
  paths: readonly string[];
  first: readonly string[];
  approved: boolean;
  inPlace: boolean;
  undo?: string;
  mapIds: readonly string[];
  compareAttributes: boolean;
}

/** From the words of the command line to the workflow's input, or to what is wrong with them. Pure. */
export function restoreInput(config: Config, words: RestoreWords): RestoreInput {
  const [jobName = '', ...resource] = words.what.split('/');
  const job = findJob(config, jobName);
  checkKind(jobName, job);
  checkTogether(words);
  const wanted = oneOf(
    'resource',
    jobName,
    job.resources,
    resource.length > 0 ? resource.join('/') : undefined,
  );
  const { host, target } =
    words.inPlace || words.undo !== undefined ? ownPlace(config, wanted) : placeOf(config, words.to);
  parseIdMap(words.mapIds);
  if (words.copy !== undefined && words.at !== undefined)
    throw usage('--copy and --at exclude each other: one names a copy, the other a moment');
  return {
    job: jobName,
    resource: wanted,
    store: oneOf('store', jobName, storesOf(job), words.store ?? (words.undo && storesOf(job)[0])),
    host,
    target,
    paths: words.paths.map(relativePath),
    ...(words.copy !== undefined && { copy: copyId(words.copy) }),
    ...(words.at !== undefined && { at: moment(words.at) }),
    ...(words.first.length > 0 && { first: words.first.map(relativePath) }),
    ...(words.mapIds.length > 0 && { mapIds: [...words.mapIds] }),
    ...(words.compareAttributes && { compareAttributes: true }),
    ...(words.approved && { approved: true }),
    ...(words.inPlace && { inPlace: true }),
    ...(words.undo !== undefined && { undo: runOf(jobName, words.undo) }),
    limits: limitsOf(config, job as JobConfig),
  };
}

/** Snapshots lie where they were taken, and go back with the pool's own means. */
function checkKind(name: string, { kind }: JobConfig): void {
  if (kind === 'restic-backup') return;
  throw new HoldfastError('HF_USAGE', `The job "${name}" (${kind}) keeps nothing in a repository`, {
    next: 'Its snapshots lie below .zfs/snapshot of each dataset: copy the files from there',
  });
}

/** In place means the whole of it, and a way back takes nothing else. */
function checkTogether({ inPlace, undo, to, paths, first, copy, at, mapIds }: RestoreWords): void {
  if (first.length > 0 && (paths.length > 0 || inPlace || undo !== undefined))
    throw usage('--first goes with a whole restore to another place: not with --path, --in-place or --undo');
  if (
    undo !== undefined &&
    ((inPlace || to !== undefined || paths.length > 0 || mapIds.length > 0 || copy) ?? at)
  )
    throw usage('--undo takes nothing else: it brings back what the restore of that run moved aside');
  if (inPlace && to !== undefined) throw usage('--in-place and --to exclude each other');
  if (inPlace && paths.length > 0)
    throw usage(
      '--in-place restores a whole resource; with --path restore beside (--to) and put the files in place',
    );
}

/** The resource's own host decides again; asked here so that nobody waits for a no. */
function ownPlace(config: Config, resource: string): { host: string; target: string } {
  if (config.resources[resource]?.restoreInPlace)
    return { host: workerOfResource(config, resource), target: '' };
  const message = `"${resource}" may not be restored in place: holdfast.yaml does not say so. Nothing was touched`;
  throw new HoldfastError('HF_TARGET_REFUSED', message, {
    next: `Set resources.${resource}.restoreInPlace: true, or restore beside with --to HOST:DIR`,
  });
}

function runOf(job: string, text: string): string {
  if (parseRunId(text)?.job === job) return text;
  throw new HoldfastError('HF_RUN_NOT_FOUND', `"${shown(text)}" is no run of the job "${job}"`, {
    next: `"holdfast runs ${job}" lists its runs`,
  });
}

const usage = (message: string): HoldfastError => new HoldfastError('HF_USAGE', message);

/** The one there is, or the one that was named; several and none named is a question back, never a guess. */
function oneOf(
  kind: 'resource' | 'store',
  job: string,
  all: readonly string[],
  named: string | undefined,
): string {
  const [first] = all;
  if (named !== undefined && all.includes(named)) return named;
  if (named === undefined && first !== undefined && all.length === 1) return first;
  const list = all.join(', ');
  if (named !== undefined) throw usage(`The job "${job}" has no ${kind} "${shown(named)}"; it has: ${list}`);
  const how = kind === 'resource' ? `${job}/${first}` : `--store ${first}`;
  throw usage(`The job "${job}" has several ${kind}s: ${list}. Name one, for example ${how}`);
}

function placeOf(config: Config, to: string | undefined): { host: string; target: string } {
  if (to === undefined) throw usage('Say where to: --to HOST:DIR, for example --to nas:/tmp/restored');
  const [, host = '', target = ''] = /^([^:/]*):(.*)$/s.exec(to) ?? [];
  if (!host || !target.startsWith('/'))
    throw usage(`--to takes HOST:DIR with an absolute path, not "${shown(to)}"`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a path with NUL is cut short by the system
  if (/\u0000/.test(target)) throw usage('--to holds a NUL character');
  findHost(config, host);
  return { host, target };
}

/** Relative to the resource: an absolute path or one that climbs out could only be a mistake. */
export function relativePath(path: string): string {
  const parts = path.split('/');
  if (path === '' || path.startsWith('/') || parts.includes('..'))
    throw usage(`--path takes a path relative to the resource, not "${shown(path)}"`);
  return path;
}

/** An id or its beginning, as it is typed or pasted. */
export function copyId(text: string): string {
  const id = text.toLowerCase();
  if (/^[0-9a-f]{4,64}$/.test(id)) return id;
  throw usage(`--copy takes the id of a copy or its first characters (at least 4), not "${shown(text)}"`);
}

/** What --at takes, as ISO 8601. */
export function moment(text: string): string {
  const time = parseTime(text);
  if (time) return time.toISOString();
  throw usage(`--at takes a time such as "2026-11-19 12:00" or 2026-11-19T12:00:00Z, not "${shown(text)}"`);
}
