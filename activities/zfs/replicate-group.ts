import { complains } from './classify.js';
import { isBelow } from './dataset-names.js';
import type { Ends, StreamEnd } from './replicate-ends.js';
import { type Stream, streamsOf, writeAheadOf, type ZfsWords } from './replicate-streams.js';
import type { DatasetPlan, ReplicationPolicy } from './replicate-types.js';

/** Sends a group of datasets through one pipe. What arrived is not taken from here: the next look at the receiver says it. */

export interface GroupEnd {
  target: string;
  /** undefined: every stream of it was taken by the receiver. */
  trouble?: string;
  /** Another receive is under way there: it says nothing of this stream, and passes. */
  isBusy?: true;
}

export interface GroupRequest {
  destination: string;
  run: string;
  /** See ReplicationPolicy. */
  marks?: 'none';
}

/** These make every further try pointless: nothing else of the group is begun. */
const endsAll =
  /out of space|no space left|pool I\/O is currently suspended|ended before it filled the pool/i;

/** As a rule a dataset's own trouble; after so many in a row, with nothing that arrived in between, it is everybody's. A stall costs its time-out each. */
const mayBeOwn: readonly { form: RegExp; mostInARow: number }[] = [
  { form: /quota exceeded|permission denied/i, mostInARow: 20 },
  { form: /nothing moved for/i, mostInARow: 2 },
];

/** Says of one failure after the other whether nothing else of the group is begun. */
function judgeInARow(): (words: string, isFollowing: boolean) => boolean {
  let inARow = 0;
  return (words, isFollowing) => {
    const own = mayBeOwn.find(({ form }) => complains(form, words));
    inARow = own && isFollowing ? inARow + 1 : Number(own !== undefined);
    return own ? inARow >= own.mostInARow : complains(endsAll, words);
  };
}

/**
 * EBUSY of a receive: as a rule what a connection that was cut has left running, until the host notices. Of a stream that goes on by a token
 * zfs says then that the state is partial, which it is for the other receiver.
 */
const busyForm = /: (?:pool or )?dataset is busy\s*$|partially-complete state from "zfs receive -s"/i;

const isBusy = ({ received }: StreamEnd): boolean =>
  received?.ok === false && complains(busyForm, received.words);

/** What is said of a dataset that did not arrive. */
type Trouble = Omit<GroupEnd, 'target'>;

/** The streams of datasets that are prepared; one that fails is left out, with what would hang below it, and the rest goes on. */
export async function transferGroup(ends: Ends, plans: readonly DatasetPlan[]): Promise<GroupEnd[]> {
  const troubles = new Map<string, Trouble>();
  let waiting = [...plans];
  const isEverybodys = judgeInARow();
  while (waiting.length > 0) {
    const streams = waiting.flatMap(streamsOf);
    const outcome = await ends.transfer(streams);
    const failed = streams.findIndex((_, index) => !arrived(outcome[index]));
    if (failed === -1) break;
    const { target } = streams[failed] as Stream;
    const end = outcome[failed];
    const words = wordsOf(end);
    troubles.set(target, troubleOf(end, words));
    const later = waiting.slice(waiting.findIndex((plan) => plan.target === target) + 1);
    if (isEverybodys(words, failed === 0)) {
      for (const plan of later) troubles.set(plan.target, { trouble: `not begun: ${words}` });
      break;
    }
    const hangs = (plan: DatasetPlan): boolean => plan.kind === 'full' && isBelow(plan.target, target);
    for (const plan of later.filter(hangs))
      troubles.set(plan.target, { ...troubles.get(target), trouble: `${target} did not arrive` });
    waiting = later.filter((plan) => !hangs(plan));
  }
  return plans.map(({ target }) => ({ target, ...troubles.get(target) }));
}

const troubleOf = (end: StreamEnd | undefined, words: string): Trouble =>
  end && isBusy(end)
    ? { trouble: `another receive is still under way there: ${words}`, isBusy: true }
    : { trouble: words };

