import { HoldfastError } from '../../contracts/errors.js';
import { type Member, pipeAcross } from '../../system/pipe-across.js';
import { bytesAsArgument } from '../../system/ssh-script.js';
import { type Zfs, zfsWords } from './listing.js';
import type { StreamEnd } from './replicate-ends.js';
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
  const { source, target, wire, progress, log } = options;
  const { onSource = [], onTarget = [] } = (await wire?.()) ?? {};
  const sender = sendScript(zfsWords(source), streams);
  const receiver = receiveScript(zfsWords(target), streams);
  if (Math.max(Buffer.byteLength(sender), Buffer.byteLength(receiver)) > scriptMost)
    throw new HoldfastError('HF_INTERNAL', `${streams.length} streams make a program that is too long`);
  const watch = watchStreams(streams);
  const members: Member[] = [
    { host: source.host, command: { file: 'sh', args: ['-c', sender] } },
    ...onSource.map((command) => ({ host: source.host, command })),
    ...onTarget.map((command) => ({ host: target.host, command })),
    { host: target.host, command: { file: 'sh', args: ['-c', receiver] } },
  ];
  for (const { send, receive } of streams) log?.(`zfs ${send.join(' ')} | zfs ${receive.join(' ')}`);
  const guard = stallGuard(source.signal, options.noProgressAfterMs ?? Number.POSITIVE_INFINITY);
  try {
    const results = await pipeAcross(members, {
      signal: guard.signal,
      isSmall: areSmall(streams),
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
    const stalled = guard.stalled();
    if (stalled !== undefined) {
      log?.(stalled);
      return watch.ends(stalled);
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
