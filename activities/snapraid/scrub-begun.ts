import { readPacked, writePacked } from '../../system/packed.js';
import { recordsOf, type SnapArray } from './array.js';
import type { ArrayStatus } from './parse-status.js';

/** When blocks were read, before a scrub and after it. */

export type Ages = Pick<ArrayStatus, 'readAt' | 'unscrubbed'>;

interface Begun extends Ages {
  run: string;
}

/** As it was before the first attempt: after a kill of our worker snapraid has read on, and that counts as well. */
export async function asBegun(array: SnapArray, { readAt, unscrubbed }: Ages): Promise<Ages> {
  const { tools, input } = array;
  const { driver } = tools.host;
  const file = `${recordsOf(array)}/${input.resource}.scrub`;
  if (tools.attempt > 1) {
    const begun = (await readPacked(driver, file)) as Begun | undefined;
    if (begun?.run === input.run) return begun;
  }
  await driver.makeFolder(recordsOf(array));
  await writePacked(driver, file, { run: input.run, readAt, unscrubbed } satisfies Begun);
  return { readAt, unscrubbed };
}

/**
 * Blocks that have another time than before. snapraid keeps times to 8 seconds (three bits of each are flags): what was synced right before the
 * scrub has the time of the scrub already, and is known by having been read never before. Pure.
 */
export function readSince(before: Ages, after: Ages): number {
  const known = new Map(before.readAt.map(({ seconds, blocks }) => [seconds, blocks]));
  const withNewTime = after.readAt.reduce(
    (sum, { seconds, blocks }) => sum + Math.max(0, blocks - (known.get(seconds) ?? 0)),
    0,
  );
  return Math.max(withNewTime, before.unscrubbed - after.unscrubbed);
}
