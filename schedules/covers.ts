import { createHash } from 'node:crypto';
import { longestCovers } from '../contracts/covers.js';

/** What a run covers, so that status never takes the copy in one store for a copy in another that was added since. */

/** A name, and where it leads: another directory or repository under the same name is another thing. */
export interface Placed {
  name: string;
  place: string;
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const written = (things: readonly Placed[]): string =>
  `${things.map(({ name }) => name).join('>')}@${digestOf(things.map(({ place }) => place).join('\n')).slice(0, 8)}`;

/** Of a part: 36 bits tell the pairs of one job apart. */
const short = (part: string): string =>
  `~${createHash('sha256').update(part).digest('base64url').slice(0, 6)}`;

interface Covered {
  resources: readonly Placed[];
  stores: readonly Placed[];
}

const partsFor = (operation: string, { resources, stores }: Covered): string[] =>
  operation === 'backup' || operation === 'replicate'
    ? resources.flatMap((resource) => stores.map((store) => written([resource, store])))
    : (stores.length > 0 ? stores : resources).map((one) => written([one]));

/**
 * `photos>b2@1f3a9c2e …` for a backup or a replication, `b2@1f3a9c2e …` for what works on stores or on resources alone; digests when that is too
 * long. `whole` is all that the job has: a run of a part of it is written in the same way, so that the two can be compared.
 */
export function coversOf(operation: string, covered: Covered, whole = covered): string {
  const plain = (parts: readonly string[]): string => parts.toSorted().join(' ');
  // In the order of the pairs: who knows them can still tell which digest is whose.
  const digests = (parts: readonly string[]): string => parts.map(short).join(' ');
  const parts = partsFor(operation, covered);
  const all = partsFor(operation, whole);
  if (plain(all).length <= longestCovers) return plain(parts);
  if (digests(all).length <= longestCovers) return digests(parts);
  return `#${digestOf(plain(parts)).slice(0, 32)}`;
}
