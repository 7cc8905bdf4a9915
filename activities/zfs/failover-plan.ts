import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverPlan, SourceState } from '../../contracts/failover.js';
import { sha256 } from '../../system/sha256.js';
import { isAtOrBelow } from './dataset-names.js';
import type { FailoverFacts, Promotion } from './failover-facts.js';
import { usedBeside, whyNotBeside } from './failover-others.js';
import { explainFailover } from './failover-words.js';
import { isParked } from './replicate-names.js';
import { stopping } from './replicate-proof.js';
import { roleOf } from './role.js';
import type { Dataset } from './types.js';

/** What a failover would do, and every reason not to. Pure: what is seen of both sides in, a plan or a refusal out. */

export interface PlannedFailover {
  plan: FailoverPlan;
  promotion: Promotion;
}

const refuse = (
  words: string,
  code: 'HF_FAILOVER_REFUSED' | 'HF_SOURCE_NOT_OFF' = 'HF_FAILOVER_REFUSED',
): never => {
  throw new HoldfastError(code, `${words}. Nothing was changed`.slice(0, 590));
};

export function planFailover(facts: FailoverFacts): PlannedFailover {
  const done = doneBefore(facts);
  if (done) return done;
  judgeRoles(facts);
  judgeSource(facts);
  judgeOthers(facts);
  judgeReplicas(facts);
  const [taken] = facts.occupied;
  if (taken)
    refuse(
      `${taken} on ${facts.sides.targetHost} is not empty, and a replica would be mounted over it: move away what lies there`,
    );
  const promotion = promotionOf(facts);
  judgeRoot(facts, promotion);
  const { hooks, source } = facts;
  return {
    promotion,
    plan: {
      digest: digestOf(facts, promotion),
      source: source.state,
      lines: explainFailover(facts, promotion)
        .slice(0, 60)
        .map((line) => line.slice(0, 240)),
      datasets: promotion.live.length,
      ...(roleOf(facts.target.get(facts.targetRoot))?.kind === 'promoted' && { goesOn: true as const }),
      hooks: { stop: hooks.stop.length > 0, start: hooks.start.length > 0 },
    },
  };
}

/** One that is half done is gone on with; a whole one is no work, but the job's other resources may be. */
function doneBefore({ target, targetRoot, sides, run }: FailoverFacts): PlannedFailover | undefined {
  const there = roleOf(target.get(targetRoot));
  const isWhole = [...target.values()].every(
    ({ readonly, role }) => readonly !== 'on' || roleOf({ role })?.kind === 'kept',
  );
  if (there?.kind !== 'promoted' || there.run === run || !isWhole) return undefined;
  const words = `${targetRoot} on ${sides.targetHost} is the one in use already, since ${there.run}`;
  return { promotion: { live: [], kept: [] }, plan: donePlan(words) };
}

/** Never the digest of anything that is still to be done. */
export const donePlan = (words: string): FailoverPlan => ({
  digest: 'done already',
  source: 'answers',
  lines: [words.slice(0, 240)],
  datasets: 0,
  alreadyDone: true,
  hooks: { stop: false, start: false },
});

function judgeRoles({ source, target, sourceRoot, targetRoot, sides, store }: FailoverFacts): void {
  const there = roleOf(target.get(targetRoot));
  const here = source.state === 'answers' ? roleOf(source.listing.get(sourceRoot)) : undefined;
  if (there?.kind === 'unknown' || here?.kind === 'unknown')
    refuse(
      `The property holdfast:role of ${there?.kind === 'unknown' ? targetRoot : sourceRoot} says "${(there ?? here)?.run}", which nobody here wrote: look at it`,
    );
  if (there?.kind === 'promoted' && source.state === 'answers' && here?.kind !== 'standby')
    refuse(
      `${targetRoot} has begun to take over in ${there.run}, and ${sourceRoot} on ${sides.sourceHost} does not stand by. The next replication makes it stand by: run that first`,
    );
  if (here?.kind === 'standby' && here.store !== store)
    refuse(
      `${sourceRoot} stands by because of the store "${here.store}", since ${here.run}: bring that back first`,
    );
}

const meanings: Record<string, string> = {
  off: 'the machine is switched off, or cut off for good: it writes nothing and nobody can reach it',
  lost: 'the pool is gone, or nobody will import it again',
};

