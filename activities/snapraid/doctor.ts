import type { Tools } from '../door.js';
import { arrayOf, type BareArray } from './array.js';
import { contentsWanted, folderOfFile } from './conf.js';
import { missingDisks } from './guard.js';
import { parityBytes } from './guard-parity.js';
import { ignoring } from './ignore.js';
import { mountOf } from './mounts.js';

/** What doctor looks at: the guard that every run asks, and where the lists of files lie. */

export interface ArrayFindings {
  config: string;
  error?: string;
  warning?: string;
  next?: string;
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
  const warnings = [...(await credentialsWords(array)), ...keptNowhere(array), ...markerLeftOut(array)];
  if (mounts.size < wanted)
    warnings.push({
      what: `content files lie on ${mounts.size} disks, and ${wanted} are wanted: without one of them nothing can be recovered`,
      next: 'add "content" lines to snapraid.conf, each on another disk',
    });
  if (warnings.length === 0) return { config };
  const next = warnings.map((one) => one.next).join('; ');
  return {
    config,
    warning: warnings.map(({ what }) => what).join('; '),
    next: `${next.charAt(0).toUpperCase()}${next.slice(1)}`,
  };
}

interface Warned {
  what: string;
  next: string;
}

/** With the machine all of it would be lost: which disk was which, and the list without which nothing can be recovered. */
function keptNowhere({ tools: { host }, config }: BareArray): Warned[] {
  if (config.copies !== undefined || host.remote !== undefined) return [];
  return [
    {
      what: 'snapraid.conf, fstab and the list of files are kept on no other machine',
      next: 'name another host under "copies" of the resource',
    },
  ];
}

/** Such a disk is rebuilt without its marker, and looks like a wrong one then. */
function markerLeftOut({ conf, config }: BareArray): Warned[] {
  const isExcluded = ignoring(conf.excluded ?? []);
  const markers = [config.marker, ...Object.values(config.disks).map((disk) => disk?.marker)];
  const left = markers.find((marker) => marker !== undefined && isExcluded(marker));
  if (left === undefined) return [];
  return [
    {
      what: `snapraid.conf leaves the marker ${left} out: it does not come back with a rebuilt disk`,
      next: 'name a marker that is part of the array, or touch it again on a disk that was rebuilt',
    },
  ];
}

/** The password of the share stands in a file that nobody else may read or change. */
async function credentialsWords({ tools: { host }, config: { share } }: BareArray): Promise<Warned[]> {
  if (share?.credentials === undefined) return [];
  const facts = await host.facts(await host.realPath(share.credentials));
  const next = 'let its owner alone read it: chmod 600';
  if (!facts)
    return [{ what: `${share.credentials} with the credentials of the share is not there`, next: 'make it' }];
  return (facts.mode & 0o026) !== 0
    ? [{ what: `others than its owner can read or change ${share.credentials}`, next }]
    : [];
}
