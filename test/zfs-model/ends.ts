import type { Done, Ends, Side, StreamEnd, TokenAnswer } from '../../activities/zfs/replicate-ends.js';
import { isAsideOf } from '../../activities/zfs/replicate-names.js';
import type { Stream } from '../../activities/zfs/replicate-streams.js';
import type { Dataset, Listing } from '../../activities/zfs/types.js';
import { ownerOf } from './clones.js';
import { execute } from './commands.js';
import { type ModelDataset, type Pool, ZfsError } from './pool.js';
import { type ModelStream, openSend, receivePart } from './streams.js';

/** The worker, a host or the network ends here; whatever was being done may be half done. */
export class Crash extends Error {}

export interface ModelWatch {
  /** Between any two things that happen in the pools. May change them, or throw Crash. */
  between(what: string): void;
  /** How much of a stream arrives before it breaks; undefined: all of it. */
  cut(): number | undefined;
  /** A number below `limit`: in which order things run that run at the same time. */
  pick(limit: number): number;
}

export const calm: ModelWatch = { between: () => undefined, cut: () => undefined, pick: () => 0 };

/** Two model pools as the two ends of a replication; counts the remote commands that the real ends would have cost. */
export class ModelEnds implements Ends {
  commands = 0;
  /** A human has said yes to roll-backs. */
  approved = false;
  /** Every remote command, for the words of a failing test. */
  readonly log: string[] = [];
  readonly sent: { words: readonly string[]; stream: ModelStream }[] = [];

  constructor(
    private readonly source: Pool,
    private readonly sourceRoot: string,
    private readonly target: Pool,
    private readonly targetRoot: string,
    private readonly watch: ModelWatch = calm,
  ) {}

  async list(side: Side): Promise<Listing> {
    this.commands += 1;
    this.watch.between(`list ${side}`);
    return side === 'source' ? listing(this.source, this.sourceRoot) : listing(this.target, this.targetRoot);
  }

  async listAsides(): Promise<Listing> {
    this.commands += 1;
    const asides = [...this.target.datasets.keys()].filter(
      (name) => isAsideOf(name, this.targetRoot) && !name.slice(this.targetRoot.length).includes('/'),
    );
    return new Map(asides.flatMap((name) => [...listing(this.target, name)]));
  }

  async readTokens(tokens: readonly string[]): Promise<TokenAnswer[]> {
    this.commands += 1;
    this.watch.between('tokens');
    return tokens.map((token) => {
      const text = this.tokenText(token);
      return { exitCode: text.includes('cannot resume send') ? 255 : 0, text };
    });
  }

  private tokenText(token: string): string {
    const partial = [...this.target.datasets.values()].find((one) => one.partial?.token === token)?.partial;
    if (!partial) return 'cannot resume send: resume token is corrupt (incorrect checksum)';
    const hex = (guid: string): string => `0x${BigInt(guid).toString(16)}`;
    const lines = [
      'resume token contents:',
      `\tbytes = 0x${partial.bytes.toString(16)}`,
      ...(partial.fromGuid === undefined ? [] : [`\tfromguid = ${hex(partial.fromGuid)}`]),
      `\ttoguid = ${hex(partial.toGuid)}`,
      `\ttoname = ${partial.toName}`,
      ...(partial.raw ? ['\trawok = 1'] : []),
    ];
    try {
      openSend(this.source, this.target, ['send', '-t', token]);
    } catch (error) {
      lines.push((error as Error).message);
    }
    return lines.join('\n');
  }

  async sizes(streams: readonly Stream[]): Promise<undefined[]> {
    this.commands += 1;
    return streams.map(() => undefined);
  }

  async holdTags(side: Side, snapshots: readonly string[]): Promise<ReadonlyMap<string, string[]>> {
    this.commands += 1;
    this.log.push(`holds ${side}: ${snapshots.join(', ')}`);
    this.watch.between('holds');
    const pool = side === 'source' ? this.source : this.target;
    const tags = new Map<string, string[]>();
    for (const full of snapshots) {
      try {
        tags.set(full, [...pool.snapshot(full).snapshot.holds]);
      } catch {
        // Gone since the listing.
      }
    }
    return tags;
  }

  async change(
    side: Side,
    commands: readonly (readonly string[])[],
    then: readonly (readonly string[])[] = [],
  ): Promise<(Done | undefined)[]> {
    this.commands += 1;
    this.log.push(`${side}: ${[...commands, ...then].map((words) => words.join(' ')).join('; ')}`);
    const pool = side === 'source' ? this.source : this.target;
    const first = this.sideBySide(pool, commands);
    if (!first.every((done) => done?.ok)) return [...first, ...then.map(() => undefined)];
    return [...first, ...this.sideBySide(pool, then)];
  }

