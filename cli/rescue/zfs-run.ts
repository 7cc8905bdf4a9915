import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runId } from '../../contracts/names.js';
import type { Host } from '../../system/host.js';

/** Each rescue is a run with records of its own; who looks later sees whether its process still lives. */

export const rescueJob = 'rescue';

const folderOf = (stateFolder: string, run: string): string =>
  join(stateFolder, 'runs', run.replaceAll(':', ''));

/** A name that no other rescue has: by it the records know whose is what. */
export async function newRun(host: Host, now: Date): Promise<string> {
  mkdirSync(join(host.stateFolder, 'runs'), { recursive: true, mode: 0o700 });
  const process_ = { pid: process.pid, startedAt: await host.processStartedAt(process.pid) };
  for (let at = now.getTime(); ; at += 1000) {
    const run = runId(`${rescueJob}.zfs`, new Date(at));
    if (!claim(folderOf(host.stateFolder, run))) continue;
    writeFileSync(join(folderOf(host.stateFolder, run), 'process'), JSON.stringify(process_));
    return run;
  }
}

function claim(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Whether the process of a rescue still works. One that has not written down which it is has held nothing yet. */
export async function isAlive(host: Host, run: string): Promise<boolean> {
  try {
    const text = readFileSync(join(folderOf(host.stateFolder, run), 'process'), 'utf8');
    const { pid, startedAt } = JSON.parse(text) as { pid: number; startedAt: number };
    return (await host.processStartedAt(pid)) === startedAt;
  } catch {
    return false;
  }
}