/** A source that may still be written to makes two sides, which nothing can join again. */
function judgeSource(facts: FailoverFacts): void {
  const { source, settings, sides, sourceRoot, targetRoot, target, proof } = facts;
  const said = settings.source;
  const { sourceHost } = sides;
  if (said !== undefined && !Object.hasOwn(meanings, said))
    refuse(
      `"source=${said.slice(0, 40)}" means nothing here: it is "off" (${meanings.off}) or "lost" (${meanings.lost})`,
    );
  if (source.state === 'answers' && said !== undefined)
    refuse(
      `${sourceHost} answers over ssh and shows ${sourceRoot}: it is not ${said}. Leave "source" out, then it is made readonly and its last state is sent first`,
      'HF_SOURCE_NOT_OFF',
    );
  // What this very replica has begun as the one in use needs no second word.
  if (source.state === 'answers' || roleOf(target.get(targetRoot))?.kind === 'promoted') return;
  const wanted = source.state === 'silent' ? 'off' : 'lost';
  if (said === wanted || isKnownOff(facts)) return;
  const tried = proof ? `; ${proof.words}` : '';
  const seen =
    source.state === 'silent'
      ? `${sourceHost} does not answer (${source.words.slice(0, 120)}). That proves nothing: it may still serve its clients${tried}`
      : `${sourceHost} answers, but ${sourceRoot} is not there (${source.words.slice(0, 120)})`;
  refuse(
    `${seen}. Make sure of it, then say so with "--set source=${wanted}": ${meanings[wanted]}`,
    'HF_SOURCE_NOT_OFF',
  );
}

/** Proved, or a human's word. */
const isKnownOff = ({ source, settings, proof }: FailoverFacts): boolean =>
  source.state === 'silent' && (settings.source === 'off' || proof?.isOff === true);

/** Asked once more right before the replica takes over. */
export function judgeOthers(facts: FailoverFacts): void {
  const { others, settings, sides, run } = facts;
  const isAlive = facts.source.state === 'answers';
  const offHost = isKnownOff(facts) ? sides.sourceHost : undefined;
  const why = whyNotBeside(others, { settings, offHost, isAlive, run });
  if (why !== undefined) refuse(why);
}

/** A replica that fits its source no longer is no continuation of it. */
function judgeReplicas({ plans, sides, target, targetRoot }: FailoverFacts): void {
  // One that has begun to take over may have been written to already.
  if (roleOf(target.get(targetRoot))?.kind === 'promoted') return;
  const stopped = (plans ?? []).filter(({ kind }) => stopping.has(kind));
  const [first] = stopped;
  if (!first) return;
  const more = stopped.length > 1 ? `, and ${stopped.length - 1} more` : '';
  refuse(
    `${first.target} cannot be continued: ${first.reason}${more}. Park it first: "holdfast do ${sides.job} park"`,
  );
}

/** The role stands on the root: what lies below one that is no copy would be in use, and no run would know of it. */
function judgeRoot({ targetRoot, sides }: FailoverFacts, { live }: Promotion): void {
  if (live.some(({ name }) => name === targetRoot)) return;
  const words = `${targetRoot} on ${sides.targetHost} has no snapshot:`;
  if (live.length === 0) refuse(`${words} nothing has ever arrived whole`);
  const below = `only ${live.length} datasets below it have, as ${live[0]?.name.slice(0, 120)}`;
  refuse(
    `${words} it never arrived whole, ${below}, so it cannot take over. "holdfast restore ${sides.job}" brings those`,
  );
}

export function promotionOf({
  target,
  targetRoot,
  plans,
}: Pick<FailoverFacts, 'target' | 'targetRoot' | 'plans'>): Promotion {
  // What the file leaves out by now is brought up to date no more: it would never have the last snapshot.
  const left = new Set(
    (plans ?? []).flatMap(({ kind, target: name }) => (kind === 'gone' || kind === 'excluded' ? [name] : [])),
  );
  const own = [...target.values()].filter(({ name }) => isAtOrBelow(name, targetRoot) && !isParked(name));
  const stays = ({ name, snapshots, role }: Dataset): boolean =>
    left.has(name) || snapshots.length === 0 || roleOf({ role })?.kind === 'kept';
  return { live: own.filter((dataset) => !stays(dataset)), kept: own.filter(stays) };
}

/**
 * Of what the yes is given for. Where the source lives, snapshots come and go until its writers are stopped, so they are no part of it;
 * where it is gone, the very last state of each dataset is.
 */
function digestOf(facts: FailoverFacts, { live, kept }: Promotion): string {
  const { source, settings, sourceRoot, targetRoot, store } = facts;
  const isDead = source.state !== 'answers';
  const beside = usedBeside(facts.others.filter(({ role }) => role?.run !== facts.run));
  const line = ({ name, guid, snapshots, writtenBytes }: Dataset): string =>
    [name, guid, ...(isDead ? [snapshots.at(-1)?.guid, writtenBytes] : [])].join(' ');
  const parts = {
    state: source.state satisfies SourceState,
    settings: Object.entries(settings).sort(),
    names: [sourceRoot, targetRoot, store],
    live: live.map(line),
    kept: kept.map(({ name }) => name),
    source:
      source.state === 'answers'
        ? [...source.listing.values()].map(({ name, guid }) => `${name} ${guid}`)
        : [],
    hooks: facts.hooks,
    // So that nobody else has begun with the same datasets since the yes; this run's own parts are one question.
    ...(beside.length > 0 && { beside }),
    // What was proved when the yes was given must be so when it is done.
    ...(facts.proof && { isOff: facts.proof.isOff }),
  };
  return sha256(JSON.stringify(parts));
}
