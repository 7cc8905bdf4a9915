import { HoldfastError } from '../../contracts/errors.js';
import { isAtOrBelow, isBelow } from './dataset-names.js';
import type { Dataset, Snapshot } from './types.js';

/** Which snapshot a restore of files reads, and which parts of which datasets. Pure. */

export interface Piece {
  dataset: string;
  /** Relative to the dataset; "" for all of it. */
  within: string;
  /** Where it lies below the target; "" for the target itself. */
  place: string;
  /** Folders of it (relative) in whose place other pieces come: datasets below it. */
  inner: string[];
}

export interface FilesPlan {
  /** What stands after "@". */
  snapshot: string;
  /** ISO 8601 UTC: the oldest of the snapshots that are read. */
  restorePoint: string;
  pieces: Piece[];
  /** `dataset guid`: what is read, whatever it is called. */
  guids: string[];
  /** What is asked for and holds no files, or has no such snapshot. */
  notes: string[];
}

export interface FilesRequest {
  root: string;
  /** Relative to the root; none means all. */
  paths: readonly string[];
  copy?: string | undefined;
  at?: string | undefined;
  /** Only snapshots of this job are taken by themselves. */
  job?: string | undefined;
}

interface Start {
  owner: Dataset;
  within: string;
}

export function planFiles(datasets: readonly Dataset[], request: FilesRequest): FilesPlan {
  const starts = withoutInner(request.paths.length === 0 ? [''] : request.paths, datasets, request);
  const chosen = chooseSnapshot(
    starts.map(({ owner }) => owner),
    request,
  );
  const taken = starts.flatMap((start) => piecesOf(start, datasets, chosen.name, request.root));
  const pieces = taken.flatMap(({ piece }) => piece ?? []);
  const read = datasets.filter(({ name }) => pieces.some(({ dataset }) => dataset === name));
  refuseLocked(read);
  const snapshots = read.flatMap((dataset) => namedIn(dataset, chosen.name) ?? []);
  const oldestS = Math.min(...snapshots.map(({ creationS }) => creationS));
  if (pieces.length === 0) throw notFound(`@${chosen.name} holds no files that were asked for`);
  return {
    snapshot: chosen.name,
    restorePoint: new Date(oldestS * 1000).toISOString(),
    pieces,
    guids: read.map((dataset) => `${dataset.name} ${namedIn(dataset, chosen.name)?.guid}`),
    notes: taken.flatMap(({ note }) => note ?? []),
  };
}

export const namedIn = (dataset: Dataset, name: string): Snapshot | undefined =>
  dataset.snapshots.find((one) => one.name === name);

const notFound = (message: string): HoldfastError =>
  new HoldfastError('HF_COPY_NOT_FOUND', message.slice(0, 300));

