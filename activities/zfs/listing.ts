import type { Host } from '../../system/host.js';
import { mustSucceed } from './classify.js';
import { type ListRequest, listCommand } from './list-command.js';
import { listingReader } from './parse-list.js';
import type { Dataset, Listing } from './types.js';

/** What every verb of the driver stands on: a machine with ZFS, local or over ssh. */
export interface Zfs {
  host: Host;
  signal: AbortSignal;
  /** A name on PATH or an absolute path. */
  zfs: string;
  zpool: string;
}

/** Inside a program of sh the Host cannot put sudo in front of zfs: it is asked whether it would. */
export function zfsWords({ host, zfs }: Zfs): string[] {
  const sudo = host.remote?.target().sudo.includes('zfs') ?? false;
  return sudo ? ['sudo', '-n', zfs] : [zfs];
}

/** The state of whole trees by one command: read line by line, because 10,000 datasets with 50 snapshots each are 70 MB of text. */
export async function listTrees({ host, signal, zfs }: Zfs, request: ListRequest): Promise<Listing> {
  const reader = listingReader();
  let failed: unknown;
  const result = await host.run(listCommand(zfs, request), {
    signal,
    onLine(line, stream) {
      if (stream === 'stderr' || failed !== undefined) return;
      try {
        reader.read(line);
      } catch (error) {
        failed = error;
      }
    },
  });
  // An output that breaks off is odd because the command failed: its own words come first.
  mustSucceed(result, `list ${request.roots.join(', ').slice(0, 100)}`, host.name);
  if (failed !== undefined) throw failed;
  return reader.finish();
}

/** One dataset alone, with its properties; undefined where there is none. */
export async function rootOf(zfs: Zfs, root: string): Promise<Dataset | undefined> {
  const types = ['filesystem', 'volume'] as const;
  return (await listTrees(zfs, { roots: [root], depth: 0, types })).get(root);
}
