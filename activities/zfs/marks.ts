import { HoldfastError } from '../../contracts/errors.js';
import { parseRunId } from '../../contracts/names.js';
import type { Host } from '../../system/host.js';
import { openRuns } from '../host/undo.js';
import { mustSucceed } from './classify.js';
import { ownProperties, zfsCommand } from './list-command.js';
import type { Zfs } from './listing.js';
import { poolOf } from './pool-room.js';
import { holdTags } from './replicate-hosts.js';
import { fenceTag } from './replicate-names.js';
import { type HoldTags, holderOf } from './retention-lagging.js';
import { type LocalProperties, localProperties } from './tree-properties.js';

/** What runs have left in pools, as it stands there: by its names alone, whatever any configuration says. */

/** One hold or bookmark of ours. */
export interface Mark {
  /** `hold`, `fence` and `cursor` are of replications, `reading` of a backup or restore that reads from the snapshot. */
  kind: 'hold' | 'fence' | 'cursor' | 'reading';
  dataset: string;
  /** The snapshot that is held, or the bookmark: what stands after "@" or "#". */
  at: string;
  guid: string;
  createtxg: number;
  /** Seconds since 1970, of the snapshot. */
  creationS: number;
  /** What the snapshot alone keeps; 0 for a bookmark. */
  usedBytes: number;
  /** Of all but a bookmark. */
  tag?: string;
  /** Shortened as it stands in tags and bookmarks; a fence and what is read do not say it. */
  destination?: string;
  /** Which run has set a hold, or reads. */
  run?: string;
  /** Of a fence: nothing there stands by, is in use instead of another side, or is anybody's replica. */
  isUseless?: true;
}

/** One line of a listing: a snapshot or a bookmark, by its full name. */
export type Row = Pick<Mark, 'guid' | 'createtxg' | 'creationS' | 'usedBytes'> & {
  name: string;
  holds: number;
};

/** See holdTag in source.ts. */
const readingForm = /^holdfast:(.+)$/;
const destinationForm = /^[a-z0-9.-]{1,16}$/;
const cursorForm = /^holdfast_([a-z0-9.-]{1,16})_(\d{1,20})$/;

