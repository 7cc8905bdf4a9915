import type { Host } from '../../system/host.js';
import type { Dataset } from './types.js';

/** What was there when a job last took its snapshots. A dataset that is gone has taken its snapshots with it, so it must be remembered elsewhere. */

/** Names by guid. */
export type Known = Record<string, string>;

/** What came, went or was renamed, in words; nothing on the first look. */
export function describeChanges(before: Known | undefined, datasets: readonly Dataset[]): string[] {
  if (!before) return [];
  const now = new Map(datasets.map(({ guid, name }) => [guid, name]));
  const gone = Object.entries(before).filter(([guid]) => !now.has(guid));
  const renamed = Object.entries(before).filter(([guid, name]) => now.has(guid) && now.get(guid) !== name);
  const isNew = (guid: string): boolean => !Object.hasOwn(before, guid);
  const came = datasets.filter(({ guid }) => isNew(guid)).map(({ name }) => name);
  return [
    ...words(
      'gone since the last run, with their snapshots',
      gone.map(([, name]) => name),
    ),
    ...words(
      'renamed since the last run',
      renamed.map(([guid, name]) => `${name} to ${now.get(guid)}`),
    ),
    ...words('new since the last run', came),
  ];
}

const namedAtMost = 5;

function words(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const more = names.length > namedAtMost ? ` and ${names.length - namedAtMost} more` : '';
  return [`${names.length} ${what}: ${names.slice(0, namedAtMost).join(', ')}${more}`.slice(0, 400)];
}

const file = ({ stateFolder }: Host, job: string, resource: string): string =>
  `${stateFolder}/zfs/${job}.${resource}.datasets.json`;

/** undefined when nothing is remembered: the file is only a comfort. */
export async function readKnown(host: Host, job: string, resource: string): Promise<Known | undefined> {
  const path = file(host, job, resource);
  if (!(await host.exists(path))) return undefined;
  try {
    return JSON.parse(await host.readFile(path)) as Known;
  } catch {
    return undefined;
  }
}

export async function writeKnown(
  host: Host,
  job: string,
  resource: string,
  datasets: readonly Dataset[],
): Promise<void> {
  const known: Known = Object.fromEntries(datasets.map(({ guid, name }) => [guid, name]));
  await host.makeFolder(`${host.stateFolder}/zfs`);
  await host.writeFile(file(host, job, resource), JSON.stringify(known));
}