  private sideBySide(pool: Pool, commands: readonly (readonly string[])[]): (Done | undefined)[] {
    const results: (Done | undefined)[] = commands.map(() => undefined);
    const open = commands.map((_, index) => index);
    while (open.length > 0) {
      const [index = 0] = open.splice(this.watch.pick(open.length), 1);
      results[index] = this.one(
        () => execute(pool, commands[index] ?? [], this.approved),
        commands[index]?.join(' ') ?? '',
      );
    }
    return results;
  }

  private one(body: () => void, what: string): Done {
    this.watch.between(`before ${what}`);
    try {
      body();
    } catch (error) {
      if (!(error instanceof ZfsError)) throw error;
      return { ok: false, words: error.message };
    }
    this.watch.between(`after ${what}`);
    return { ok: true, words: '' };
  }

  async transfer(streams: readonly Stream[]): Promise<StreamEnd[]> {
    this.commands += 2;
    const ends: StreamEnd[] = streams.map(() => ({ sent: undefined, received: undefined }));
    for (const [index, stream] of streams.entries()) {
      const end = this.oneStream(stream);
      ends[index] = end;
      if (!end.received?.ok) break;
    }
    return ends;
  }

  private oneStream({ send, receive, source }: Stream): StreamEnd {
    if (receive.some((word) => /^-[a-zA-Z]*F/.test(word))) throw new Error(`never: ${receive.join(' ')}`);
    let opened: ModelStream | undefined;
    const sent = this.one(() => {
      opened = openSend(this.source, this.target, send);
      this.sent.push({ words: send, stream: opened });
    }, send.join(' '));
    if (!opened)
      return { sent, received: { ok: false, words: 'cannot receive: failed to read from stream' } };
    const stream = opened;
    for (const [index, { snapshot }] of stream.parts.entries()) {
      const cut = this.watch.cut();
      const received = this.one(
        () => receivePart(this.target, receive, stream, index, cut, `${source}@${snapshot.name}`),
        receive.join(' '),
      );
      if (!received.ok) return { sent, received };
    }
    return { sent, received: { ok: true, words: '' } };
  }
}

/** What the one `zfs list` of a tree would say. */
export function listing(pool: Pool, root: string): Listing {
  const names = pool
    .below(root)
    .map(({ name }) => name)
    .sort();
  return new Map(names.map((name) => [name, datasetOf(pool, pool.dataset(name))]));
}

const datasetOf = (pool: Pool, dataset: ModelDataset): Dataset => ({
  name: dataset.name,
  type: dataset.type,
  guid: dataset.guid,
  createtxg: dataset.txg,
  encryption: dataset.encrypted ? 'aes-256-gcm' : undefined,
  encryptionRoot: dataset.encrypted ? dataset.name : undefined,
  keyStatus: dataset.encrypted ? 'available' : undefined,
  origin: dataset.origin && `${ownerOf(pool, dataset.origin)?.name}@${dataset.origin.name}`,
  resumeToken: dataset.partial?.token,
  readonly: dataset.properties.get('readonly') ?? 'off',
  canmount: dataset.properties.get('canmount') ?? 'on',
  mountpoint: `/${dataset.name}`,
  mounted: false,
  keyLocation: undefined,
  usedBytes: 0,
  availableBytes: 2 ** 40,
  writtenBytes: dataset.written,
  replicaOf: inheritedProperty(pool, dataset.name, 'holdfast:replica-of'),
  role: inheritedProperty(pool, dataset.name, 'holdfast:role'),
  snapshots: dataset.snapshots
    .map(({ name, guid, txg, holds, written, run }) => ({
      name,
      guid,
      createtxg: txg,
      creationS: txg,
      holds: holds.size,
      usedBytes: 0,
      writtenBytes: written,
      referencedBytes: 1000,
      run,
      job: run && 'hourly',
    }))
    .sort((one, other) => one.createtxg - other.createtxg),
  bookmarks: dataset.bookmarks
    .map(({ name, guid, txg }) => ({ name, guid, createtxg: txg, creationS: txg }))
    .sort((one, other) => one.createtxg - other.createtxg),
});

function inheritedProperty(pool: Pool, name: string, key: string): string | undefined {
  for (let at = name; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const value = pool.datasets.get(at)?.properties.get(key);
    if (value !== undefined) return value;
  }
  return undefined;
}
