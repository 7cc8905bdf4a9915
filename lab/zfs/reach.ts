import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { GuestName, GuestUser } from './guests.js';
import { consoleOf, findMachine, type Machine, wordsOf } from './machine.js';

const execute = promisify(execFile);

/** What one needs to log in. */
export interface Door {
  /** Always 127.0.0.1; from inside the other guest it is 10.0.2.2 with the same port. */
  host: string;
  port: number;
  /** Of the private key. */
  key: string;
  knownHosts: string;
}

export const sshArguments = (door: Door, user: GuestUser = 'root'): string[] => [
  ...['-i', door.key, '-p', String(door.port), '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes'],
  ...['-o', `UserKnownHostsFile="${door.knownHosts}"`, '-o', 'GlobalKnownHostsFile=none'],
  // A busy machine emulates the exchange of keys in half a minute.
  ...['-o', 'ConnectTimeout=90', '-F', 'none', `${user}@${door.host}`],
];

/** Runs a script of the shell as root in a guest and answers its output. */
export async function inGuest(door: Door, script: string, timeoutMs = 120_000): Promise<string> {
  const args = [...sshArguments(door), script];
  return (await execute('ssh', args, { timeout: timeoutMs, maxBuffer: 1 << 26 })).stdout;
}

/** Waits until a guest lets us in, and sets its clock, which stood still while its state was saved. */
export async function waitForGuest(machine: Machine, door: Door, timeoutMs: number): Promise<void> {
  await keepTrying(machine, timeoutMs, async () => {
    await inGuest(door, `date -u -s @${Math.floor(Date.now() / 1000)}`);
    return true;
  });
}

/** Waits until a guest that was just switched on says so itself: a connection that is asked for earlier hangs for long. */
export const waitForBoot = (machine: Machine, timeoutMs: number): Promise<void> =>
  keepTrying(machine, timeoutMs, async () => {
    const file = consoleOf(machine.folder, machine.name);
    return existsSync(file) && readFileSync(file, 'utf8').includes(`lab: ${machine.name} is ready`);
  });

async function keepTrying(
  { folder, name }: Machine,
  timeoutMs: number,
  isReached: () => Promise<boolean>,
): Promise<void> {
  const endsAt = performance.now() + timeoutMs;
  let lastError: unknown = 'it is not ready';
  while (performance.now() < endsAt) {
    if (findMachine(folder, name) === undefined) throw new Error(`${name} ended: ${lastWords(folder, name)}`);
    try {
      if (await isReached()) return;
    } catch (error) {
      lastError = error;
    }
    await pause(500);
  }
  throw new Error(
    `nobody could log in to ${name}: ${lastWords(folder, name)} (${String(lastError)})`.slice(0, 600),
  );
}

/** What QEMU and then the guest's kernel said last. */
function lastWords(folder: string, name: GuestName): string {
  const files = [wordsOf(folder, name), consoleOf(folder, name)].filter((file) => existsSync(file));
  const lines = files.flatMap((file) => readFileSync(file, 'utf8').trim().split('\n').slice(-3));
  return lines.filter((line) => line !== '').join(' | ') || 'it said nothing';
}

/** Ends a guest as if its plug were pulled, and waits until it is gone. */
export async function pullPlug(folder: string, name: GuestName): Promise<void> {
  const endsAt = performance.now() + 30_000;
  for (let pid = findMachine(folder, name); pid !== undefined; pid = findMachine(folder, name)) {
    if (performance.now() > endsAt) throw new Error(`${name} (pid ${pid}) does not end`);
    process.kill(pid, 'SIGKILL');
    await pause(20);
  }
}
