import { createHash } from 'node:crypto';

/** What a run covers, so that status never takes the copy in one store for a copy in another that was added since. */

/** SQL visibility keeps 255 characters of a keyword. */
const longest = 250;

/** A name, and where it leads: another directory or repository under the same name is another thing. */
export interface Placed {
  name: string;
  place: string;
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const written = (things: readonly Placed[]): string =>
  `${things.map(({ name }) => name).join('>')}@${digestOf(things.map(({ place }) => place).join('\n')).slice(0, 8)}`;

/** `photos>b2@1f3a9c2e …` for a backup or a replication, `b2@1f3a9c2e …` for what works on stores or on resources alone; a digest when that is too long. */
export function coversOf(operation: string, resources: readonly Placed[], stores: readonly Placed[]): string {
  const parts =
    operation === 'backup' || operation === 'replicate'
      ? resources.flatMap((resource) => stores.map((store) => written([resource, store])))
      : (stores.length > 0 ? stores : resources).map((one) => written([one]));
  const text = parts.sort().join(' ');
  return text.length <= longest ? text : `#${digestOf(text).slice(0, 32)}`;
}
