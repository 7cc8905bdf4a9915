import { HoldfastError } from '../../contracts/errors.js';
import type { BareArray, SnapArray } from './array.js';
import { planCommand } from './guard.js';
import type { ArrayStatus } from './parse-status.js';

/**
 * A parity file that is gone, or was cut: snapraid 14 makes it anew without a word, fills only what is new, and calls the sync complete
 * with a clean status. Older ones refuse, but only when there is something to sync. So nothing is begun before it is as long as it must be.
 */
export async function guardParity(array: SnapArray, status: Lengths): Promise<void> {
  const [short] = await shortParities(array, status);
  if (short) throw lost(array, short.name, `has ${short.bytes} of at least ${short.least} bytes`);
}

type Lengths = Pick<ArrayStatus, 'blocks' | 'unsynced' | 'blockBytes'>;

/** Those from which nothing, or not all, can be computed. */
export async function shortParities(
  array: Pick<BareArray, 'tools' | 'conf'>,
  { blocks, unsynced, blockBytes }: Lengths,
): Promise<{ name: string; bytes: number; least: number }[]> {
  // Blocks without parity may all lie at its end.
  const least = Math.max(0, blocks - unsynced) * blockBytes;
  const found: { name: string; bytes: number; least: number }[] = [];
  for (const { name, files } of array.conf.parity) {
    const bytes = (await parityBytes(array, files)) ?? 0;
    if (bytes < least) found.push({ name, bytes, least });
  }
  return found;
}

/** Of all the files of one parity; undefined when none is there. */
export async function parityBytes(
  { tools: { host } }: Pick<BareArray, 'tools'>,
  files: readonly string[],
): Promise<number | undefined> {
  const facts = await Promise.all(files.map(async (file) => host.facts(await host.realPath(file))));
  const sizes = facts.flatMap((fact) => fact?.size ?? []);
  return sizes.length > 0 ? sizes.reduce((sum, size) => sum + size, 0) : undefined;
}

const lost = (array: SnapArray, name: string, why: string): HoldfastError =>
  new HoldfastError(
    'HF_ARRAY_DISK_MISSING',
    `Do not sync "${array.input.resource}": ${name} ${why}, so its file is gone, was cut, or is new in snapraid.conf. Plan: ${planCommand(array, name)}`,
    { disks: [name] },
  );
