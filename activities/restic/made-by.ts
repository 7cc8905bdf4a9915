import type { Snapshot } from './parse.js';

/**
 * Tags name job, resource and run, and two machines that know nothing of each other may use the same names in one repository. What a
 * backup takes for its own, and what retention may remove, is of its own host alone; a restore may take what a former name has left.
 */

export const madeBy = (host: string, listing: readonly Snapshot[]): Snapshot[] =>
  listing.filter(({ hostname }) => hostname === host);

/** The names of all other hosts in a listing. */
export const otherHosts = (host: string, listing: readonly Snapshot[]): string[] =>
  [...new Set(listing.map(({ hostname }) => hostname))].filter((name) => name !== host).toSorted();