/** Only what has just our form is ours: a bookmark's name ends with its own guid, a hold's tag with a run. Pure. */
export function marksIn(
  rows: readonly Row[],
  tags: ReadonlyMap<string, readonly string[]>,
  said: LocalProperties | undefined = undefined,
): Mark[] {
  const isUseless = (dataset: string): boolean => said !== undefined && !saysWhy(dataset, said);
  return rows.flatMap((row): Mark[] => {
    const [dataset = '', at = ''] = row.name.split(/[@#]/);
    const { guid, createtxg, creationS, usedBytes } = row;
    const mark = { dataset, at, guid, createtxg, creationS, usedBytes };
    if (row.name[dataset.length] === '#') {
      const [, destination, named] = cursorForm.exec(at) ?? [];
      return destination !== undefined && named === guid ? [{ ...mark, kind: 'cursor', destination }] : [];
    }
    return (tags.get(row.name) ?? []).flatMap((tag): Mark[] => {
      if (tag === fenceTag)
        return [{ ...mark, kind: 'fence', tag, ...(isUseless(dataset) && { isUseless: true as const }) }];
      const [, reader = ''] = readingForm.exec(tag) ?? [];
      if (parseRunId(reader)) return [{ ...mark, kind: 'reading', tag, run: reader }];
      const holder = holderOf(tag);
      return holder && destinationForm.test(holder.destination)
        ? [{ ...mark, kind: 'hold', tag, ...holder }]
        : [];
    });
  });
}

/** A fence guards a replica, which says so itself, or a side of a failover, whose root has a role. */
const saysWhy = (dataset: string, said: LocalProperties): boolean =>
  dataset.split('/').some((_, at, parts) => said.has(parts.slice(0, at + 1).join('/')));

export interface Marks {
  marks: Mark[];
  /** So many held snapshots were more than could be asked for. */
  unasked: number;
}

/** Below some datasets, or in all pools of a host. One listing of each root, then who holds what is held. */
export async function lookAtMarks(
  zfs: Zfs,
  roots: readonly string[] | 'all pools',
  mostHeld = Number.POSITIVE_INFINITY,
): Promise<Marks> {
  const rows = roots === 'all pools' ? await rowsBelow(zfs) : [];
  for (const root of roots === 'all pools' ? [] : roots) rows.push(...(await rowsBelow(zfs, root)));
  const held = rows.flatMap(({ name, holds }) => (holds > 0 ? [name] : []));
  const asked = held.slice(0, mostHeld);
  const tags: HoldTags = asked.length === 0 ? new Map() : await holdTags(zfs, asked);
  const fenced = asked.filter((snapshot) => tags.get(snapshot)?.includes(fenceTag));
  return { marks: marksIn(rows, tags, await whatIsSaid(zfs, fenced)), unasked: held.length - asked.length };
}

/** Of whole pools: a role stands on the root of what was failed over, which may lie above what was asked for. */
async function whatIsSaid(zfs: Zfs, fenced: readonly string[]): Promise<LocalProperties> {
  const pools = [...new Set(fenced.map((snapshot) => poolOf(snapshot)))];
  const names = [ownProperties.role, ownProperties.replicaOf];
  const all = await Promise.all(
    pools.map((pool) => localProperties(zfs, pool, names, { sources: 'local,received' })),
  );
  return new Map(all.flatMap((one) => [...one]));
}

/** The same without what somebody lets go of by himself. Asked in this order: a run tells its host of what it will hold before it holds it. */
export async function lookAtForgotten(host: Host, ...where: Parameters<typeof lookAtMarks>): Promise<Marks> {
  const { marks, unasked } = await lookAtMarks(...where);
  return { marks: withoutOpen(marks, await openRuns(host)), unasked };
}

/** What is read by runs that their host has open: they let go of it themselves, or "holdfast undo" does. */
export const withoutOpen = (marks: readonly Mark[], open: ReadonlySet<string>): Mark[] =>
  marks.filter(({ kind, run = '' }) => kind !== 'reading' || !open.has(run));

const columns = 'name,guid,createtxg,creation,used,userrefs';

/** Only what may be a mark is kept of it: a host may have half a million snapshots. A root that is not there has none. */
async function rowsBelow({ host, signal, zfs }: Zfs, root?: string): Promise<Row[]> {
  const rows: Row[] = [];
  const below = root === undefined ? [] : ['-r'];
  const words = ['list', '-Hp', ...below, '-t', 'snapshot,bookmark', '-o', columns];
  const command = zfsCommand(zfs, [...words, ...(root === undefined ? [] : [root])]);
  let odd: string | undefined;
  const result = await host.run(command, {
    signal,
    onLine(line, stream) {
      if (stream === 'stderr' || line === '') return;
      const row = rowIn(line);
      if (!row) odd ??= line;
      else if (row.holds > 0 || row.name.includes('#holdfast_')) rows.push(row);
    },
  });
  try {
    mustSucceed(result, `list what is held in ${root ?? 'all pools'}`, host.name);
  } catch (error) {
    if (root !== undefined && error instanceof HoldfastError && error.code === 'HF_DATASET_MISSING')
      return [];
    throw error;
  }
  if (odd !== undefined)
    throw new HoldfastError('HF_TOOL_FAILED', `zfs list cannot be understood: ${odd.slice(0, 100)}`);
  return rows;
}

function rowIn(line: string): Row | undefined {
  const [name = '', guid = '', createtxg, creation, used, holds] = line.split('\t');
  const row = { name, guid, createtxg: Number(createtxg), creationS: Number(creation) };
  if (!/[@#]/.test(name) || !/^\d+$/.test(guid) || !Number.isFinite(row.createtxg) || holds === undefined)
    return undefined;
  // A bookmark has neither.
  return { ...row, usedBytes: Number(used) || 0, holds: Number(holds) || 0 };
}
