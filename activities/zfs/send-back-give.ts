import { mustSucceed } from './classify.js';
import type { Zfs } from './listing.js';
import type { Ends } from './replicate-ends.js';
import { quote } from './replicate-script.js';
import type { Gift } from './send-back-properties.js';
import type { Listing } from './types.js';

/** Carries out what send-back-properties.ts has found; nothing is mounted by it, because until then no dataset mounts by itself. */

const pairsOf = ({ set }: Gift): string[] =>
  Object.entries(set).map(([property, value]) => `${property}=${value}`);

/** An attempt that died has let it mount by itself, and then ZFS mounts where one of these is set; they are set by then. */
const mounts: readonly string[] = ['mountpoint', 'sharenfs', 'sharesmb'];
const stillDue = (gift: Gift, now: Listing): Gift => {
  if (now.get(gift.dataset)?.canmount !== 'on') return gift;
  const set = Object.entries(gift.set).filter(([property]) => !mounts.includes(property));
  return { ...gift, set: Object.fromEntries(set) };
};

/** All of a dataset at once; where that is refused, one after the other, so that one old word does not cost the rest. */
export async function setProperties(ends: Ends, gifts: readonly Gift[], now: Listing): Promise<string[]> {
  const some = gifts.map((gift) => stillDue(gift, now)).filter(({ set }) => Object.keys(set).length > 0);
  if (some.length === 0) return [];
  const done = await ends.change(
    'target',
    some.map((gift) => ['set', ...pairsOf(gift), gift.dataset]),
  );
  const single = some
    .filter((_, at) => !done[at]?.ok)
    .flatMap((gift) => pairsOf(gift).map((pair) => ({ pair, dataset: gift.dataset })));
  if (single.length === 0) return [];
  const again = await ends.change(
    'target',
    single.map(({ pair, dataset }) => ['set', pair, dataset]),
  );
  return single.flatMap(({ pair, dataset }, at) => {
    const end = again[at];
    return end?.ok ? [] : [`${dataset}: ${pair} was not set: ${end?.words ?? 'not begun'}`.slice(0, 250)];
  });
}

/** Of those that would mount by themselves from now on: whose folder holds something that would be hidden. */
export async function occupiedPlaces(
  { host, signal }: Zfs,
  gifts: readonly Gift[],
  now: Listing,
): Promise<Map<string, string>> {
  const places = gifts.flatMap(({ dataset, canmount }): [string, string][] => {
    const { mountpoint, mounted = false } = now.get(dataset) ?? {};
    return canmount === 'on' && !mounted && mountpoint?.startsWith('/') ? [[dataset, mountpoint]] : [];
  });
  const taken = new Map<string, string>();
  for (let from = 0; from < places.length; from += placesAtOnce) {
    const some = places.slice(from, from + placesAtOnce);
    const script = occupiedScript(some.map(([, place]) => place));
    const result = await host.run({ file: 'sh', args: ['-c', script], env: { LC_ALL: 'C' } }, { signal });
    const { stdout } = mustSucceed(result, 'look at mount points', host.name);
    for (const at of stdout.split('\n')) {
      const found = at === '' ? undefined : some[Number(at)];
      if (found) taken.set(...found);
    }
  }
  return taken;
}

/** An argument of the system has at most 128 KiB. */
const placesAtOnce = 200;

/** Prints the places in the list at which something lies; one that cannot be looked into counts as well. */
export const occupiedScript = (places: readonly string[]): string =>
  [
    'n() { if [ -d "$2" ]; then [ -z "$(find "$2/." -mindepth 1 -maxdepth 1 -print -quit 2>&1)" ] || echo "$1"; elif [ -e "$2" ]; then echo "$1"; fi; }',
    ...places.map((place, at) => `n ${at} ${quote(place)}`),
    'exit 0',
    '',
  ].join('\n');
