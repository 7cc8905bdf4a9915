import { HoldfastError } from '../../contracts/errors.js';
import type { BareArray, SnapArray } from './array.js';
import { planCommand } from './guard.js';
import type { ArrayStatus } from './parse-status.js';

/**
 * A parity file that is gone, or was cut: snapraid 14 makes it anew without a word, fills only what is new, and calls the sync complete
 * with a clean status. Older ones refuse, but only when there is something to sync. So nothing is begun before it is as long as it must be.
 */
export async function guardParity(
  array: SnapArray,
  { blocks, unsynced, blockBytes }: Pick<ArrayStatus, 'blocks' | 'unsynced' | 'blockBytes'>,
): Promise<void> {
  // Blocks without parity may all lie at its end.
  const least = Math.max(0, blocks - unsynced) * blockBytes;
  for (const { name, files } of array.conf.parity) {
    const bytes = (await parityBytes(array, files)) ?? 0;
    if (bytes < least) throw lost(array, name, `has ${bytes} of at least ${least} bytes`);
  }
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