/** "./a//b/" -> "a/b". Whoever starts a workflow could ask for what lies outside of the dataset: this host looks itself. */
function plainPath(path: string): string {
  const parts = path.split('/');
  if (path.startsWith('/') || parts.includes('..') || path.includes('\0'))
    throw new HoldfastError(
      'HF_PATH_NOT_FOUND',
      `"${path}" is no path inside of a dataset: it begins with "/", or holds ".." or a NUL`.slice(0, 300),
    );
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

function withoutInner(
  paths: readonly string[],
  datasets: readonly Dataset[],
  { root }: FilesRequest,
): Start[] {
  const plain = [...new Set(paths.map(plainPath))];
  const outer = plain.filter(
    (path) => !plain.some((other) => other !== path && (other === '' || path.startsWith(`${other}/`))),
  );
  return outer.map((path) => startOf(path, datasets, root));
}

/** The deepest dataset on the way; the rest of the path lies within it. */
function startOf(path: string, datasets: readonly Dataset[], root: string): Start {
  const onTheWay = datasets
    .map((owner) => ({ owner, rel: owner.name.slice(root.length + 1) }))
    .filter(({ rel }) => rel === '' || path === rel || path.startsWith(`${rel}/`));
  const deepest = onTheWay.sort((one, other) => other.rel.length - one.rel.length)[0];
  if (!deepest)
    throw new HoldfastError(
      'HF_PATH_NOT_FOUND',
      `There is no dataset for "${path}" below ${root}`.slice(0, 300),
    );
  const { owner, rel } = deepest;
  if (owner.type === 'volume')
    throw new HoldfastError(
      'HF_PATH_NOT_FOUND',
      `${owner.name} is a zvol, a disk of somebody else: there are no files in it. Restore it as a dataset (--clone)`.slice(
        0,
        300,
      ),
    );
  return { owner, within: path.slice(rel === '' ? 0 : rel.length + 1) };
}

/** The newest that all datasets have in which a wanted path begins, by name. */
export function chooseSnapshot(
  owners: readonly Dataset[],
  { copy, at, job }: Pick<FilesRequest, 'copy' | 'at' | 'job'>,
): Snapshot {
  const [first, ...others] = owners;
  const common = (first?.snapshots ?? []).filter(({ name }) => others.every((owner) => namedIn(owner, name)));
  const untilMs = at === undefined ? Number.POSITIVE_INFINITY : Date.parse(at);
  const fits = (one: Snapshot): boolean =>
    copy === undefined
      ? (job === undefined || one.job === job) && one.creationS * 1000 <= untilMs
      : one.name === copy;
  const found = common.findLast(fits);
  if (found) return found;
  const newest = common.slice(-3).map(({ name }) => `@${name}`);
  const there = newest.length > 0 ? `the newest are ${newest.join(', ')}` : 'there are none';
  const what = copy === undefined ? 'no snapshot that fits' : `no snapshot "${copy.slice(0, 80)}"`;
  throw notFound(`${first?.name ?? 'The dataset'} has ${what}: ${there}`);
}

interface Taken {
  piece?: Piece;
  note?: string;
}

function piecesOf(
  { owner, within }: Start,
  datasets: readonly Dataset[],
  snapshot: string,
  root: string,
): Taken[] {
  const rel = (name: string): string => name.slice(root.length + 1);
  if (within !== '')
    return [
      {
        piece: {
          dataset: owner.name,
          within,
          place: [rel(owner.name), within].filter(Boolean).join('/'),
          inner: [],
        },
      },
    ];
  const below = datasets.filter(({ name }) => isAtOrBelow(name, owner.name));
  const taken = below.flatMap((dataset): (Taken & { dataset: Dataset })[] => {
    const note = whyNot(dataset, snapshot, owner);
    if (note === 'young') return [];
    return [
      note === undefined
        ? { dataset, piece: { dataset: dataset.name, within: '', place: rel(dataset.name), inner: [] } }
        : { dataset, note },
    ];
  });
  const names = taken.flatMap(({ piece }) => (piece ? [piece.dataset] : []));
  for (const { piece } of taken) if (piece) piece.inner = innerOf(piece.dataset, names);
  return taken;
}

/** Only the highest: what lies below them goes with them. */
function innerOf(dataset: string, names: readonly string[]): string[] {
  const below = names.filter((name) => isBelow(name, dataset));
  return below
    .filter((name) => !below.some((other) => isBelow(name, other)))
    .map((name) => name.slice(dataset.length + 1));
}

/** "young": it was made after the snapshot and is not missed. */
function whyNot(dataset: Dataset, snapshot: string, owner: Dataset): string | undefined {
  if (dataset.type === 'volume') return `${dataset.name} is a zvol: there are no files in it`;
  if (namedIn(dataset, snapshot)) return undefined;
  const madeAt = namedIn(owner, snapshot)?.createtxg ?? 0;
  return dataset.createtxg > madeAt ? 'young' : `${dataset.name} has no snapshot @${snapshot}`;
}

function refuseLocked(read: readonly Dataset[]): void {
  const locked = read.find(({ keyStatus }) => keyStatus === 'unavailable');
  if (!locked) return;
  const message = `The key of ${locked.name} is not loaded, so its files cannot be read. Run "zfs load-key ${locked.encryptionRoot}" on its host (and "zfs unload-key" afterwards), send the dataset back whole, or choose other paths`;
  throw new HoldfastError('HF_SOURCE_MISSING', message.slice(0, 400));
}
