import type { ReplicaState, ReplicationStepInput } from '../../contracts/replication.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { type RoundNotes, readRound, readTroubles } from './replicate-notebook.js';
import { endedForRoom } from './replicate-room.js';
import { countTries, type Tries } from './replicate-rounds.js';
import { readReplicaStates } from './replicate-states.js';

/** What a look must know of the rounds before it, and of the run before. */

/** How often what failed in this run, and the last words on whatever did not arrive, by target. */
export async function triedBefore(
  host: Host,
  input: ReplicationStepInput,
  before: RoundNotes | undefined,
): Promise<{ tries: Tries; failed: Map<string, string> }> {
  const notSent = await readTroubles(host, input, input.round - 1, before?.groups.length ?? 0);
  const unprepared = before?.unprepared ?? [];
  const words = [...notSent].map(([target, trouble]) => [target, trouble.words] as const);
  const noRoom = endedForRoom(new Map(words));
  const tries = countTries(
    new Map(before?.tries),
    before?.plans,
    new Set([...notSent.keys(), ...unprepared.map(([target]) => target)]),
    new Set([...notSent].flatMap(([target, { isBusy }]) => (isBusy || noRoom.has(target) ? [target] : []))),
  );
  return { tries, failed: new Map([...(before?.failed ?? []), ...words, ...unprepared]) };
}

/** What the last run has left, as the first look reads it: the last look of this run writes over it, and may be tried again. */
export async function knownBefore(
  { host, attempt }: Tools,
  input: ReplicationStepInput,
  before: RoundNotes | undefined,
): Promise<{ states: ReplicaState[]; unread: [string, number][]; remarks?: string[] | undefined }> {
  const { resource, store, round, sendBack, back } = input;
  const notes = before ?? (attempt > 1 ? await readRound(host, input, round) : undefined);
  if (notes || sendBack || back) return { states: [], unread: notes?.unread ?? [], remarks: notes?.remarks };
  const { states = [], unread = [] } = (await readReplicaStates(host, { resource, store })) ?? {};
  return { states, unread };
}
