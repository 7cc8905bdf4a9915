import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { ticks } from './clock.js';
import { parseProcessStat } from './processes.js';

/**
 * Processes that may outlive whoever started them. Each writes down which one it is before it becomes its program: they can be ended later, and
 * no other, because a number alone may be another process's by then.
 */

/** One that runs. */
export interface Recorded {
  /** Its program and the first word it was given: "restic-backup". */
  name: string;
  pid: number;
}

const bootIdFile = '/proc/sys/kernel/random/boot_id';

/** The text of a program that stands for another one: it writes its number and its moment into the folder, and becomes it. */
export function recordingScript(program: readonly string[], folder: string, name: string): string {
  const quoted = program.map(inQuotes).join(' ');
  const record = `${inQuotes(`${folder}/${name}`)}"-\${1##*/}-$$"`;
  // What cannot be found again does not start.
  return `#!/bin/sh\ncat ${bootIdFile} "/proc/$$/stat" > ${record} || exit 1\nexec ${quoted} "$@"\n`;
}

const inQuotes = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Those recorded in the folder that still run. */
export async function runningIn(folder: string): Promise<Recorded[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (names.length === 0) return [];
  const bootId = await readFile(bootIdFile, 'utf8');
  const found = await Promise.all(names.map((name) => runningAs(`${folder}/${name}`, name, bootId)));
  return found.flatMap((one) => one ?? []);
}

/** Undefined as well for a record that is only being written, and for one of before the last start of the machine. */
async function runningAs(file: string, recordName: string, bootId: string): Promise<Recorded | undefined> {
  const [, name, pid] = /^(.+)-(\d+)$/.exec(recordName) ?? [];
  const record = await readFile(file, 'utf8');
  if (!name || !pid || !record.startsWith(bootId)) return undefined;
  const since = parseProcessStat(record.slice(bootId.length));
  const now = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  if (since === undefined || now === '' || parseProcessStat(now) !== since) return undefined;
  return { name, pid: Number(pid) };
}

/** Sends the signal to those that run. */
export function signalRecorded(recorded: readonly Recorded[], signal: NodeJS.Signals): void {
  for (const { pid } of recorded) {
    try {
      process.kill(pid, signal);
    } catch {
      // It is gone already: that is what was wanted.
    }
  }
}

const lookEveryMs = 50;

/** Waits until none of them runs any more, but no longer than this; answers what still runs. */
export async function untilEnded(folder: string, withinMs: number): Promise<Recorded[]> {
  const endsAt = ticks() + withinMs;
  for (;;) {
    const running = await runningIn(folder);
    if (running.length === 0 || ticks() > endsAt) return running;
    await pause(lookEveryMs);
  }
}

/** Ends all of them; answers what could not be ended. Looks twice: one of them may just have started another. */
export async function endRecorded(folder: string): Promise<Recorded[]> {
  let left: Recorded[] = [];
  for (const endsAt = ticks() + 10_000; ticks() < endsAt; await pause(lookEveryMs)) {
    const before = left.length;
    left = await runningIn(folder);
    if (before === 0 && left.length === 0) return [];
    signalRecorded(left, 'SIGKILL');
  }
  return left;
}