const arrived = (end: StreamEnd | undefined): boolean => end?.received?.ok === true && end.sent?.ok === true;

/** No property tells a replica that was received readable into an encrypted pool from one whose key was joined to its parent's. */
const otherKey = /encryption key does not match existing key/i;
const otherKeyNext =
  ': it was received readable, or with another key; rename it aside (zfs rename), and the next run copies it anew';

/** The receiver's words say more, unless all it saw is that nothing more came. */
function wordsOf(end: StreamEnd | undefined): string {
  const { sent, received } = end ?? {};
  const onlyCut = complains(
    /failed to read from stream|incomplete stream|invalid stream/i,
    received?.words ?? '',
  );
  if (received && !received.ok && (!onlyCut || sent?.ok !== false))
    return `${received.words || 'receive failed'}${complains(otherKey, received.words) ? otherKeyNext : ''}`;
  if (sent && !sent.ok) return sent.words || 'send failed';
  return 'the stream was not begun';
}

export interface Ahead {
  plan: DatasetPlan;
  words: ZfsWords;
}

/** What a policy says of cursors and holds. */
export const marksOf = ({ destination, marks }: ReplicationPolicy): Omit<GroupRequest, 'run'> => ({
  destination,
  ...(marks && { marks }),
});

/** The cursor and the holds of every dataset stand before its first byte is sent. */
export const aheadOf = (plans: readonly DatasetPlan[], { destination, run, marks }: GroupRequest): Ahead[] =>
  plans.flatMap((plan) => {
    const { bookmarks, holds, tag } = writeAheadOf(plan, destination, run);
    const cursors = marks === 'none' ? [] : bookmarks;
    return [
      ...cursors.map(({ from, cursor }) => ({ plan, words: ['bookmark', from, cursor] })),
      ...holds.map((snapshot) => ({ plan, words: ['hold', tag, snapshot] })),
    ];
  });

/** The same by a command of its own; what could not be prepared, by target. */
export async function writeAhead(
  ends: Ends,
  plans: readonly DatasetPlan[],
  request: GroupRequest,
): Promise<Map<string, string>> {
  const changes = aheadOf(plans, request);
  const words = changes.map((change) => change.words);
  const done = words.length === 0 ? [] : await ends.change('source', words);
  const troubles = new Map<string, string>();
  for (const [index, { plan, words: own }] of changes.entries()) {
    const end = done[index];
    if (end?.ok || complains(isThere, end?.words ?? '')) continue;
    troubles.set(plan.target, `cannot ${own[0]} ${own.at(-1)}: ${end?.words ?? 'not begun'}`);
  }
  return troubles;
}

/** An earlier attempt made it: the cursor carries the guid in its name, the hold the run. */
export const isThere = /exists/;

/** A tree of so much and so many that comes into being needs no lanes: its children follow their parents through one pipe. */
const oneLane = { bytes: 2 ** 30, datasets: 500 };

/** Datasets that can travel now, in groups that may run side by side; a child waits until its parent has arrived, or comes behind it. */
export function groupsOf(plans: readonly DatasetPlan[], parallel: number, most = 100): DatasetPlan[][] {
  if (plans.length === 0) return [];
  const bytes = plans.reduce((sum, plan) => sum + plan.bytes, 0);
  const isSmall = bytes <= oneLane.bytes && plans.length <= oneLane.datasets;
  if (isSmall && plans.some(({ level }) => level > 0))
    return [[...plans].sort((one, other) => one.level - other.level)];
  const lowest = Math.min(...plans.map(({ level }) => level));
  const now = plans.filter(({ level }) => level === lowest);
  const count = Math.max(Math.min(parallel, now.length), Math.ceil(now.length / most));
  const groups: DatasetPlan[][] = Array.from({ length: count }, () => []);
  const bySize = [...now].sort((one, other) => other.bytes - one.bytes);
  for (const [index, plan] of bySize.entries()) groups[index % count]?.push(plan);
  return groups;
}
