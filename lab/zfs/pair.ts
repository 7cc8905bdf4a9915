import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { freePort } from '../../test/support/spawn.js';
import { cached } from '../places.js';
import { announce } from '../shell.js';
import {
  diskIn,
  findImage,
  type GuestName,
  guestNames,
  type Image,
  imageIn,
  knownHostsText,
} from './guests.js';
import { withLock } from './lock.js';
import { type Accelerator, findMachine, type Machine, startMachine } from './machine.js';
import { type Door, pullPlug, waitForBoot, waitForGuest } from './reach.js';
import { isInUse } from './users.js';

/** A din and a grogu with disks of their own, in a folder. Whoever knows the folder can use, start and end them. */
export interface Pair {
  folder: string;
  image: Image;
  /** Chosen once, so that the addresses hold when a guest boots again. */
  ports: Record<GuestName, number>;
}

/** The pair that the command line and all tests share; HOLDFAST_LAB_PAIR names another folder, to try things without harm to others. */
export const sharedPair = process.env.HOLDFAST_LAB_PAIR ?? cached('zfs-lab', 'pair');

const lockOf = (folder: string): string => `${folder}.lock`;

/** Emulated, with other work on the machine, a boot took up to 80 s. */
const bootTimeoutMs = 10 * 60_000;
const continueTimeoutMs = 3 * 60_000;

export const doorOf = (pair: Pair, name: GuestName): Door => ({
  host: '127.0.0.1',
  port: pair.ports[name],
  key: pair.image.key,
  knownHosts: join(pair.folder, 'known_hosts'),
});

function machineOf(pair: Pair, name: GuestName): Machine {
  const accelerator = readFileSync(pair.image.accelerator, 'utf8').trim() as Accelerator;
  return { name, image: pair.image, accelerator, folder: pair.folder, port: pair.ports[name] };
}

/** The pair of a folder, if there is one; its guests may run or not. */
export function findPair(folder: string): Pair | undefined {
  const file = join(folder, 'pair.json');
  if (!existsSync(file)) return undefined;
  const { image, ports } = JSON.parse(readFileSync(file, 'utf8')) as { image: string; ports: Pair['ports'] };
  return { folder, image: imageIn(image), ports };
}

async function makePair(folder: string): Promise<Pair> {
  const image = findImage();
  if (image === undefined) throw new Error('the image of the ZFS hosts is not built: npm run setup');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const ports = { din: await freePort(), grogu: await freePort() };
  writeFileSync(join(folder, 'known_hosts'), knownHostsText(image, ports));
  // The image that its disks are changes of: there may be a newer one when they boot again.
  writeFileSync(join(folder, 'pair.json'), JSON.stringify({ image: image.folder, ports }));
  return { folder, image, ports };
}

const isDead = (folder: string): boolean =>
  guestNames.every((name) => findMachine(folder, name) === undefined);

/**
 * Starts what does not run yet and waits until both let us in. New guests have empty pools; one that was unplugged boots with its disk,
 * unless `fresh` asks for new ones where none runs any more.
 */
export const upPair = (folder: string, options: { fresh?: boolean } = {}): Promise<Pair> =>
  withPair(folder, async () => {
    const found = options.fresh && isDead(folder) ? undefined : findPair(folder);
    const pair = found ?? (await makePair(folder));
    await Promise.all(guestNames.map((name) => ensureRunning(pair, name)));
    return pair;
  });

async function withPair<T>(folder: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(folder), { recursive: true });
  const done = await withLock(lockOf(folder), 20 * 60, async () => ({ result: await work() }));
  if (done === undefined)
    throw new Error(`somebody else starts or ends these guests for 20 minutes: ${folder}`);
  return done.result;
}

async function ensureRunning(pair: Pair, name: GuestName): Promise<void> {
  if (findMachine(pair.folder, name) !== undefined)
    return await waitForGuest(machineOf(pair, name), doorOf(pair, name), bootTimeoutMs);
  if (existsSync(diskIn(pair.folder, name))) return await boot(pair, name);
  // Whole or not at all, should we be killed.
  copyFileSync(diskIn(pair.image.folder, name), `${diskIn(pair.folder, name)}.new`);
  renameSync(`${diskIn(pair.folder, name)}.new`, diskIn(pair.folder, name));
  startMachine(machineOf(pair, name), 'continue');
  try {
    await waitForGuest(machineOf(pair, name), doorOf(pair, name), continueTimeoutMs);
  } catch (error) {
    // Another QEMU than the one that saved it may refuse the state, but not the disk.
    announce(`${name} does not continue from its saved state, so it boots: ${(error as Error).message}`);
    await pullPlug(pair.folder, name);
    await boot(pair, name);
  }
}

async function boot(pair: Pair, name: GuestName): Promise<void> {
  startMachine(machineOf(pair, name), 'boot');
  await waitForBoot(machineOf(pair, name), bootTimeoutMs);
  await waitForGuest(machineOf(pair, name), doorOf(pair, name), bootTimeoutMs);
}

/** Ends both guests of this folder and removes their disks; others keep running. */
export const downPair = (folder: string): Promise<void> =>
  withPair(folder, async () => {
    await endGuests(folder);
  });

async function endGuests(folder: string): Promise<void> {
  await Promise.all(guestNames.map((name) => pullPlug(folder, name)));
  rmSync(folder, { recursive: true, force: true });
}

/** Ends them if nobody uses them and nobody asked to keep them. Who holds the lock uses them. */
export async function downIfUnused(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  await withLock(lockOf(folder), 0, async () => {
    if (!isInUse(folder)) await endGuests(folder);
  });
}
