import type { Doomed as Gone } from './destroy-command.js';
import type { Done, Ends } from './replicate-ends.js';
import { fenceTag } from './replicate-names.js';
import type { Survey } from './replicate-survey.js';
import type { HoldTags } from './replicate-upkeep.js';

/** How a replica is rolled back: nothing but what was shown goes with it, whatever somebody does meanwhile. */

/** One replica that a human is asked about, and all that an answer is bound to. */
export interface Doomed {
  target: string;
  guid: string;
  base: { name: string; guid: string };
  /** Snapshots that are destroyed, oldest first. */
  loses: { name: string; guid: string; writtenBytes: number }[];
  /** Of others: they go with what they mark. */
  bookmarks: string[];
  /** Written since the newest snapshot. */
  writtenBytes: number;
  words: string;
}

/** Those that are named, each only while it has its guid; says why some were left, by `dataset@snapshot`. */
export type Destroy = (gone: readonly Gone[]) => Promise<ReadonlyMap<string, string>>;

const nameOf = (target: string, { name }: { name: string }): string => `${target}@${name}`;

/**
 * What was shown goes by its guid, then the replica goes back without -r: that refuses where something newer has come since. Our own
 * fence is let go just before, and set again where the roll-back did not come about; what others hold is not begun with.
 */
export async function rollBack(
  ends: Ends,
  all: readonly Doomed[],
  { input }: Survey,
  destroy: Destroy,
): Promise<(Done | undefined)[]> {
  const tags = await tagsOf(ends, all, input);
  const troubles = new Map<string, string>();
  for (const { target, loses } of all)
    for (const one of loses) {
      const others = (tags.get(nameOf(target, one)) ?? []).filter((tag) => tag !== fenceTag);
      if (others.length > 0) troubles.set(target, `${nameOf(target, one)} is held (${others.join(', ')})`);
    }
  const free = all.filter(({ target }) => !troubles.has(target));
  const isFenced = (name: string): boolean => tags.get(name)?.includes(fenceTag) === true;
  const fenced = free.flatMap(({ target, loses }) =>
    loses.map((one) => nameOf(target, one)).filter(isFenced),
  );
  await changeSome(
    ends,
    fenced.map((name) => ['release', fenceTag, name]),
  );
  await changeSome(
    ends,
    free.flatMap(({ target, bookmarks }) => bookmarks.map((name) => ['destroy', `${target}#${name}`])),
  );
  const gone = free.flatMap(({ target, loses }) =>
    loses.map(({ name, guid }) => ({ dataset: target, snapshot: name, guid })),
  );
  const left = gone.length === 0 ? new Map<string, string>() : await destroy(gone);
  for (const [name, why] of left) troubles.set(name.slice(0, name.lastIndexOf('@')), `${name} ${why}`);
  const ready = free.filter(({ target }) => !troubles.has(target));
  const ended = await changeSome(
    ends,
    ready.map(({ target, base }) => ['rollback', nameOf(target, base)]),
  );
  const doneBy = new Map(ready.map(({ target }, index) => [target, ended[index]]));
  await changeSome(
    ends,
    fenced
      .filter((name) => !doneBy.get(name.slice(0, name.lastIndexOf('@')))?.ok)
      .map((name) => ['hold', fenceTag, name]),
  );
  return all.map(({ target }) => {
    const words = troubles.get(target);
    return words === undefined ? doneBy.get(target) : { ok: false, words };
  });
}

const changeSome = async (ends: Ends, commands: readonly string[][]): Promise<(Done | undefined)[]> =>
  commands.length === 0 ? [] : ends.change('target', commands);

async function tagsOf(
  ends: Ends,
  all: readonly Doomed[],
  { target: listing }: Survey['input'],
): Promise<HoldTags> {
  const held = all.flatMap(({ target, loses }) => {
    const guids = new Set(
      listing.get(target)?.snapshots.flatMap(({ guid, holds }) => (holds > 0 ? [guid] : [])),
    );
    return loses.flatMap((one) => (guids.has(one.guid) ? [nameOf(target, one)] : []));
  });
  return held.length === 0 ? new Map() : ends.holdTags('target', held);
}
