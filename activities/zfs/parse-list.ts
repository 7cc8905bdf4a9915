import { HoldfastError } from '../../contracts/errors.js';
import { type ListColumn, listColumns } from './list-command.js';
import type { Bookmark, Dataset, Listing, Snapshot } from './types.js';

/** Reads the lines of `listCommand`. A line that is not as planned ends it: what decides over copies is never guessed. */

export interface ListingReader {
  read(line: string): void;
  /** Everything that was read, parents before children, snapshots and bookmarks in the order in which the pool made them. */
  finish(): Listing;
}

/** What a dataset itself carries: its snapshots inherit it, so it says nothing about who made them. */
interface Inherited {
  run: string | undefined;
  job: string | undefined;
}

/** Takes line after line, so that a tree of half a million snapshots is never held as text. */
export function listingReader(): ListingReader {
  const datasets = new Map<string, Dataset>();
  const inherited = new Map<string, Inherited>();
  const sameText = textsOnce();
  return {
    read(line) {
      if (line === '') return;
      const row = rowOf(line);
      if (row.type === 'filesystem' || row.type === 'volume') {
        datasets.set(row.name, datasetOf(row, row.type));
        inherited.set(row.name, { run: row.text('holdfast:run'), job: row.text('holdfast:job') });
        return;
      }
      const [owner, name] = splitName(row);
      const dataset = datasets.get(owner);
      if (!dataset) throw odd(`it names ${row.name} before its dataset`);
      if (row.type === 'bookmark') dataset.bookmarks.push(bookmarkOf(row, sameText(name)));
      else dataset.snapshots.push(snapshotOf(row, sameText(name), inherited.get(owner), sameText));
    },
    finish: () => inOrder(datasets),
  };
}

/** All of it at once. */
export function parseListing(text: string): Listing {
  const reader = listingReader();
  for (const line of text.split('\n')) reader.read(line);
  return reader.finish();
}

interface Row {
  name: string;
  type: string;
  /** undefined for "-": there is none, or it does not apply. */
  text(column: ListColumn): string | undefined;
  count(column: ListColumn): number;
}

const columnAt = Object.fromEntries(listColumns.map((column, at) => [column, at])) as Record<
  ListColumn,
  number
>;

function rowOf(line: string): Row {
  const fields = line.split('\t');
  // A mount point or a property that holds a tab or a line break would move all that follows.
  if (fields.length !== listColumns.length)
    throw odd(`a line has ${fields.length} fields: ${line.slice(0, 80)}`);
  const field = (column: ListColumn): string => fields[columnAt[column]] as string;
  const name = field('name');
  return {
    name,
    type: field('type'),
    text: (column) => (field(column) === '-' ? undefined : field(column)),
    count(column) {
      if (field(column) === '-') return 0;
      const number = Number(field(column));
      if (!Number.isFinite(number)) throw odd(`${column} of ${name} is "${field(column).slice(0, 40)}"`);
      return number;
    },
  };
}

const odd = (what: string): HoldfastError =>
  new HoldfastError(
    'HF_TOOL_FAILED',
    `zfs list cannot be understood: ${what}. Nothing was changed`.slice(0, 300),
  );

function splitName({ name, type }: Row): [string, string] {
  const sign = type === 'bookmark' ? '#' : type === 'snapshot' ? '@' : '';
  const at = sign === '' ? -1 : name.indexOf(sign);
  if (at < 1) throw odd(`${name.slice(0, 120)} is said to be of type "${type.slice(0, 20)}"`);
  return [name.slice(0, at), name.slice(at + 1)];
}

/** Unsigned 64 bit: no JavaScript number holds it. */
function guidOf({ name, text }: Row): string {
  const guid = text('guid') ?? '';
  if (!/^\d{1,20}$/.test(guid)) throw odd(`the guid of ${name} is "${guid.slice(0, 40)}"`);
  // A new text: one that was cut out of its line would keep the whole line in memory, a million times.
  return BigInt(guid).toString();
}

const onOrUnset = (value: string | undefined): string | undefined => (value === 'off' ? undefined : value);

const datasetOf = (row: Row, type: Dataset['type']): Dataset => ({
  name: row.name,
  type,
  guid: guidOf(row),
  createtxg: row.count('createtxg'),
  encryption: onOrUnset(row.text('encryption')),
  encryptionRoot: row.text('encryptionroot'),
  keyStatus: row.text('keystatus'),
  origin: row.text('origin'),
  resumeToken: row.text('receive_resume_token'),
  readonly: row.text('readonly'),
  canmount: row.text('canmount'),
  mountpoint: row.text('mountpoint'),
  mounted: row.text('mounted') === 'yes',
  keyLocation: row.text('keylocation'),
  usedBytes: row.count('used'),
  availableBytes: row.count('available'),
  writtenBytes: row.count('written'),
  replicaOf: row.text('holdfast:replica-of'),
  role: row.text('holdfast:role'),
  snapshots: [],
  bookmarks: [],
});

const bookmarkOf = (row: Row, name: string): Bookmark => ({
  name,
  guid: guidOf(row),
  createtxg: row.count('createtxg'),
  creationS: row.count('creation'),
});

type SameText = <T extends string | undefined>(text: T) => T;

function snapshotOf(row: Row, name: string, inherited: Inherited | undefined, sameText: SameText): Snapshot {
  const own = (value: string | undefined, above: string | undefined): string | undefined =>
    value === above ? undefined : sameText(value);
  return {
    name,
    guid: guidOf(row),
    createtxg: row.count('createtxg'),
    creationS: row.count('creation'),
    holds: row.count('userrefs'),
    usedBytes: row.count('used'),
    writtenBytes: row.count('written'),
    referencedBytes: row.count('referenced'),
    run: own(row.text('holdfast:run'), inherited?.run),
    job: own(row.text('holdfast:job'), inherited?.job),
  };
}

/** One recursive snapshot gives thousands of equal names: each text is kept once, and without the line that it was cut from. */
function textsOnce(): SameText {
  const known = new Map<string, string>();
  return <T extends string | undefined>(text: T): T => {
    if (text === undefined) return text;
    const same = known.get(text);
    if (same !== undefined) return same as T;
    known.set(text, text);
    return text;
  };
}

function inOrder(datasets: ReadonlyMap<string, Dataset>): Listing {
  const byTxg = (one: { createtxg: number }, other: { createtxg: number }): number =>
    one.createtxg - other.createtxg;
  for (const { snapshots, bookmarks } of datasets.values()) {
    snapshots.sort(byTxg);
    bookmarks.sort(byTxg);
  }
  return new Map([...datasets].sort(([one], [other]) => (one < other ? -1 : 1)));
}
