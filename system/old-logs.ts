import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Logs of runs are read when something went wrong; histories of Temporal are kept for as long. */

export interface LogLimits {
  /** Removed when nothing was written to it for so long. */
  ageMs: number;
  /** Of all together; the oldest go first. */
  bytes: number;
}

const dayMs = 86_400_000;
const usual: LogLimits = { ageMs: 90 * dayMs, bytes: 256 * 2 ** 20 };

/** Keeps the folder of run logs from growing for ever; what was written to within a day stays, whatever its size. Answers what went. */
export async function removeOldLogs(
  stateFolder: string,
  nowMs: number,
  limits: LogLimits = usual,
): Promise<string[]> {
  const folder = join(stateFolder, 'logs');
  const newestFirst = (await logsIn(folder)).sort((a, b) => b.writtenMs - a.writtenMs);
  const removed: string[] = [];
  let bytes = 0;
  for (const log of newestFirst) {
    const ageMs = nowMs - log.writtenMs;
    bytes += log.bytes;
    if (ageMs <= dayMs || (ageMs <= limits.ageMs && bytes <= limits.bytes)) continue;
    await unlink(join(folder, log.name)).then(
      () => removed.push(log.name),
      // Somebody else was faster, or it may not be removed: no reason to end a step.
      () => undefined,
    );
  }
  return removed;
}

interface FoundLog {
  name: string;
  writtenMs: number;
  bytes: number;
}

async function logsIn(folder: string): Promise<FoundLog[]> {
  const names = await readdir(folder).catch(() => []);
  const found: FoundLog[] = [];
  for (const name of names.filter((name) => name.endsWith('.log'))) {
    const facts = await stat(join(folder, name)).catch(() => undefined);
    if (facts?.isFile()) found.push({ name, writtenMs: facts.mtimeMs, bytes: facts.size });
  }
  return found;
}
