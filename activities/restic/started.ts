import { randomUUID } from 'node:crypto';
import type { Restic } from './opened.js';

/** Which restics we started: only of these do we ever take a left lock away without waiting. */

type Place = Pick<Restic, 'host' | 'store'>;

const recordsFolder = ({ host, store }: Place): string => `${host.stateFolder}/locks/started-${store}`;

/** A lock that is older than a month is no business of a record. */
const forgetAfterMs = 30 * 86_400_000;

export interface Record {
  /** For the process's own number. */
  file: string;
  /** It ended well, so it took its lock with it. */
  forget(): Promise<void>;
}

/** A place for the process's number, which it writes down itself: even the death of our worker leaves no gap. */
export async function recordStart(place: Place): Promise<Record> {
  const { host } = place;
  const folder = recordsFolder(place);
  const file = `${folder}/${randomUUID()}`;
  await host.makeFolder(folder);
  return { file, forget: () => host.removeTree(file, folder) };
}

export interface Started {
  pid: number;
  atMs: number;
  file: string;
}

/** Those that did not end well, or still run. */
export async function startedBefore(place: Place, nowMs: number): Promise<Started[]> {
  const { host } = place;
  const folder = recordsFolder(place);
  if (!(await host.exists(folder))) return [];
  const found: Started[] = [];
  for (const name of await host.list(folder)) {
    const file = `${folder}/${name}`;
    const facts = await host.facts(file);
    if (!facts) continue;
    const atMs = Number(BigInt(facts.mtimeNs) / 1_000_000n);
    if (nowMs - atMs > forgetAfterMs) await host.removeTree(file, folder);
    else found.push({ pid: Number(await host.readFile(file)), atMs, file });
  }
  return found;
}

/** Their locks are gone: nothing is left to know about them. */
export async function forgetStarted(place: Place, started: readonly Started[]): Promise<void> {
  for (const { file } of started) await place.host.removeTree(file, recordsFolder(place));
}
