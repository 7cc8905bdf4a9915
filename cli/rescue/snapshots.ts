import { configTag } from '../../activities/restic/config-copy.js';
import { listSnapshots, openRestic } from '../../activities/restic/driver.js';
import type { Snapshot } from '../../activities/restic/parse.js';
import { sparseTag } from '../../activities/restic/sparse-copy.js';
import type { Context } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { bytes, table } from '../render.js';
import { age, localTime, localZone } from '../time.js';
import { type Rescue, type RescueWords, rescueStore } from './open.js';

/** A copy of Holdfast, by its tags. */
export interface TaggedCopy {
  job: string;
  resource: string;
  run: string;
  snapshot: Snapshot;
}

/** `rescue restic snapshots`: what can be restored, newest first. */
export async function printSnapshots(
  context: Context,
  rescue: Rescue,
  { copyOf }: RescueWords,
): Promise<number> {
  const { copies, parts, others } = await taggedCopies(rescue);
  const isWanted = (copy: TaggedCopy): boolean => copyOf === undefined || isOf(copy, copyOf);
  const wanted = copies.filter(isWanted);
  const newestParts = newestOfEach(parts.filter(isWanted));
  if (context.json) {
    const found = {
      copies: wanted.map(plain),
      parts: parts.length,
      newestParts: newestParts.map(plain),
      others,
    };
    context.out(JSON.stringify(found, null, 2));
  } else {
    context.out(wanted.length === 0 ? 'No copies of Holdfast.' : copiesTable(context, wanted));
    if (newestParts.length > 0) context.out(partsText(context, newestParts));
    if (others > 0) context.note(`${others} snapshots are not copies of Holdfast; restic itself lists them`);
  }
  return exitCodes.done;
}

/** The newest first: each part holds the ones before it. */
export const newestOfEach = (parts: readonly TaggedCopy[]): TaggedCopy[] => [
  ...new Map(parts.toReversed().map((part) => [`${part.job}/${part.resource}`, part])).values(),
];

const partsText = (context: Context, newest: readonly TaggedCopy[]): string =>
  [
    '',
    'Part of an unfinished first upload, the newest of each: "rescue restic restore --copy SNAPSHOT" restores what it holds.',
    copiesTable(context, newest),
  ].join('\n');

export interface Found {
  copies: TaggedCopy[];
  /** Parts of first uploads: no copies, and restored only by their name. */
  parts: TaggedCopy[];
  /** Everything, the oldest first. */
  listing: readonly Snapshot[];
  /** How many are not ours. */
  others: number;
}

/** The newest first. */
export async function taggedCopies({ toolsFor }: Rescue): Promise<Found> {
  const tools = toolsFor({ job: 'rescue', resource: 'copies', target: '/', run: 'rescue' });
  const all = await listSnapshots(await openRestic(tools, rescueStore, 'rescue-list'), []);
  const copies = all.flatMap((snapshot) => {
    const [job, resource, run] = ['job', 'resource', 'run'].map((kind) => tagOf(snapshot, kind));
    return job && resource ? [{ job, resource, run: run ?? '', snapshot }] : [];
  });
  const parts = all.flatMap((snapshot) => {
    const [job, resource] = tagOf(snapshot, 'part')?.split('/') ?? [];
    return job && resource ? [{ job, resource, run: tagOf(snapshot, 'run') ?? '', snapshot }] : [];
  });
  return {
    copies: copies.reverse(),
    parts: parts.reverse(),
    listing: all,
    others: all.length - copies.length - parts.length - all.filter(isBeside).length,
  };
}

/** The configuration and the notes of sparse files, which are no copies. */
const isBeside = ({ tags }: Snapshot): boolean => tags.includes(configTag) || tags.includes(sparseTag);

const tagOf = ({ tags }: Snapshot, kind: string): string | undefined =>
  tags.find((tag) => tag.startsWith(`${kind}:`))?.slice(kind.length + 1);

/** Whether a copy is one of JOB or JOB/RESOURCE. */
export const isOf = ({ job, resource }: TaggedCopy, copyOf: string): boolean =>
  copyOf === job || copyOf === `${job}/${resource}`;

const plain = ({ job, resource, run, snapshot }: TaggedCopy) => ({
  job,
  resource,
  run,
  snapshot: snapshot.id,
  restorePoint: new Date(snapshot.time).toISOString(),
  host: snapshot.hostname,
  ...snapshot.summary,
});

function copiesTable(context: Context, copies: readonly TaggedCopy[]): string {
  const now = context.now().getTime();
  return table(
    context,
    ['JOB/RESOURCE', 'snapshot', `of (${localZone()})`, 'age', 'files', 'size', 'host', 'run'],
    copies.map(({ job, resource, run, snapshot }) => [
      `${job}/${resource}`,
      snapshot.id.slice(0, 12),
      localTime(new Date(snapshot.time)),
      age(now - Date.parse(snapshot.time)),
      snapshot.summary ? String(snapshot.summary.files) : '?',
      snapshot.summary ? bytes(snapshot.summary.bytes) : '?',
      snapshot.hostname,
      run,
    ]),
  );
}
