import { isBelowFloor, type Room, roomWords } from './pool-room.js';

/**
 * What fitted when it was planned may not fit any more: another stream fills the same pool, and raidz takes more than the source says. While a
 * stream lasts its target's pool is asked now and then, and below the floor the stream is ended: what has arrived stays, and is gone on with.
 */

export interface RoomOptions {
  /** One command. */
  look: (signal: AbortSignal) => Promise<Room>;
  /** The machine of the pool. */
  host: string;
  /** Between two looks, in milliseconds; the first one, and those near the floor, come after a sixth of it. */
  everyMs?: number | undefined;
  log?: ((line: string) => void) | undefined;
}

export interface RoomGuard {
  /** Aborts with the caller's own signal, or when the pool is below its floor. */
  signal: AbortSignal;
  /** In words, once it has ended the stream. */
  ended(): string | undefined;
  stop(): void;
}

const halfAMinute = 30_000;

/** `options` undefined: nobody looks. */
export function roomGuard(signal: AbortSignal, options: RoomOptions | undefined): RoomGuard {
  if (!options) return { signal, ended: () => undefined, stop: () => undefined };
  const { everyMs = halfAMinute } = options;
  const [own, over] = [new AbortController(), new AbortController()];
  let words: string | undefined;
  let timer: NodeJS.Timeout;
  let wasAsked = true;
  const askAfter = (ms: number): void => {
    timer = setTimeout(() => void ask(), ms);
  };
  const ask = async (): Promise<void> => {
    const room = await options.look(over.signal).catch((error: unknown) => {
      // A question that fails says nothing of the pool: the stream goes on. It is told once, not twice a minute.
      if (wasAsked && !over.signal.aborted) options.log?.(`how full the target is is not known: ${error}`);
      return undefined;
    });
    if (over.signal.aborted) return;
    wasAsked = room !== undefined;
    if (!room || !isBelowFloor(room)) return askAfter(room && isNear(room) ? everyMs / 6 : everyMs);
    words = endedWords(room, options.host);
    own.abort();
  };
  askAfter(everyMs / 6);
  return {
    signal: AbortSignal.any([signal, own.signal]),
    // Who was cancelled was not ended by this.
    ended: () => (signal.aborted ? undefined : words),
    stop() {
      clearTimeout(timer);
      over.abort();
    },
  };
}

const isNear = ({ freeBytes, sizeBytes, floor }: Room): boolean => freeBytes < 2 * floor * sizeBytes;

const endedWords = (room: Room, host: string): string =>
  `${roomWords(room)} (${(room.freeBytes / 2 ** 30).toFixed(1)} GiB on "${host}"): ${ending}. Free some space there; what has arrived is kept`;

const ending = 'the stream was ended before it filled the pool';

/** Of what failed, in words: the targets whose pool had no room. */
export const endedForRoom = (failed: ReadonlyMap<string, string>): Set<string> =>
  new Set([...failed].flatMap(([target, words]) => (words.includes(ending) ? [target] : [])));
