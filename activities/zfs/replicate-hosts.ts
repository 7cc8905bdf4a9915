import { HoldfastError } from '../../contracts/errors.js';
import { complains, mustSucceed } from './classify.js';
import { parentOf } from './dataset-names.js';
import { listTrees, type Zfs, zfsWords } from './listing.js';
import { poolOf } from './pool-room.js';
import { changeScript } from './replicate-change.js';
import type { Done, Ends, Side } from './replicate-ends.js';
import { sizeIn } from './replicate-estimate.js';
import { isAsideOf } from './replicate-names.js';
import { type PipeOptions, transferInParts } from './replicate-pipe.js';
import { quote, scriptMost } from './replicate-script.js';
import type { Stream, ZfsWords } from './replicate-streams.js';
import type { HoldTags } from './replicate-upkeep.js';
import type { Listing } from './types.js';

/** Two real hosts as the ends of a replication, each of them local or over ssh: push, pull and relay are one code. */

export interface HostEndsOptions extends PipeOptions {
  sourceRoot: string;
  targetRoot: string;
}

export function hostEnds(options: HostEndsOptions): Ends {
  const zfsOf = (side: Side): Zfs => (side === 'source' ? options.source : options.target);
  // What was seen last: whether a recursive hold would reach anything that is not meant.
  const seen: Partial<Record<Side, Listing>> = {};
  return {
    async list(side) {
      const listing =
        side === 'source'
          ? await listTrees(options.source, { roots: [options.sourceRoot] })
          : await listTarget(options.target, options.targetRoot);
      seen[side] = listing;
      return listing;
    },
    async listAsides() {
      const { target, targetRoot: root } = options;
      const beside = await listTrees(target, {
        roots: [parentOf(root)],
        depth: 1,
        types: ['filesystem', 'volume'],
      });
      const roots = [...beside.keys()].filter((name) => isAsideOf(name, root));
      if (roots.length === 0) return new Map();
      const asides = await listTrees(target, { roots });
      seen.target = new Map([...(seen.target ?? []), ...asides]);
      return asides;
    },
    async readTokens(tokens) {
      const zfs = zfsWords(options.source).map(quote).join(' ');
      const lines = tokens.map(
        (token) => `e=$(${zfs} send -nvt ${quote(token)} 2>&1); printf '%s\\036%s\\036' "$?" "$e"`,
      );
      const parts: string[] = [];
      for (const part of portions(lines, Buffer.byteLength)) {
        const result = await runScript(options.source, answersScript(part));
        parts.push(mustSucceed(result, 'read resume tokens', options.source.host.name).stdout);
      }
      const answers = parts.join('').split('\u001e');
      return tokens.map((_, at) => {
        const [code = '', text] = answers.slice(2 * at, 2 * at + 2);
        return text === undefined ? undefined : { exitCode: Number(code), text };
      });
    },
    sizes: (streams) => sizesOf(options.source, streams),
    holdTags: (side, snapshots) => holdTags(zfsOf(side), snapshots),
    async change(side, first, then = []) {
      return changeKnowing({ zfs: zfsOf(side), side, log: options.log, listing: seen[side] }, first, then);
    },
    transfer: (streams) => transferInParts(streams, options),
  };
}

/** Nothing is sent by it, but zfs reads metadata: the caller asks for few. What cannot be told is left untold, it is no more than an estimate. */
async function sizesOf(source: Zfs, streams: readonly Stream[]): Promise<(number | undefined)[]> {
  const lines = streams.map(({ send: [verb = '', , ...rest] }) => {
    const words = [...zfsWords(source), verb, '-nvP', ...rest];
    // A line for each snapshot comes before it.
    return `${words.map(quote).join(' ')} 2>&1 | sed -n '/^size/p'; printf '\\036\\n'`;
  });
  const sizes: (number | undefined)[] = [];
  for (const part of portions(lines, Buffer.byteLength)) {
    const { exitCode, stdout } = await runScript(source, answersScript(part));
    const told = exitCode === 0 ? stdout.split('\u001e\n') : [];
    sizes.push(...part.map((_, at) => sizeIn(told[at] ?? '')));
  }
  return sizes;
}

const answersScript = (lines: readonly string[]): string =>
  ['LC_ALL=C; export LC_ALL', ...lines, 'exit 0'].join('\n');

