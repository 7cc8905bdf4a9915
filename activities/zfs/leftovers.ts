import { storesOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import { isAtOrBelow } from './dataset-names.js';
import { selectionOf } from './job.js';
import type { Mark } from './marks.js';
import { cursorName, destinationOf, fits, shortOf, unparked, wayBackOf } from './replicate-names.js';
import { pathSelector } from './select-paths.js';

/** Which marks nobody will take away: of a job, store or resource that was taken out or renamed, or of a run that its host has forgotten. Pure. */

/** One side of one replication of the configuration, on one host. */
export interface Claim {
  root: string;
  side: 'source' | 'target';
  /** As they stand in its tags and bookmarks: there and back. */
  names: ReadonlySet<string>;
  destination: string;
  /** Where its replica is. */
  replica: string;
  /** Datasets below the root (by their names from there) that never travel. */
  excludes: (below: string) => boolean;
}

/** Everything that replications of this file may have on a host. */
export function claimsOn(config: Config, host: string): Claim[] {
  return Object.values(config.jobs).flatMap((job) => {
    if (job.kind !== 'zfs-replication') return [];
    return job.resources.flatMap((resource) =>
      storesOf(job).flatMap((store) => claimsOf(config, host, { resource, store })),
    );
  });
}

function claimsOf(config: Config, host: string, of: { resource: string; store: string }): Claim[] {
  const selection = selectionOf(config, of.resource);
  const place = config.stores[of.store]?.zfs;
  const { excludes } = pathSelector(selection);
  const destination = destinationOf(of);
  const replica = `${place?.dataset}/${of.resource}`;
  const names = new Set([destination, wayBackOf(of)].map(shortOf));
  const claim = { names, destination, replica, excludes };
  return [
    ...(config.resources[of.resource]?.host === host
      ? [{ ...claim, root: selection.dataset, side: 'source' as const }]
      : []),
    ...(place?.host === host ? [{ ...claim, root: replica, side: 'target' as const }] : []),
  ];
}

/** What was parked stays what it was. */
const covers = ({ root }: Claim, { dataset }: Mark): boolean => isAtOrBelow(unparked(dataset), root);

const belongs = (claim: Claim, mark: Mark): boolean =>
  mark.kind !== 'reading' &&
  covers(claim, mark) &&
  !isLeftBehind(claim, mark) &&
  (mark.destination === undefined || claim.names.has(mark.destination));

/**
 * What the file leaves out by now is sent to nobody, and nobody's stream ends on what was parked: what stands there would stand for ever.
 * A source is fenced only while it stands by, or while it is sent back: what was freed by hand since then has no use for it.
 */
function isLeftBehind({ side, root, excludes }: Claim, { kind, dataset, isUseless }: Mark): boolean {
  if (side === 'target') return kind === 'fence' && dataset !== unparked(dataset);
  return kind === 'fence' ? isUseless === true : excludes(dataset.slice(root.length + 1));
}

/** What belongs to nothing of the file, in the order of the listing. */
export const leftoversIn = (marks: readonly Mark[], claims: readonly Claim[]): Mark[] =>
  marks.filter((mark) => !claims.some((claim) => belongs(claim, mark)));

/** What this machine has replicated once: by the destination as tags and bookmarks have it. */
export type Remembered = ReadonlyMap<
  string,
  {
    resource: string;
    store: string;
    /** Where the replica was when it was last looked at. */
    root: string | undefined;
  }
>;

/** Whether the state folder of this worker knows that it has made it; for a fence that guards nothing nobody needs to be asked. */
export function isRemembered(
  { kind, dataset, destination, isUseless }: Mark,
  remembered: Remembered,
): boolean {
  if (destination !== undefined) return remembered.has(destination);
  if (kind === 'reading') return false;
  const isIn = (root: string | undefined): boolean =>
    root !== undefined && isAtOrBelow(unparked(dataset), root);
  return isUseless === true || [...remembered.values()].some(({ root }) => isIn(root));
}

export interface Judging {
  /** All that stands on a dataset, leftovers or not. */
  marksOn: (dataset: string) => readonly Mark[];
  claims: readonly Claim[];
  remembered: Remembered;
  /** Which runs are known to be over; any other may be sending, or reading. */
  endedRuns: readonly string[];
  /** A human has said that no other holdfast.yaml uses what nobody here remembers. */
  alsoUnknown: boolean;
}

/** Why one of the leftovers stays for now; undefined when nothing needs it. */
export function whyItStays(mark: Mark, judging: Judging): string | undefined {
  const user = usingRun(mark, judging);
  if (user !== undefined) return `${user} may still be ${mark.kind === 'reading' ? 'reading' : 'sending'}`;
  const base = whyBaseStays(mark, judging);
  if (base !== undefined) return base;
  if (judging.alsoUnknown || isRemembered(mark, judging.remembered)) return undefined;
  return 'nothing on this machine tells that it was made here, so another holdfast.yaml may use it: with --set unknown=release it goes too';
}

/** The run of a hold, and for a bookmark the run that holds something of the same dataset for the same destination. */
export function usingRun(mark: Mark, { marksOn, endedRuns }: Judging): string | undefined {
  if (mark.kind === 'reading') return endedRuns.includes(mark.run ?? '') ? undefined : mark.run;
  if (mark.destination === undefined) return undefined;
  return marksOn(mark.dataset).find(
    ({ destination, run }) =>
      destination === mark.destination && run !== undefined && !endedRuns.includes(run),
  )?.run;
}

/**
 * Under a new name the old replica is gone on with, and the old bookmark may be all that both sides still have in common: until the
 * destination that goes on has a base of its own that is as new, it stays.
 */
function whyBaseStays(mark: Mark, { marksOn, claims, remembered }: Judging): string | undefined {
  if (mark.kind === 'fence' || mark.kind === 'reading') return undefined;
  const before = remembered.get(mark.destination ?? '');
  const bases = marksOn(mark.dataset).filter(({ kind }) => kind === 'cursor');
  for (const { root, side, names, excludes, destination, replica } of claims) {
    const below = mark.dataset.slice(root.length + 1);
    if (side !== 'source' || !isAtOrBelow(mark.dataset, root) || excludes(below)) continue;
    const own = bases.filter((base) => names.has(base.destination ?? ''));
    if (own.length === 0) return whyNoBase(mark, destination);
    const isElsewhere = before?.root !== undefined && before.root !== replica;
    if (!isElsewhere && !own.some(({ createtxg }) => createtxg >= mark.createtxg))
      return `${destination} has no base there that is as new: run its job first`;
  }
  return undefined;
}

const whyNoBase = ({ dataset, guid }: Mark, destination: string): string =>
  fits(dataset, cursorName(destination, guid))
    ? `${destination} has no base of its own there yet: run its job first`
    : `the name is too long for a base of ${destination}`;
