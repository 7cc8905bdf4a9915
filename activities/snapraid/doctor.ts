import type { Tools } from '../door.js';
import { arrayOf } from './array.js';
import { contentsWanted, folderOfFile } from './conf.js';
import { missingDisks } from './guard.js';
import { parityBytes } from './guard-parity.js';
import { mountOf } from './mounts.js';

/** What doctor looks at: the guard that every run asks, and where the lists of files lie. */

export interface ArrayFindings {
  config: string;
  error?: string;
  warning?: string;
}

export async function lookAtArrayFor(tools: Tools, resource: string): Promise<ArrayFindings> {
  const array = await arrayOf(tools, resource);
  const { config } = array.called;
  const [missing] = await missingDisks(array);
  if (missing) return { config, error: `disk ${missing.disk} ${missing.why}` };
  const { host } = tools;
  const mounts = new Set<string>();
  for (const file of array.conf.content) {
    if (await host.exists(file)) mounts.add((await mountOf(host, folderOfFile(file))) ?? '/');
  }
  // The lists say that it was synced: its parity must be there, whatever its length should be. An array without files has one of 0 bytes.
  for (const { name, files } of mounts.size > 0 ? array.conf.parity : [])
    if ((await parityBytes(array, files)) === undefined)
      return { config, error: `${name} has no file at ${files.join(', ')}: do not sync, rebuild it` };
  const wanted = contentsWanted(array.conf);
  if (mounts.size >= wanted) return { config };
  const warning = `content files lie on ${mounts.size} disks, and ${wanted} are wanted: without one of them nothing can be recovered`;
  return { config, warning };
}
