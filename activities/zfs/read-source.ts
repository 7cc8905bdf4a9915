import { type FolderResource, resourceOf } from '../../config/lookup.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import type { Guarded } from '../host/guard.js';
import { checkMounts, mountSnapshots, mountsBelow } from './mounts.js';
import { folderName, type OfRun, readingFolder, readSourcePlan, type SourcePlan } from './source-plan.js';

/** Where a tool finds the files of a resource: its folder, or the frozen snapshots of its datasets. */

export interface Read {
  guarded: Guarded;
  /** Absent for a plain folder. */
  frozen?: {
    /** ISO 8601 UTC: of this moment are all files. */
    restorePoint: string;
    /** What lies in the folder: one for each planned dataset. */
    folders: string[];
    check(): Promise<void>;
  };
}

/** Throws when the snapshots of a dataset are not just those that the run has planned. */
export async function whatIsRead({ host, signal, config }: Tools, of: OfRun): Promise<Read> {
  const { resource } = of;
  const known = resourceOf(config, resource);
  const { directory, marker } = known;
  if (directory !== undefined)
    return { guarded: { host, signal, resource, config: { ...known, directory } } };
  const plan = await readSourcePlan(host, of);
  const folder = readingFolder(host, of);
  const check = (): Promise<void> => checkMounts(host, folder, plan);
  await mountAgain({ host, signal, folder, plan });
  await check();
  // Markers and mount points are of live folders; here the snapshot's own name is the proof. Through a mount only a marker tells whose it is.
  const inRoot =
    plan.through && marker !== undefined ? `${folderName(plan.through.root)}/${marker}` : undefined;
  const frozenConfig: FolderResource = { ...known, directory: folder, marker: inRoot, mounted: false };
  return {
    guarded: { host, signal, resource, config: frozenConfig },
    frozen: { restorePoint: plan.restorePoint, folders: plan.datasets.map(folderName), check },
  };
}

/** Stores that are copied to side by side read one folder: the first that finds it empty mounts it for all. */
const mounting = new Map<string, Promise<void>>();

/**
 * Mounts end with the machine, and with a worker whose unit has mounts of its own; the holds do not, and what they keep is what was planned.
 * Only where nothing is left: anything else that lies there is for the check.
 */
async function mountAgain(of: {
  host: Host;
  signal: AbortSignal;
  folder: string;
  plan: SourcePlan;
}): Promise<void> {
  const { host, signal, folder, plan } = of;
  if ((await mountsBelow(host, folder)).length > 0) return;
  const place = `${host.name}:${folder}`;
  const known =
    mounting.get(place) ?? mountSnapshots(host, folder, plan, signal).finally(() => mounting.delete(place));
  mounting.set(place, known);
  await known;
}