interface Changing {
  zfs: Zfs;
  side: string;
  log: HostEndsOptions['log'];
  listing: Listing | undefined;
}

/** As a rule one program; with very many commands several, and then as well nothing of `then` before all of `first` went well. */
async function changeKnowing(
  { zfs, side, log, listing }: Changing,
  first: readonly ZfsWords[],
  then: readonly ZfsWords[],
): Promise<(Done | undefined)[]> {
  const sizeOf = (words: ZfsWords): number => Buffer.byteLength(words.join(' '));
  const [firsts, thens] = [portions(first, sizeOf), portions(then, sizeOf)];
  const run = async (
    some: readonly ZfsWords[],
    after: readonly ZfsWords[],
  ): Promise<(Done | undefined)[]> => {
    const script = changeScript(zfsWords(zfs), some, after, listing);
    for (const words of [...some, ...after]) log?.(`${side}: zfs ${words.join(' ')}`);
    const result = mustSucceed(await runScript(zfs, script.text), 'change snapshots', zfs.host.name);
    return script.read(result.stdout);
  };
  if (firsts.length <= 1 && thens.length <= 1) return run(first, then);
  const done: (Done | undefined)[] = [];
  for (const part of firsts) done.push(...(await run(part, [])));
  if (!done.every((end) => end?.ok)) return [...done, ...then.map(() => undefined)];
  for (const part of thens) done.push(...(await run(part, [])));
  return done;
}

/** The same for whoever changes one host alone. */
export const changeOn = (
  zfs: Zfs,
  side: string,
  first: readonly ZfsWords[],
  then: readonly ZfsWords[],
  log: HostEndsOptions['log'],
): Promise<(Done | undefined)[]> => changeKnowing({ zfs, side, log, listing: undefined }, first, then);

const runScript = ({ host, signal }: Zfs, text: string) =>
  host.run({ file: 'sh', args: ['-c', text], env: { LC_ALL: 'C' } }, { signal });

/** Before the first copy there is nothing to list; then the place where it will be must be there. Its pool comes along: it tells how much may be sent. */
async function listTarget(zfs: Zfs, root: string): Promise<Listing> {
  try {
    return await listTrees(zfs, { roots: [root] });
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'HF_DATASET_MISSING') throw error;
    const above = new Set([parentOf(root), poolOf(root)]);
    return listTrees(zfs, { roots: [...above], depth: 0, types: ['filesystem'] });
  }
}

/** Who holds some snapshots, by their full names. */
export async function holdTags(zfs: Zfs, snapshots: readonly string[]): Promise<HoldTags> {
  // Without -p: ZFS before 2.2 does not know it there, and would refuse the whole question.
  const words = [...zfsWords(zfs), 'holds', '-H'].map(quote).join(' ');
  const chunks: string[] = [];
  for (let at = 0; at < snapshots.length; at += 100)
    chunks.push(
      `${words} ${snapshots
        .slice(at, at + 100)
        .map(quote)
        .join(' ')} || c=1`,
    );
  const tags = new Map<string, string[]>();
  for (let at = 0; at < chunks.length; at += 4) {
    const result = await runScript(zfs, ['c=0', ...chunks.slice(at, at + 4), 'exit $c'].join('\n'));
    // A snapshot that vanished since it was listed makes this one fail, and is simply not in the answer.
    if (!onlyVanished(result.stderrTail)) mustSucceed(result, 'read holds', zfs.host.name);
    for (const row of result.stdout.split('\n')) {
      const [snapshot = '', tag] = row.split('\t');
      if (tag !== undefined) tags.set(snapshot, [...(tags.get(snapshot) ?? []), tag]);
    }
  }
  return tags;
}

/** Anything else would leave holds behind for ever, unseen. */
const onlyVanished = (stderrTail: string): boolean => {
  const lines = stderrTail.split('\n').filter((line) => line.trim() !== '');
  return lines.length > 0 && lines.every((line) => complains(/does not exist|no such snapshot/, line));
};

/** As many of them as one program may hold. */
function portions<T>(all: readonly T[], bytesOf: (one: T) => number): T[][] {
  const parts: T[][] = [];
  let room = 0;
  for (const one of all) {
    const size = bytesOf(one) + 60;
    room -= size;
    if (room < 0) {
      parts.push([]);
      room = scriptMost / 2 - size;
    }
    parts.at(-1)?.push(one);
  }
  return parts;
}
