import { HoldfastError } from '../../contracts/errors.js';
import type { SnapArray } from './array.js';
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
    const sizes = await Promise.all(files.map((file) => sizeOf(array, file)));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (bytes < least) throw lost(array, name, `has ${bytes} of at least ${least} bytes`);
  }
}

const sizeOf = async ({ tools: { host } }: SnapArray, file: string): Promise<number> =>
  (await host.facts(await host.realPath(file)))?.size ?? 0;

const lost = ({ input: { job, resource } }: SnapArray, name: string, why: string): HoldfastError =>
  new HoldfastError(
    'HF_ARRAY_DISK_MISSING',
    `Do not sync "${resource}": ${name} ${why}, so its file is gone or was cut. Plan: holdfast do ${job} rebuild-parity --set parity=${name} --plan`,
    { disks: [name] },
  );
