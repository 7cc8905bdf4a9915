import { spawnSync } from 'node:child_process';
import { ensureZfsImage } from '../parts/zfs-image.js';
import { makePools } from './first-boot.js';
import { findImage, type GuestName, type GuestUser, guestNames } from './guests.js';
import { findMachine, monitorOf } from './machine.js';
import { setLink } from './monitor.js';
import { doorOf, downIfUnused, downPair, findPair, type Pair, sharedPair, upPair } from './pair.js';
import { inGuest, pullPlug, sshArguments } from './reach.js';
import { keep, unkeep, usersNow } from './users.js';

/** `npm run lab`: the two ZFS hosts by hand. Tests use the same ones. */

const force = process.argv.includes('--force');
// After "ssh" every word is the other side's.
const words = process.argv.slice(2).filter((word, _, all) => all[0] === 'ssh' || word !== '--force');

const usage = `npm run lab -- COMMAND
  up                    start din and grogu (builds their image when it is missing), and keep them up
  down                  end them and remove their disks
  status                what runs, and how to log in
  ssh [USER@]HOST [..]  log in as root or holdfast, or run a command there
  plug HOST             pull the plug; "up" boots it again with its disk
  link HOST up|down     put the network cable back, or pull it
  reset                 destroy all pools and make them anew, empty
down, plug, link and reset are refused while tests use the hosts; --force does it all the same`;

function existing(): Pair {
  const pair = findPair(sharedPair);
  if (pair === undefined) throw new Error('the lab is not up: npm run lab -- up');
  return pair;
}

function hostNamed(word = ''): { name: GuestName; user: GuestUser } {
  const [host = '', user = 'root'] = word.split('@').reverse();
  const name = guestNames.find((guest) => guest === host);
  if (name === undefined || (user !== 'root' && user !== 'holdfast'))
    throw new Error(`"${word}" is no host of the lab: ${guestNames.join(', ')}, as root@ or holdfast@`);
  return { name, user };
}

async function up(): Promise<void> {
  const part = await ensureZfsImage();
  if ('missing' in part) throw new Error(part.missing);
  keep(sharedPair);
  await upPair(sharedPair);
  status();
}

/** What takes away from running tests what they stand on is not done by accident. */
function refuseWhileUsed(): void {
  const users = usersNow(sharedPair);
  if (users.length > 0 && !force)
    throw new Error(`tests use the hosts now (process ${users.join(', ')}); --force does it all the same`);
}

async function down(): Promise<void> {
  refuseWhileUsed();
  unkeep(sharedPair);
  await downPair(sharedPair);
}

async function plug(word: string | undefined): Promise<void> {
  const { folder } = existing();
  const { name } = hostNamed(word);
  refuseWhileUsed();
  await pullPlug(folder, name);
}

function status(): void {
  const pair = findPair(sharedPair);
  if (pair === undefined) {
    console.log(findImage() ? 'down' : 'down, and the image is not built: npm run lab -- up');
    return;
  }
  for (const name of guestNames) {
    const pid = findMachine(pair.folder, name);
    const door = sshArguments(doorOf(pair, name)).map((word) => (word.includes('"') ? `'${word}'` : word));
    console.log(
      pid === undefined ? `${name}: its plug is out` : `${name}: pid ${pid}; ssh ${door.join(' ')}`,
    );
  }
  const users = usersNow(sharedPair);
  if (users.length > 0) console.log(`used by tests: process ${users.join(', ')}`);
}

function ssh(word: string | undefined, command: readonly string[]): void {
  const { name, user } = hostNamed(word);
  const args = [...sshArguments(doorOf(existing(), name), user), ...command];
  process.exitCode = spawnSync('ssh', args, { stdio: 'inherit' }).status ?? 255;
}

async function link(word: string | undefined, position: string | undefined): Promise<void> {
  if (position !== 'up' && position !== 'down') throw new Error(usage);
  refuseWhileUsed();
  await setLink(monitorOf(existing().folder, hostNamed(word).name), position === 'up');
}

async function reset(): Promise<void> {
  const pair = existing();
  refuseWhileUsed();
  for (const name of guestNames) {
    const destroy = 'zpool list -H -o name | while read -r pool; do zpool destroy -f "$pool"; done';
    await inGuest(doorOf(pair, name), `${destroy}; ${makePools(name)}`);
  }
}

const [command = '', first, ...rest] = words;
const commands: Record<string, () => void | Promise<void>> = {
  up,
  down,
  status,
  ssh: () => ssh(first, rest),
  plug: () => plug(first),
  link: () => link(first, rest[0]),
  reset,
  // For a test that ends: its own last act.
  tidy: () => downIfUnused(sharedPair),
};
try {
  const run = commands[command];
  if (run === undefined) throw new Error(usage);
  await run();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
