/**
 * What a run covers, as it is written into HfCovers: `photos>b2@1f3a9c2e music>b2@77aa01bc`. Too long for that, each part is `~` and a digest,
 * in the order of the pairs; too many even for that, all of it is one digest that begins with "#".
 */

export interface Pair {
  resource: string;
  store: string;
}

/** SQL visibility keeps 255 characters of a keyword. */
export const longestCovers = 250;

/** The parts that can be told apart; a digest of all is one. */
export const partsOf = (covers: string): string[] => covers.split(' ').filter((part) => part !== '');

/** Undefined for what is no copy of a resource in a store, and for a digest. */
export function pairOf(part: string): Pair | undefined {
  const [, resource, store] = /^([a-z0-9-]+)>([a-z0-9-]+)@/.exec(part) ?? [];
  return resource && store ? { resource, store } : undefined;
}

/** In the order in which digests of them stand. */
export const pairsOf = (resources: readonly string[], stores: readonly string[]): Pair[] =>
  resources.flatMap((resource) => stores.map((store) => ({ resource, store })));

/** Each part with the pair that it stands for, if that can be told; `pairs` are all that the run covers. */
export function readCovers(covers: string, pairs: readonly Pair[]): { part: string; pair?: Pair }[] {
  const parts = partsOf(covers);
  return parts.map((part, at) => {
    const byPlace = part.startsWith('~') && parts.length === pairs.length ? pairs[at] : undefined;
    const pair = pairOf(part) ?? byPlace;
    return pair ? { part, pair } : { part };
  });
}

/** Only the meant pairs; undefined when none is left, or they cannot be told apart. */
export function coverOnly(
  covers: string,
  pairs: readonly Pair[],
  isMeant: (pair: Pair) => boolean,
): string | undefined {
  const left = readCovers(covers, pairs).filter(({ pair }) => pair !== undefined && isMeant(pair));
  return left.length > 0 ? left.map(({ part }) => part).join(' ') : undefined;
}

const minuteMs = 60_000;

/** `photos>b2@1f3a9c2e!ht2k0`: a part whose state is of another moment than the others', in minutes. As it was where that is too long. */
export function withPoints(
  covers: string,
  pairs: readonly Pair[],
  since: (pair: Pair) => Date | undefined,
): string {
  const dated = readCovers(covers, pairs).map(({ part, pair }) => {
    const point = pair && since(pair);
    return point ? `${part}!${Math.floor(point.getTime() / minuteMs).toString(36)}` : part;
  });
  const text = dated.join(' ');
  return text.length <= longestCovers ? text : covers;
}

/** A part and its own moment, where it has one. */
export function splitPoint(part: string): { part: string; point?: Date } {
  const [, plain, minutes] = /^(.*)!([0-9a-z]{1,8})$/.exec(part) ?? [];
  if (!plain || !minutes) return { part };
  return { part: plain, point: new Date(Number.parseInt(minutes, 36) * minuteMs) };
}
