import { type ModelDataset, type ModelSnapshot, type Pool, ZfsError } from './pool.js';

/** zfs send and zfs receive on model pools, as OpenZFS's dmu_recv.c decides without -F. */

interface StreamPart {
  fromGuid: string | undefined;
  snapshot: ModelSnapshot;
}

export interface ModelStream {
  parts: StreamPart[];
  raw: boolean;
  encrypted: boolean;
  type: ModelDataset['type'];
  resumes: string | undefined;
}

/** What a send would put into the pipe; the words are those after `zfs`. */
export function openSend(pool: Pool, target: Pool, words: readonly string[]): ModelStream {
  const at = words.indexOf('-t');
  if (at !== -1) return resumed(pool, target, words[at + 1] ?? '');
  const full = words.at(-1) ?? '';
  const { dataset, snapshot } = pool.snapshot(full);
  const raw = words.includes('-w');
  const { encrypted, type } = dataset;
  const flag = words.find((word) => word === '-i' || word === '-I');
  if (!flag) return { parts: [{ fromGuid: undefined, snapshot }], raw, encrypted, type, resumes: undefined };
  const base = words[words.indexOf(flag) + 1] ?? '';
  const from = base.includes('#')
    ? dataset.bookmarks.find(({ name }) => `${dataset.name}#${name}` === base)
    : pool.snapshot(base).snapshot;
  if (!from || from.txg >= snapshot.txg) throw new ZfsError(`incremental source (${base}) does not exist`);
  if (flag === '-I' && base.includes('#')) throw new Error('zfs send -I takes no bookmark');
  const sent =
    flag === '-i' ? [snapshot] : dataset.snapshots.filter(({ txg }) => txg > from.txg && txg <= snapshot.txg);
  let fromGuid = from.guid;
  const parts = sent.map((one) => {
    const part = { fromGuid, snapshot: one };
    fromGuid = one.guid;
    return part;
  });
  return { parts, raw, encrypted, type, resumes: undefined };
}

function resumed(pool: Pool, target: Pool, token: string): ModelStream {
  const partial = [...target.datasets.values()].find((one) => one.partial?.token === token)?.partial;
  if (!partial) throw new ZfsError('cannot resume send: resume token is corrupt (nvlist is bad)');
  // Only one snapshot of a series is gone on with. libzfs looks for its guid in ever larger parts of the tree: a new name is no matter.
  const dataset = [...pool.datasets.values()].find(({ snapshots }) =>
    snapshots.some(({ guid }) => guid === partial.toGuid),
  );
  const snapshot = dataset?.snapshots.find(({ guid }) => guid === partial.toGuid);
  if (!dataset || !snapshot)
    throw new ZfsError(`cannot resume send: '${partial.toName}' used in the initial send no longer exists`);
  const known = [...dataset.snapshots, ...dataset.bookmarks];
  if (partial.fromGuid !== undefined && !known.some(({ guid }) => guid === partial.fromGuid))
    throw new ZfsError(
      `cannot resume send: incremental source 0x${BigInt(partial.fromGuid).toString(16)} no longer exists`,
    );
  const part = { fromGuid: partial.fromGuid, snapshot };
  return {
    parts: [part],
    raw: partial.raw,
    encrypted: dataset.encrypted,
    type: dataset.type,
    resumes: token,
  };
}

/** Takes one part of a stream; `cutAfter` (0…1) is how much of it arrives before the pipe breaks. */
export function receivePart(
  pool: Pool,
  words: readonly string[],
  stream: ModelStream,
  index: number,
  cutAfter?: number,
  toName = '',
): void {
  const name = words.at(-1) ?? '';
  const part = stream.parts[index];
  if (!part) throw new Error('no such part');
  const existing = pool.datasets.get(name);
  // zfs says "already exists; ignoring", reads the stream to its end and ends with 0.
  const isThere = existing?.snapshots.some(({ guid }) => guid === part.snapshot.guid);
  if (part.fromGuid !== undefined && isThere) return;
  checkPartial(existing, name, stream);
  if (part.fromGuid === undefined) checkNew(pool, existing, name, stream);
  else checkContinues(pool.dataset(name), name, part.fromGuid, stream, part.snapshot.name);
  const dataset = existing ?? pool.create(name, { type: stream.type });
  if (!existing) setProperties(dataset, words);
  if (cutAfter !== undefined) {
    dataset.partial = {
      token: pool.token(),
      toGuid: part.snapshot.guid,
      toName,
      fromGuid: part.fromGuid,
      raw: stream.encrypted && stream.raw,
      bytes: Math.max(dataset.partial?.bytes ?? 0, Math.floor(cutAfter * 1000)),
      initial: part.fromGuid === undefined,
    };
    throw new ZfsError('cannot receive: incomplete stream. Partially received snapshot is saved.');
  }
  const { guid, name: snapshotName, written } = part.snapshot;
  dataset.partial = undefined;
  dataset.encrypted = stream.encrypted && stream.raw;
  dataset.raw = dataset.encrypted;
  dataset.snapshots.push({
    name: snapshotName,
    guid,
    txg: pool.tick(),
    written,
    holds: new Set(),
    run: undefined,
  });
  dataset.written = 0;
}

function setProperties(dataset: ModelDataset, words: readonly string[]): void {
  for (const [index, word] of words.entries()) {
    const [key = '', value = ''] = (words[index + 1] ?? '').split('=');
    if (word !== '-o') continue;
    if (dataset.type === 'volume' && key === 'canmount') throw new Error('a volume has no canmount');
    dataset.properties.set(key, value);
  }
}

function checkPartial(existing: ModelDataset | undefined, name: string, { resumes }: ModelStream): void {
  if (existing?.partial && existing.partial.token !== resumes)
    throw new ZfsError(
      `cannot receive: destination ${name} contains partially-complete state from "zfs receive -s".`,
    );
  if (!existing?.partial && resumes !== undefined)
    throw new ZfsError(`cannot receive resume stream: ${name} has no resumable state`);
}

function checkNew(
  pool: Pool,
  existing: ModelDataset | undefined,
  name: string,
  { resumes }: ModelStream,
): void {
  if (existing && resumes === undefined)
    throw new ZfsError(
      `cannot receive new filesystem stream: destination '${name}' exists\nmust specify -F to overwrite it`,
    );
  if (!pool.datasets.has(name.slice(0, name.lastIndexOf('/'))))
    throw new ZfsError(`cannot open '${name}': dataset does not exist`);
}

function checkContinues(
  dataset: ModelDataset,
  name: string,
  fromGuid: string,
  stream: ModelStream,
  snapshotName: string,
): void {
  const at = dataset.snapshots.findIndex(({ guid }) => guid === fromGuid);
  if (at === -1)
    throw new ZfsError(
      `cannot receive incremental stream: most recent snapshot of ${name} does not match incremental source`,
    );
  const newer = dataset.snapshots.slice(at + 1);
  const raw = stream.encrypted && stream.raw;
  const changed = dataset.written > 0 || newer.some(({ written }) => written > 0);
  if (changed || (raw && newer.length > 0))
    throw new ZfsError(
      `cannot receive incremental stream: destination ${name} has been modified\nsince most recent snapshot`,
    );
  if (dataset.raw !== raw) throw new ZfsError('cannot receive incremental stream: incompatible raw mode');
  if (dataset.snapshots.some(({ name: taken }) => taken === snapshotName))
    throw new ZfsError(
      `cannot receive incremental stream: destination already exists: ${name}@${snapshotName}`,
    );
}
