import { HoldfastError } from '../../contracts/errors.js';
import { complains, mustSucceed } from './classify.js';
import { listTrees, type Zfs, zfsWords } from './listing.js';
import { poolOf } from './pool-room.js';
import { changeScript } from './replicate-change.js';
import type { Done, Ends, Side } from './replicate-ends.js';
import { sizeIn } from './replicate-estimate.js';
import { parentOf } from './replicate-moves.js';
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
    async readTokens(tokens) {
      const zfs = zfsWords(options.source).map(quote).join(' ');
      const lines = tokens.map(
        (token) => `e=$(${zfs} send -nvt ${quote(token)} 2>&1); printf '%s\\036%s\\036' "$?" "$e"`,
      );
      const result = await runScript(
        options.source,
        ['LC_ALL=C; export LC_ALL', ...lines, 'exit 0'].join('\n'),
      );
      const { stdout } = mustSucceed(result, 'read resume tokens', options.source.host.name);
      const answers = stdout.split('\u001e');
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

/** Nothing is sent by it, but zfs reads metadata: the caller asks for few. */
async function sizesOf(source: Zfs, streams: readonly Stream[]): Promise<(number | undefined)[]> {
  const lines = streams.map(({ send: [verb = '', , ...rest] }) => {
    const words = [...zfsWords(source), verb, '-nvP', ...rest];
    return `${words.map(quote).join(' ')} 2>&1; printf '\\036\\n'`;
  });
  const text = ['LC_ALL=C; export LC_ALL', ...lines, 'exit 0'].join('\n');
  const result = await runScript(source, text);
  return mustSucceed(result, 'reckon sizes', source.host.name)
    .stdout.split('\u001e\n')
    .map(sizeIn)
    .slice(0, streams.length);
}

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
  const [firsts, thens] = [portions(first), portions(then)];
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

/** As many commands as one program may hold. */
function portions(commands: readonly ZfsWords[]): ZfsWords[][] {
  const parts: ZfsWords[][] = [];
  let room = 0;
  for (const words of commands) {
    const size = words.join(' ').length + 60;
    room -= size;
    if (room < 0) {
      parts.push([]);
      room = scriptMost / 2 - size;
    }
    parts.at(-1)?.push(words);
  }
  return parts;
}
