/** Two pools as far as replication sees them: what OpenZFS does to snapshots, bookmarks, holds and partial receives, without any data. */

export interface ModelSnapshot {
  name: string;
  guid: string;
  txg: number;
  written: number;
  holds: Set<string>;
  run: string | undefined;
}

export interface ModelBookmark {
  name: string;
  guid: string;
  txg: number;
}

export interface PartialState {
  token: string;
  toGuid: string;
  toName: string;
  fromGuid: string | undefined;
  raw: boolean;
  bytes: number;
  /** The dataset came into being with it, and goes with it. */
  initial: boolean;
}

export interface ModelDataset {
  name: string;
  type: 'filesystem' | 'volume';
  guid: string;
  txg: number;
  encrypted: boolean;
  /** Received encrypted: it takes no readable stream, ever. */
  raw: boolean;
  snapshots: ModelSnapshot[];
  bookmarks: ModelBookmark[];
  /** Bytes since the newest snapshot. */
  written: number;
  /** It is a clone of this one. */
  origin: ModelSnapshot | undefined;
  partial: PartialState | undefined;
  properties: Map<string, string>;
}

export class ZfsError extends Error {}

/** Guids are unique in the whole world, transaction groups only count within a pool. */
export class World {
  private nextGuid = 9_007_199_254_740_993n;
  guid(): string {
    this.nextGuid += 1n;
    return this.nextGuid.toString();
  }
}

export class Pool {
  readonly datasets = new Map<string, ModelDataset>();
  private txg = 10;
  private tokens = 0;

  constructor(
    readonly world: World,
    readonly name: string,
  ) {
    this.create(name);
  }

  tick(): number {
    this.txg += 1;
    return this.txg;
  }

  token(): string {
    this.tokens += 1;
    return `1-${this.name}-${this.tokens}`;
  }

  dataset(name: string): ModelDataset {
    const dataset = this.datasets.get(name);
    if (!dataset) throw new ZfsError(`cannot open '${name}': dataset does not exist`);
    return dataset;
  }

  create(name: string, more: Partial<Pick<ModelDataset, 'type' | 'encrypted'>> = {}): ModelDataset {
    if (this.datasets.has(name)) throw new ZfsError(`cannot create '${name}': dataset already exists`);
    const parent = name.slice(0, name.lastIndexOf('/'));
    if (name.includes('/') && !this.datasets.has(parent))
      throw new ZfsError(`cannot create '${name}': parent does not exist`);
    const dataset: ModelDataset = {
      name,
      type: 'filesystem',
      guid: this.world.guid(),
      txg: this.tick(),
      encrypted: false,
      raw: false,
      snapshots: [],
      bookmarks: [],
      written: 0,
      origin: undefined,
      partial: undefined,
      properties: new Map(),
      ...more,
    };
    this.datasets.set(name, dataset);
    return dataset;
  }

  below(root: string): ModelDataset[] {
    return [...this.datasets.values()].filter(({ name }) => name === root || name.startsWith(`${root}/`));
  }

  snapshot(full: string): { dataset: ModelDataset; snapshot: ModelSnapshot } {
    const [owner = '', name = ''] = full.split('@');
    const dataset = this.dataset(owner);
    const snapshot = dataset.snapshots.find((one) => one.name === name);
    if (!snapshot) throw new ZfsError(`could not find any snapshots: '${full}': dataset does not exist`);
    return { dataset, snapshot };
  }

  takeSnapshot(full: string, run?: string): void {
    const [owner = '', name = ''] = full.split('@');
    const dataset = this.dataset(owner);
    if (dataset.snapshots.some((one) => one.name === name))
      throw new ZfsError(`cannot create snapshot '${full}': dataset already exists`);
    if (dataset.partial?.initial) throw new ZfsError(`cannot create snapshot '${full}': dataset is busy`);
    const { written } = dataset;
    dataset.snapshots.push({
      name,
      guid: this.world.guid(),
      txg: this.tick(),
      written,
      holds: new Set(),
      run,
    });
    dataset.written = 0;
  }

  destroySnapshot(full: string): void {
    const { dataset, snapshot } = this.snapshot(full);
    if (snapshot.holds.size > 0) throw new ZfsError(`cannot destroy '${full}': dataset is busy`);
    if (this.hasClone([snapshot]))
      throw new ZfsError(`cannot destroy '${full}': snapshot has dependent clones`);
    const index = dataset.snapshots.indexOf(snapshot);
    // What it held alone belongs to the next one now.
    const next = dataset.snapshots[index + 1];
    if (next) next.written += snapshot.written;
    else dataset.written += snapshot.written;
    dataset.snapshots.splice(index, 1);
  }

  /** With everything below; refused as a whole when anything is held. */
  destroyTree(root: string): void {
    const all = this.below(root);
    if (all.some(({ snapshots }) => snapshots.some(({ holds }) => holds.size > 0)))
      throw new ZfsError(`cannot destroy '${root}': dataset is busy`);
    if (
      this.hasClone(
        all.flatMap(({ snapshots }) => snapshots),
        all,
      )
    )
      throw new ZfsError(`cannot destroy '${root}': filesystem has dependent clones`);
    for (const { name } of all) this.datasets.delete(name);
  }

  private hasClone(snapshots: readonly ModelSnapshot[], but: readonly ModelDataset[] = []): boolean {
    return [...this.datasets.values()].some(
      (one) => one.origin && snapshots.includes(one.origin) && !but.includes(one),
    );
  }

  rollback(full: string): void {
    const { dataset, snapshot } = this.snapshot(full);
    const newer = dataset.snapshots.slice(dataset.snapshots.indexOf(snapshot) + 1);
    if (newer.some(({ holds }) => holds.size > 0))
      throw new ZfsError(`cannot rollback to '${full}': dataset is busy`);
    if (this.hasClone(newer))
      throw new ZfsError(`cannot rollback to '${full}': clones of previous snapshots exist`);
    dataset.snapshots = dataset.snapshots.filter((one) => !newer.includes(one));
    dataset.bookmarks = dataset.bookmarks.filter(({ txg }) => txg <= snapshot.txg);
    dataset.written = 0;
  }

  /** Without -r. */
  rollbackToNewest(full: string): void {
    const { dataset, snapshot } = this.snapshot(full);
    if (dataset.snapshots.at(-1) !== snapshot || dataset.bookmarks.some(({ txg }) => txg > snapshot.txg))
      throw new ZfsError(`cannot rollback to '${full}': more recent snapshots or bookmarks exist`);
    this.rollback(full);
  }

  rename(from: string, to: string): void {
    this.dataset(from);
    if (this.datasets.has(to)) throw new ZfsError(`cannot rename '${from}': dataset already exists`);
    if (!this.datasets.has(to.slice(0, to.lastIndexOf('/'))))
      throw new ZfsError(`cannot rename '${from}': parent does not exist`);
    const moved = this.below(from);
    for (const { name } of moved) this.datasets.delete(name);
    for (const dataset of moved) {
      dataset.name = `${to}${dataset.name.slice(from.length)}`;
      this.datasets.set(dataset.name, dataset);
    }
  }
}
