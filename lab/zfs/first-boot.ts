import { accessSync, constants, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/support/spawn.js';
import { announce, sh } from '../shell.js';
import {
  diskIn,
  type GuestName,
  guestNames,
  type Image,
  knownHostsText,
  pools,
  savedState,
} from './guests.js';
import { type Accelerator, consoleOf, type Machine, monitorOf, startMachine, wordsOf } from './machine.js';
import { saveState } from './monitor.js';
import { type Door, inGuest, pullPlug, waitForBoot, waitForGuest } from './reach.js';

/** Makes all pools of a guest anew, each on a sparse file. */
export const makePools = (name: GuestName): string =>
  pools[name]
    .map((pool) => `rm -f /pools/${pool}; truncate -s 4G /pools/${pool}; zpool create ${pool} /pools/${pool}`)
    .join(' && ');

/** Boots each guest once and keeps it as it then is, with empty pools, inside its disk. This also proves the image. */
export async function saveGuests(image: Image): Promise<void> {
  const accelerator = await findAccelerator(image);
  writeFileSync(image.accelerator, accelerator);
  for (const name of guestNames) await saveGuest(image, name, accelerator);
}

/** /dev/kvm may be there and guests still die on it: only a boot tells. */
async function findAccelerator(image: Image): Promise<Accelerator> {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return 'tcg';
  }
  try {
    await withFirstBoot(image, 'din', 'kvm', 60_000, async () => undefined);
    return 'kvm';
  } catch (error) {
    announce(`  KVM does not work here, so the guests are emulated: ${(error as Error).message}`);
    return 'tcg';
  }
}

const saveGuest = async (image: Image, name: GuestName, accelerator: Accelerator): Promise<void> => {
  announce(`  the first boot of ${name} (${accelerator})`);
  await withFirstBoot(image, name, accelerator, 20 * 60_000, async (door) => {
    await inGuest(door, `${makePools(name)} && sync`);
    await saveState(monitorOf(image.folder, name), savedState);
  });
};

async function withFirstBoot(
  image: Image,
  name: GuestName,
  accelerator: Accelerator,
  timeoutMs: number,
  work: (door: Door) => Promise<void>,
): Promise<void> {
  const { folder, key } = image;
  const port = await freePort();
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, knownHostsText(image, { din: port, grogu: port }));
  // Its size comes from the base; a relative name because the folder gets its own name only at the end.
  await sh('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', 'base.img', '-F', 'raw', diskIn(folder, name)]);
  const machine: Machine = { name, image, accelerator, folder, port };
  startMachine(machine, 'boot');
  try {
    const door: Door = { host: '127.0.0.1', port, key, knownHosts };
    await waitForBoot(machine, timeoutMs);
    await waitForGuest(machine, door, timeoutMs);
    await work(door);
  } finally {
    await pullPlug(folder, name);
    for (const file of [knownHosts, monitorOf(folder, name), consoleOf(folder, name), wordsOf(folder, name)])
      rmSync(file, { force: true });
  }
}
