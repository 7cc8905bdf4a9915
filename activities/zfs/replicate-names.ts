import { sha256 } from '../../system/sha256.js';

/** The names that replication leaves in pools: by them it knows again what is its own, and touches nothing else. */

/** A bookmark or snapshot may have so many characters with its dataset; ZFS counts a closing zero to its 256. */
const longestName = 255;

/** A store's name may have 63 characters and a dataset 200: together with a guid that is more than ZFS takes. */
export const shortOf = (destination: string): string =>
  destination.length <= 16 ? destination : sha256(destination).slice(0, 8);

/** After both: two resources may share datasets, and each has a replica, and so a base and holds, of its own in a store. */
export const destinationOf = ({ store, resource }: { store: string; resource: string }): string =>
  `${store}.${resource}`;

/** No store and no resource has a dot in its name, so this is never a usual destination. */
export const wayBackOf = (of: { store: string; resource: string }): string => `${destinationOf(of)}.back`;

const cursorPrefix = (destination: string): string => `holdfast_${shortOf(destination)}_`;

/**
 * The bookmark that keeps the common base of one destination. It is made before the stream is sent and is tentative until the guid
 * in its name was read on the receiver; only then do older ones go.
 */
export const cursorName = (destination: string, guid: string): string =>
  `${cursorPrefix(destination)}${guid}`;

/** True for a bookmark of ours for this destination. */
export function isCursor(name: string, destination: string): boolean {
  const prefix = cursorPrefix(destination);
  return name.startsWith(prefix) && /^\d{1,20}$/.test(name.slice(prefix.length));
}

/** A dataset with a very long name cannot have a bookmark: its base is then kept by snapshots alone. */
export const fits = (dataset: string, name: string): boolean =>
  dataset.length + 1 + name.length <= longestName;

/** Holds on the source while a stream of them is under way. */
export const holdTag = (destination: string, run: string): string => `${holdPrefix(destination)}${run}`;

/** What all our holds for this destination begin with, whatever the run. */
export const holdPrefix = (destination: string): string => `holdfast_${shortOf(destination)}_`;

/** The hold on the newest common snapshot of a replica: with it no other tool's `receive -F` can destroy what is newer than its base. */
export const fenceTag = 'holdfast_fence';

const parkedForm = /\.parked-\d{4}-\d{2}-\d{2}T\d{6}Z$/;

/** Where a replica goes that no longer fits its source; the time keeps several apart. */
export const parkedName = (dataset: string, time: Date): string =>
  `${dataset}.parked-${time.toISOString().slice(0, 19).replaceAll(':', '')}Z`;

/** True for a parked replica and everything below it. */
export const isParked = (dataset: string): boolean =>
  dataset.split('/').some((component) => parkedForm.test(component));

/** True for what was put aside in the place of a dataset, and everything below it. */
export function isAsideOf(dataset: string, name: string): boolean {
  const [beside = ''] = dataset.slice(name.length).split('/');
  return dataset.startsWith(name) && beside.startsWith('.') && parkedForm.test(beside);
}

/** Where a parked dataset lay before. */
export const unparked = (dataset: string): string =>
  dataset
    .split('/')
    .map((component) => component.replace(parkedForm, ''))
    .join('/');
