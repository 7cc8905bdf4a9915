import { join } from 'node:path';
import type { Restic } from './driver.js';
import type { Node } from './listing.js';
import { overFiles } from './over-files.js';

/** restic before 0.15 fills every hole when it restores: a sparse disk image of 1 TB would need all of it. */

/** Smaller files are not worth reading again. */
const atLeastBytes = 2 ** 20;
/** Every file is read once more: for more than this it takes too long, and the report says how much lies on the disk. */
const atMostBytes = 10 * 2 ** 30;
const filesAtOnce = 200;

/** Punching a hole changes the time of the file, so that is kept aside and set again; it also takes capabilities away, so such files stay. */
const script =
  'for file do getfattr --name=security.capability -- "$file" >/dev/null 2>&1 && continue; time=$(stat --format=%y -- "$file") && fallocate --dig-holes -- "$file" && touch --date="$time" -- "$file" || exit 1; done';

/** Makes long runs of zeros into holes again; what the file system cannot do stays filled and shows in the report. */
export async function digHoles(restic: Restic, data: string, nodes: readonly Node[]): Promise<void> {
  const large = nodes.filter(({ type, size }) => type === 'file' && size >= atLeastBytes);
  if (large.reduce((sum, { size }) => sum + size, 0) > atMostBytes) {
    restic.log('holes are not made again: it would read more than 10 GiB once more');
    return;
  }
  restic.progress({ phase: 'making holes again' });
  for (let from = 0; from < large.length; from += filesAtOnce) {
    const files = large.slice(from, from + filesAtOnce).map(({ path }) => join(data, path));
    const command = overFiles(['sh', '-c', script, 'sh'], files);
    const { exitCode } = await restic.host.run(command, { signal: restic.signal, log: restic.log });
    if (exitCode !== 0) restic.log('holes could not be made again in some files');
  }
}
