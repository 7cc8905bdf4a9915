/** What a run covers, as it is written into HfCovers: `photos>b2@1f3a9c2e music>b2@77aa01bc`, or a digest that begins with "#". */

export interface Pair {
  resource: string;
  store: string;
}

/** The parts that can be told apart; a digest is one. */
export const partsOf = (covers: string): string[] => covers.split(' ').filter((part) => part !== '');

/** Undefined for what is no copy of a resource in a store. */
export function pairOf(part: string): Pair | undefined {
  const [, resource, store] = /^([a-z0-9-]+)>([a-z0-9-]+)@/.exec(part) ?? [];
  return resource && store ? { resource, store } : undefined;
}

/** Only the meant pairs; undefined when none is left, or they cannot be told apart. */
export function coverOnly(covers: string, isMeant: (pair: Pair) => boolean): string | undefined {
  const left = partsOf(covers).filter((part) => {
    const pair = pairOf(part);
    return pair !== undefined && isMeant(pair);
  });
  return left.length > 0 ? left.join(' ') : undefined;
}
