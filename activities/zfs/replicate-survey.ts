import { HoldfastError } from '../../contracts/errors.js';
import { complains } from './classify.js';
import { isBelow } from './dataset-names.js';
import { planReplication } from './plan-replication.js';
import type { Done, Ends } from './replicate-ends.js';
import { type Ahead, isThere } from './replicate-group.js';
import { knownHolds, type Sent } from './replicate-known-holds.js';
import { replicaOf } from './replicate-moves.js';
import { fenceTag } from './replicate-names.js';
import type { ZfsWords } from './replicate-streams.js';
import type { DatasetPlan, PlanInput, TokenReading } from './replicate-types.js';
import { type HoldTags, holdsToAsk, isIdle, planUpkeep, type Upkeep } from './replicate-upkeep.js';
import { readToken } from './resume-token.js';
import type { Dataset, Listing } from './types.js';

export interface Survey {
  input: PlanInput;
  plans: DatasetPlan[];
  upkeep: Upkeep;
}

export type SurveyRequest = Omit<PlanInput, 'source' | 'target' | 'tokens'>;

/**
 * Looks at both ends and plans. Two remote commands; more only where a receive was interrupted or holds were left behind. `sent`: what an
 * earlier round of this run has sent, so that its holds need not be asked for.
 */
export async function survey(ends: Ends, request: SurveyRequest, sent?: Sent): Promise<Survey> {
  const [source, listed] = await Promise.all([ends.list('source'), ends.list('target')]);
  const target = isBare(request, source, listed)
    ? new Map([...listed, ...(await ends.listAsides())])
    : listed;
  refuseSameDatasets(source, target);
  const blind: PlanInput = { ...request, source, target };
  const first = planReplication(blind);
  // A replica that is stopped keeps its token: it is asked for only where something follows from it.
  const open = first.flatMap((plan) => (plan.unread === undefined ? [] : (replicaOf(target, plan) ?? [])));
  const input = open.length === 0 ? blind : { ...blind, tokens: await readTokens(ends, open) };
  const plans = open.length === 0 ? first : planReplication(input);
  const asked = holdsToAsk(plans, input);
  const known = knownHolds(sent, input);
  const unknown = (snapshots: string[]): string[] => snapshots.filter((name) => !known.has(name));
  const [here, there] = await Promise.all([
    tagsOf(ends, 'source', unknown(asked.source)),
    tagsOf(ends, 'target', unknown(asked.target)),
  ]);
  // One map for both: with source and target on one machine a name still means one snapshot.
  const upkeep = planUpkeep(plans, input, new Map([...known, ...here, ...there]));
  return { input, plans, upkeep };
}

/** Where nothing lies below the root of a tree, it may have been put aside as a whole: what is sound of it comes back from there. */
const isBare = (
  { sourceRoot, targetRoot, policy }: SurveyRequest,
  source: Listing,
  target: Listing,
): boolean =>
  ![...target.keys()].some((name) => isBelow(name, targetRoot)) &&
  [...source.keys()].some(
    (name) => name !== sourceRoot && !policy.excludes(name.slice(sourceRoot.length + 1)),
  );

/** What was received is a dataset of its own with a guid of its own: one that both ends have is one dataset, which no look could tell from a replica. */
export function refuseSameDatasets(source: Listing, target: Listing): void {
  const guids = new Map([...source.values()].map(({ guid, name }) => [guid, name]));
  const same = [...target.values()].find(({ guid }) => guids.has(guid));
  if (!same) return;
  throw new HoldfastError(
    'HF_REPLICA_IS_SOURCE',
    `${same.name}, where the replica is or would be, is ${guids.get(same.guid)} of the source itself (both have the guid ${same.guid})`.slice(
      0,
      500,
    ),
  );
}

async function readTokens(ends: Ends, open: readonly Dataset[]): Promise<ReadonlyMap<string, TokenReading>> {
  const answers = await ends.readTokens(open.map(({ resumeToken }) => resumeToken ?? ''));
  return new Map(open.map(({ name }, at) => [name, readToken(answers[at])]));
}

const tagsOf = async (ends: Ends, side: 'source' | 'target', snapshots: string[]): Promise<HoldTags> =>
  snapshots.length === 0 ? new Map() : ends.holdTags(side, snapshots);

/** True when nothing is to be done on either side. */
export const nothingToDo = ({ plans, upkeep }: Survey): boolean =>
  isIdle(upkeep) && plans.every((plan) => !travels(plan) && plan.renameFrom === undefined && !plan.abandon);

/** True for a dataset that has streams to send now. */
export const travels = ({ kind, segments, resume }: DatasetPlan): boolean =>
  ['full', 'incremental', 'resume'].includes(kind) && (segments.length > 0 || resume !== undefined);

/** A change that did not go as planned: shown as a warning, and found again by the next look. */
export interface Trouble {
  target: string;
  words: string;
}

export interface Settled {
  troubles: Trouble[];
  /** What could not be prepared and must not be sent, by target. */
  unprepared: Map<string, string>;
}

/**
 * Everything but the streams: renames, partial state given up, cursors, holds and fences, and what must stand before the streams that are
 * due now. One command a side, none where there is nothing.
 */
