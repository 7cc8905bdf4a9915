import { HoldfastError } from '../../contracts/errors.js';
import { type Member, pipeAcross } from '../../system/pipe-across.js';
import { bytesAsArgument } from '../../system/ssh-script.js';
import { type Zfs, zfsWords } from './listing.js';
import type { StreamEnd } from './replicate-ends.js';
import { type RoomOptions, roomGuard } from './replicate-room.js';
import {
  quote,
  receiveCase,
  receiveScript,
  scriptMost,
  sendCall,
  sendScript,
  watchStreams,
} from './replicate-script.js';
import { stallGuard } from './replicate-stall.js';
import type { Stream } from './replicate-streams.js';
import type { Wire } from './replicate-wire.js';

/** Many streams through one pipe between two hosts. */

export interface PipeOptions {
  source: Zfs;
  target: Zfs;
  /** What stands between both ends; asked for only where something is sent. Default: nothing. */
  wire?: () => Promise<Wire>;
  progress?: (progress: { bytesDone: number; bytesTotal: number }) => void;
  /** So long may a stream move nothing. Milliseconds; default: for ever. */
  noProgressAfterMs?: number;
  /** How the target's pool is looked at while a stream lasts; small ones ask nothing. Default: nobody looks. */
  room?: Pick<RoomOptions, 'look' | 'everyMs'>;
  log?: (line: string) => void;
}

/** Streams of so much in all are over before a connection of their own would have paid. */
const smallBytes = 64 * 2 ** 20;

/** What is still to come of a stream that was interrupted nobody knows. */
const areSmall = (streams: readonly Stream[]): boolean =>
  !streams.some(({ send }) => send.includes('-t')) &&
  streams.reduce((sum, { bytes }) => sum + bytes, 0) <= smallBytes;

/** What stands around the streams in either program takes the rest. */
const partMost = scriptMost - 5_000;

/** As a rule one pipe; very many streams or long names need several, and after a failure no further one is begun. */
export async function transferInParts(
  streams: readonly Stream[],
  options: PipeOptions,
): Promise<StreamEnd[]> {
  const ends: StreamEnd[] = [];
  for (const part of partsOf(streams, zfsWords(options.source), zfsWords(options.target))) {
    const done = await transfer(part, options);
    ends.push(...done);
    if (!done.every(({ sent, received }) => sent?.ok && received?.ok)) break;
  }
  return ends;
}

/** As many streams as the longer of both programs may hold: the receiver's is quoted once more and written in octal on its way over ssh. */
export function partsOf(
  streams: readonly Stream[],
  sourceZfs: readonly string[],
  targetZfs: readonly string[],
): Stream[][] {
  const parts: Stream[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const stream of streams) {
    const own = Math.max(
      bytesAsArgument(quote(receiveCase(targetZfs, stream, streams.length))),
      Buffer.byteLength(sendCall(sourceZfs, stream, streams.length)),
    );
    bytes += own + 1;
    if (bytes > partMost) {
      parts.push([]);
      bytes = own;
    }
    parts.at(-1)?.push(stream);
  }
  return parts;
}

async function transfer(streams: readonly Stream[], options: PipeOptions) {
  const { progress, log } = options;
  const members = await membersOf(streams, options);
  const watch = watchStreams(streams);
  for (const { send, receive } of streams) log?.(`zfs ${send.join(' ')} | zfs ${receive.join(' ')}`);
  const isSmall = areSmall(streams);
  const guard = guardOf(options, isSmall);
  try {
    const results = await pipeAcross(members, {
      signal: guard.signal,
      isSmall,
      onLine(line, stream, member) {
        if (stream === 'stderr' && member === 0) watch.sender(line);
        if (stream === 'stdout') watch.receiver(line);
        guard.at(watch.position());
        progress?.(watch.progress());
      },
    });
    for (const { exitCode, signal, stderrTail } of results)
      if (exitCode !== 0) log?.(`ended by ${signal ?? exitCode}: ${stderrTail.slice(-300)}`);
  } catch (error) {
    const ended = guard.ended();
    if (ended !== undefined) {
      log?.(ended);
      return watch.ends(ended);
    }
    // A receiver that ends early tears the wire down with it: then it has said why, and that is what counts.
    const refused = watch.ends().some(({ received }) => received?.ok === false);
    if (!refused || !(error instanceof HoldfastError) || error.code !== 'HF_SSH_UNREACHABLE') throw error;
    log?.(`after the receiver had ended: ${error.message}`);
  } finally {
    guard.stop();
  }
  return watch.ends();
}

async function membersOf(
  streams: readonly Stream[],
  { source, target, wire }: PipeOptions,
): Promise<Member[]> {
  const { onSource = [], onTarget = [] } = (await wire?.()) ?? {};
  const sender = sendScript(zfsWords(source), streams);
  const receiver = receiveScript(zfsWords(target), streams);
  if (Math.max(Buffer.byteLength(sender), Buffer.byteLength(receiver)) > scriptMost)
    throw new HoldfastError('HF_INTERNAL', `${streams.length} streams make a program that is too long`);
  return [
    { host: source.host, command: { file: 'sh', args: ['-c', sender] } },
    ...onSource.map((command) => ({ host: source.host, command })),
    ...onTarget.map((command) => ({ host: target.host, command })),
    { host: target.host, command: { file: 'sh', args: ['-c', receiver] } },
  ];
}

/** Whatever ends a pipe before it is done: the caller, a stream that moves nothing, a pool without room. Small streams are over before that is worth a look. */
function guardOf({ source, target, noProgressAfterMs, room, log }: PipeOptions, isSmall: boolean) {
  const stall = stallGuard(source.signal, noProgressAfterMs ?? Number.POSITIVE_INFINITY);
  const looks = isSmall || !room ? undefined : { ...room, host: target.host.name, log };
  const full = roomGuard(stall.signal, looks);
  return {
    signal: full.signal,
    at: stall.at,
    ended: () => stall.stalled() ?? full.ended(),
    stop() {
      stall.stop();
      full.stop();
    },
  };
}
