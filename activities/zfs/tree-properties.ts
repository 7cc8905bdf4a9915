import { mustSucceed } from './classify.js';
import { zfsCommand } from './list-command.js';
import type { Zfs } from './listing.js';

/** Properties that datasets of a tree carry themselves: what they only inherit says nothing about how they were set. */

export type LocalProperties = ReadonlyMap<string, Readonly<Record<string, string>>>;

export const localCommand = (
  zfs: string,
  root: string,
  names: readonly string[],
  depth?: number,
  sources = 'local',
) =>
  zfsCommand(zfs, [
    ...[
      'get',
      '-Hp',
      ...(depth === undefined ? ['-r'] : ['-d', String(depth)]),
      '-t',
      'filesystem,volume',
      '-s',
      sources,
      '-o',
      'name,property,value',
    ],
    names.join(','),
    root,
  ]);

/** By dataset; a value may hold anything but a line break. */
export function parseLocal(text: string): LocalProperties {
  const found = new Map<string, Record<string, string>>();
  for (const line of text.split('\n')) {
    const [name, property, ...value] = line.split('\t');
    if (!name || !property) continue;
    const known = found.get(name) ?? {};
    known[property] = value.join('\t');
    found.set(name, known);
  }
  return found;
}

/** One command for a whole tree. */
export async function localProperties(
  { host, signal, zfs }: Zfs,
  root: string,
  names: readonly string[],
  { depth, sources }: { depth?: number; sources?: 'local' | 'local,received' } = {},
): Promise<LocalProperties> {
  const result = await host.run(localCommand(zfs, root, names, depth, sources), { signal });
  return parseLocal(mustSucceed(result, `read the properties of ${root}`, host.name).stdout);
}

/** How properties were before we changed them: null where the dataset inherited one. */
export type Before = Readonly<Record<string, string | null>>;

export const beforeText = (local: Readonly<Record<string, string>>, names: readonly string[]): string =>
  JSON.stringify(Object.fromEntries(names.map((name) => [name, local[name] ?? null])));

/** undefined for a text that is not ours: then nothing is put back on its word. */
export function parseBefore(text: string | undefined): Before | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const isOurs = Object.values(value).every((one) => one === null || typeof one === 'string');
    return isOurs ? (value as Before) : undefined;
  } catch {
    return undefined;
  }
}

/** The words after `zfs` that make a dataset what it was. */
export const putBackWords = (dataset: string, before: Before): string[][] => [
  ...(Object.values(before).some((value) => value !== null)
    ? [
        [
          'set',
          ...Object.entries(before).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`])),
          dataset,
        ],
      ]
    : []),
  ...Object.entries(before).flatMap(([name, value]) => (value === null ? [['inherit', name, dataset]] : [])),
];
