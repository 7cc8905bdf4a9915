import type { Tools } from '../door.js';
import { arrayOf, type BareArray } from './array.js';
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
  const warnings = await credentialsWords(array);
  if (mounts.size < wanted)
    warnings.push(
      `content files lie on ${mounts.size} disks, and ${wanted} are wanted: without one of them nothing can be recovered`,
    );
  return { config, ...(warnings.length > 0 && { warning: warnings.join('; ') }) };
}

/** The password of the share stands in a file that nobody else may read or change. */
async function credentialsWords({ tools: { host }, config: { share } }: BareArray): Promise<string[]> {
  if (share?.credentials === undefined) return [];
  const facts = await host.facts(await host.realPath(share.credentials));
  if (!facts) return [`${share.credentials} with the credentials of the share is not there`];
  return (facts.mode & 0o026) !== 0
    ? [`others than its owner can read or change ${share.credentials}: chmod 600 it`]
    : [];
}