export async function settle(
  ends: Ends,
  { plans, upkeep }: Survey,
  ahead: readonly Ahead[] = [],
): Promise<Settled> {
  const troubles: Trouble[] = [];
  // Parents first and one after the other: a child's new name lies below its parent's.
  for (const { renameFrom, target } of plans) {
    if (renameFrom === undefined) continue;
    const [done] = await ends.change('target', [['rename', renameFrom, target]]);
    if (!done?.ok) troubles.push({ target, words: `cannot be renamed from ${renameFrom}: ${done?.words}` });
  }
  // The fence comes first: it proves that what was read there still is there, before anything on the source is let go for it.
  const refused = await changeInOrder(ends, 'target', ...targetChanges(upkeep, plans));
  // Where the rest of an old stream stays, no other one is taken: why it stays is what is wrong with this dataset.
  const notGivenUp = refused.filter(({ target, verb }) => verb === 'receive' && isDue(plans, target));
  const there = refused.filter((one) => !notGivenUp.includes(one));
  const unproved = new Set([...troubles, ...refused].map(({ target }) => target));
  const broken = plans.filter(({ target }) => unproved.has(target)).map(({ source }) => source);
  const [first, then] = sourceChanges(upkeep);
  const stuck = new Set(notGivenUp.map(({ target }) => target));
  const goesOn = ahead.filter(({ plan }) => !stuck.has(plan.target));
  const prepared = goesOn.map(({ plan, words }) => ({
    dataset: plan.source,
    target: plan.target,
    words,
    fine: isThere,
  }));
  const here = await changeInOrder(
    ends,
    'source',
    [...first, ...prepared],
    then.filter(({ dataset }) => !broken.includes(dataset)),
  );
  const isAhead = ({ target }: Trouble): boolean => ahead.some(({ plan }) => plan.target === target);
  const unprepared = new Map([
    ...here.filter(isAhead).map(({ target, words }) => [target, words] as const),
    ...notGivenUp.map(({ target, words }) => [target, words] as const),
  ]);
  return { troubles: [...troubles, ...there, ...here.filter((one) => !isAhead(one))], unprepared };
}

const isDue = (plans: readonly DatasetPlan[], target: string): boolean =>
  plans.some((plan) => plan.target === target && travels(plan));

interface Change {
  /** What it is done for: its second half is left out where the first half failed. */
  dataset: string;
  /** Where it is for streams of that dataset. */
  target?: string;
  words: ZfsWords;
  /** What zfs says when an earlier attempt did it. */
  fine?: RegExp;
}

const datasetOf = (name: string): string => name.replace(/[@#].*$/, '');

const release = (list: Upkeep['source']['release']): Change[] =>
  list.map(({ tag, snapshot }) => ({
    dataset: datasetOf(snapshot),
    words: ['release', tag, snapshot],
    fine: /no such tag|does not exist/,
  }));

/** What keeps the base comes first; only where it stands, what kept it before is taken away. */
const sourceChanges = ({ source }: Upkeep): [Change[], Change[]] => [
  source.bookmarks.map(({ from, cursor }) => ({
    dataset: datasetOf(cursor),
    words: ['bookmark', from, cursor],
    fine: /exists/,
  })),
  [
    ...source.destroy.map((cursor) => ({
      dataset: datasetOf(cursor),
      words: ['destroy', cursor],
      fine: /does not exist/,
    })),
    ...release(source.release),
  ],
];

const targetChanges = ({ target }: Upkeep, plans: DatasetPlan[]): [Change[], Change[]] => [
  [
    ...plans
      .filter(({ abandon }) => abandon !== undefined)
      .map((plan) => ({
        dataset: plan.target,
        words: ['receive', '-A', plan.target],
        fine: /does not have any resumable/,
      })),
    ...target.fence.map((snapshot) => ({
      dataset: datasetOf(snapshot),
      words: ['hold', fenceTag, snapshot],
      fine: /already exists/,
    })),
  ],
  release(target.release),
];

/** One command where all goes well; a second one for the rest when something of the first half failed. */
async function changeInOrder(
  ends: Ends,
  side: 'source' | 'target',
  first: Change[],
  then: Change[],
): Promise<Refused[]> {
  if (first.length === 0 && then.length === 0) return [];
  const wordsOf = (changes: Change[]): ZfsWords[] => changes.map(({ words }) => words);
  const done = await ends.change(side, wordsOf(first), wordsOf(then));
  const troubles = troublesOf(first, done.slice(0, first.length));
  const rest = done.slice(first.length);
  if (rest.every((end) => end !== undefined)) return [...troubles, ...troublesOf(then, rest)];
  const failed = new Set(troubles.map(({ target }) => target));
  const broken = new Set(
    first.filter(({ dataset, target = dataset }) => failed.has(target)).map(({ dataset }) => dataset),
  );
  const allowed = then.filter(({ dataset }) => !broken.has(dataset));
  if (allowed.length === 0) return troubles;
  return [...troubles, ...troublesOf(allowed, await ends.change(side, wordsOf(allowed)))];
}

interface Refused extends Trouble {
  verb: string | undefined;
}

const troublesOf = (changes: Change[], done: (Done | undefined)[]): Refused[] =>
  changes.flatMap(({ dataset, target = dataset, words, fine }, index) => {
    const end = done[index];
    if (end?.ok || (fine && end && complains(fine, end.words))) return [];
    const [verb] = words;
    const what = verb === 'receive' ? 'receive -A (which gives up what has arrived of a stream)' : verb;
    return [{ target, verb, words: `zfs ${what} failed: ${end?.words ?? 'not begun'}` }];
  });
