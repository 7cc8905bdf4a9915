import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Logs of runs, and what snapraid found to have changed, are read when something went wrong; histories of Temporal are kept for as long. */

export interface LogLimits {
  /** Removed when nothing was written to it for so long. */
  ageMs: number;
  /** Of all together; the oldest go first. */
  bytes: number;
}

const dayMs = 86_400_000;
const usual: LogLimits = { ageMs: 90 * dayMs, bytes: 256 * 2 ** 20 };

/** Where they lie in the state folder, and how their names end. */
const places = [
  { folder: 'logs', ending: '.log' },
  { folder: 'snapraid', ending: '.diff' },
];

/** Keeps them from growing for ever; what was written to within a day stays, whatever its size. Answers what went. */
export async function removeOldLogs(
  stateFolder: string,
  nowMs: number,
  limits: LogLimits = usual,
): Promise<string[]> {
  const found = await Promise.all(
    places.map(({ folder, ending }) => logsIn(join(stateFolder, folder), ending)),
  );
  const newestFirst = found.flat().sort((a, b) => b.writtenMs - a.writtenMs);
  const removed: string[] = [];
  let bytes = 0;
  for (const log of newestFirst) {
    const ageMs = nowMs - log.writtenMs;
    bytes += log.bytes;
    if (ageMs <= dayMs || (ageMs <= limits.ageMs && bytes <= limits.bytes)) continue;
    await unlink(join(log.folder, log.name)).then(
      () => removed.push(log.name),
      // Somebody else was faster, or it may not be removed: no reason to end a step.
      () => undefined,
    );
  }
  return removed;
}

interface FoundLog {
  folder: string;
  name: string;
  writtenMs: number;
  bytes: number;
}

async function logsIn(folder: string, ending: string): Promise<FoundLog[]> {
  const names = await readdir(folder).catch(() => []);
  const found: FoundLog[] = [];
  for (const name of names.filter((name) => name.endsWith(ending))) {
    const facts = await stat(join(folder, name)).catch(() => undefined);
    if (facts?.isFile()) found.push({ folder, name, writtenMs: facts.mtimeMs, bytes: facts.size });
  }
  return found;
}
