import type { Config } from '../config/schema.js';
import { HoldfastError } from '../contracts/errors.js';
import { parseRunId } from '../contracts/names.js';
import { findHost, shown, workerOfResource } from './jobs.js';
import { parseTime } from './time.js';

/** What a restore is asked with, whatever kind of job it is of. Pure. */

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
  /** Of a snapshot: as datasets beside the original. */
  clone?: boolean;
  undo?: string;
  mapIds: readonly string[];
  compareAttributes: boolean;
}

export const usage = (message: string): HoldfastError => new HoldfastError('HF_USAGE', message);

/** The one there is, or the one that was named; several and none named is a question back, never a guess. */
export function oneOf(
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

/** A host and what is named on it. */
export function placeOf(config: Config, to: string | undefined): { host: string; target: string } {
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

/** The resource's own host decides again; asked here so that nobody waits for a no. */
export function ownPlace(config: Config, resource: string): { host: string; target: string } {
  if (config.resources[resource]?.restoreInPlace)
    return { host: workerOfResource(config, resource), target: '' };
  const message = `"${resource}" may not be restored in place: holdfast.yaml does not say so. Nothing was touched`;
  throw new HoldfastError('HF_TARGET_REFUSED', message, {
    next: `Set resources.${resource}.restoreInPlace: true, or restore beside with --to HOST:DIR`,
  });
}

/** A run of this job, as it is typed. */
export function runOf(job: string, text: string): string {
  if (parseRunId(text)?.job === job) return text;
  throw new HoldfastError('HF_RUN_NOT_FOUND', `"${shown(text)}" is no run of the job "${job}"`, {
    next: `"holdfast runs ${job}" lists its runs`,
  });
}
