import type { ReplicaStates } from '../../contracts/replication.js';
import type { Host } from '../../system/host.js';
import { readPacked, writePacked } from '../../system/packed.js';
import type { Remembered } from './leftovers.js';
import { destinationOf, shortOf } from './replicate-names.js';

/**
 * What the last look at a replica has proved, of every dataset. Only the last one: hundreds of datasets, hourly, for years, would
 * be gigabytes of evidence. The evidence has a line and a digest of each look; this file is what the newest of them speaks of.
 */

interface OfReplica {
  resource: string;
  store: string;
}

const folderOf = ({ driver }: Host): string => `${driver.stateFolder}/replicas`;

/** "." is in neither name. */
const fileOf = (host: Host, { resource, store }: OfReplica): string =>
  `${folderOf(host)}/${resource}.${store}`;

export async function writeReplicaStates(host: Host, of: OfReplica, states: ReplicaStates): Promise<void> {
  await host.driver.makeFolder(folderOf(host));
  await writePacked(host.driver, fileOf(host, of), states);
}

/** undefined: nobody has looked yet, or the file was lost. */
export const readReplicaStates = async (host: Host, of: OfReplica): Promise<ReplicaStates | undefined> =>
  (await readPacked(host.driver, fileOf(host, of))) as ReplicaStates | undefined;

/** Every replica that this worker has ever looked at, also those that the configuration does not name any more. */
export async function readRemembered(host: Host): Promise<Remembered> {
  const names = (await host.driver.exists(folderOf(host))) ? await host.driver.list(folderOf(host)) : [];
  const remembered = new Map<string, OfReplica & { root: string | undefined }>();
  for (const name of names) {
    const [resource = '', store, ...more] = name.split('.');
    if (store === undefined || more.length > 0) continue;
    const states = await readReplicaStates(host, { resource, store });
    const targets = states?.states.map(({ target }) => target) ?? [];
    // The root always travels, and has the shortest name.
    const root = targets.reduce<string | undefined>(
      (least, one) => (least === undefined || one.length < least.length ? one : least),
      undefined,
    );
    remembered.set(shortOf(destinationOf({ resource, store })), { resource, store, root });
  }
  return remembered;
}
