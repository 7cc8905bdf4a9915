import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Processes that use a pair, as files beside it: the last one that leaves turns off the light. */

const usersOf = (folder: string): string => `${folder}.users`;

/** Held by the command line: `up` means until `down`. */
const keeper = 'keep';

/** When the kernel started it: a number of a process alone comes again. Undefined: it is gone. */
function startOf(pid: string): string | undefined {
  try {
    // After the name, which may hold anything but ends with the last bracket: field 22 of proc(5).
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19];
  } catch {
    return undefined;
  }
}

export function enter(folder: string, pid = process.pid): void {
  mkdirSync(usersOf(folder), { recursive: true });
  writeFileSync(join(usersOf(folder), String(pid)), startOf(String(pid)) ?? '');
}

export function leave(folder: string, pid = process.pid): void {
  rmSync(join(usersOf(folder), String(pid)), { force: true });
}

export function keep(folder: string): void {
  mkdirSync(usersOf(folder), { recursive: true });
  writeFileSync(join(usersOf(folder), keeper), '');
}

export const unkeep = (folder: string): void => rmSync(join(usersOf(folder), keeper), { force: true });

export const isKept = (folder: string): boolean => existsSync(join(usersOf(folder), keeper));

/** The living ones. */
export function usersNow(folder: string): string[] {
  if (!existsSync(usersOf(folder))) return [];
  return readdirSync(usersOf(folder)).filter((pid) => {
    const started = startOf(pid);
    return started !== undefined && started === readFileSync(join(usersOf(folder), pid), 'utf8');
  });
}

export const isInUse = (folder: string): boolean => isKept(folder) || usersNow(folder).length > 0;
