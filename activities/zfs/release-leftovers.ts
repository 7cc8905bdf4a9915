import { HoldfastError } from '../../contracts/errors.js';
import type { LeftoversPlan, LeftoversReport, LeftoversStepInput } from '../../contracts/leftovers.js';
import type { Tools } from '../door.js';
import { checkRunOfJob } from '../restic/job.js';
import { groupsOf, nameOfMark, rootsOfJob, wordsToRelease } from './leftover-groups.js';
import { claimsOn, type Judging, leftoversIn, type Remembered, usingRun, whyItStays } from './leftovers.js';
import { lookAtForgotten, type Mark } from './marks.js';
import { approvedPlan, keepForAnswer } from './replicate-approved.js';
import type { Done } from './replicate-ends.js';
import { changeOn } from './replicate-hosts.js';
import { readRemembered } from './replicate-states.js';
import type { ZfsWords } from './replicate-streams.js';
import { zfsOn } from './zfs-on.js';

/** Lets go of what removed jobs, stores and resources have left on a host: after a yes to just that, and looked at again right before. */

/** Where the marks are; the model of pools in the tests is another one. */
export interface Place {
  look(): Promise<Mark[]>;
  change(commands: readonly ZfsWords[]): Promise<(Done | undefined)[]>;
}

export type Rules = Omit<Judging, 'marksOn'>;

const named = 30;
const askedRuns = 50;

export async function planLeftovers(tools: Tools, input: LeftoversStepInput): Promise<LeftoversPlan> {
  const { place, rules } = await openPlace(tools, input);
  tools.progress({ phase: 'looking for what removed jobs have left' });
  const found = judge(await place.look(), rules);
  for (const mark of found.goes) tools.log(`would be released: ${nameOfMark(mark)}`);
  for (const { mark, why } of found.stays) tools.log(`stays: ${nameOfMark(mark)}: ${why}`);
  const digest = await keepForAnswer(tools.host, keptAs(tools, input), 'leftovers', found.goes);
  return {
    digest,
    count: found.goes.length,
    lines: linesOf(found.goes, rules.remembered),
    refused: reasonsIn(found.stays),
    holdingRuns: found.holdingRuns.slice(0, askedRuns),
  };
}

export async function releaseLeftovers(tools: Tools, input: LeftoversStepInput): Promise<LeftoversReport> {
  const approved = await approvedPlan<Mark>(
    tools.host,
    { ...keptAs(tools, input), digest: input.digest },
    'leftovers',
  );
  const { place, rules } = await openPlace(tools, input);
  const { released, warnings } = await releaseApproved(place, rules, approved);
  for (const mark of released) tools.log(`released: ${nameOfMark(mark)}`);
  for (const words of warnings) tools.log(words);
  return {
    released: released.length,
    names: released.slice(0, 10).map((mark) => nameOfMark(mark).slice(0, 300)),
    warnings: warnings.slice(0, 10).map((words) => words.slice(0, 300)),
  };
}

/** What is still there and still needed by nobody goes; afterwards it is looked whether it is gone, whatever zfs said. */
export async function releaseApproved(
  place: Place,
  rules: Rules,
  approved: readonly Mark[],
): Promise<{ released: Mark[]; warnings: string[] }> {
  const now = judge(await place.look(), rules);
  const wanted = new Set(approved.map(keyOf));
  const due = now.goes.filter((mark) => wanted.has(keyOf(mark)));
  const done = due.length === 0 ? [] : await place.change(due.map(wordsToRelease));
  const after = due.length === 0 ? now.all : new Set((await place.look()).map(keyOf));
  const why = new Map([
    ...now.stays.map((one) => [keyOf(one.mark), `stays: ${one.why}`] as const),
    ...due.map(
      (mark, at) => [keyOf(mark), `is still there: ${done[at]?.words || 'zfs said nothing'}`] as const,
    ),
  ]);
  return {
    // What an earlier attempt or somebody else has taken away is away as well.
    released: approved.filter((mark) => !after.has(keyOf(mark))),
    warnings: approved
      .filter((mark) => after.has(keyOf(mark)))
      .map(
        (mark) =>
          `${nameOfMark(mark)} ${why.get(keyOf(mark)) ?? 'is of a job of the file again: left alone'}`,
      ),
  };
}

/** With the guid: what was made anew under the same name is something else. */
const keyOf = (mark: Mark): string => `${nameOfMark(mark)}\n${mark.guid}`;

interface Judged {
  all: ReadonlySet<string>;
  goes: Mark[];
  stays: { mark: Mark; why: string }[];
  holdingRuns: string[];
}

export function judge(marks: readonly Mark[], rules: Rules): Judged {
  const on = byDataset(marks);
  const judging: Judging = { ...rules, marksOn: (dataset) => on.get(dataset) ?? [] };
  const judged = leftoversIn(marks, rules.claims).map((mark) => ({ mark, why: whyItStays(mark, judging) }));
  return {
    all: new Set(marks.map(keyOf)),
    goes: judged.flatMap(({ mark, why }) => (why === undefined ? [mark] : [])),
    stays: judged.flatMap(({ mark, why }) => (why === undefined ? [] : [{ mark, why }])),
    holdingRuns: [...new Set(judged.flatMap(({ mark }) => usingRun(mark, judging) ?? []))],
  };
}

function byDataset(marks: readonly Mark[]): Map<string, Mark[]> {
  const on = new Map<string, Mark[]>();
  for (const mark of marks) {
    const known = on.get(mark.dataset);
    if (known) known.push(mark);
    else on.set(mark.dataset, [mark]);
  }
  return on;
}

function linesOf(marks: readonly Mark[], remembered: Remembered): string[] {
  const groups = groupsOf(marks, remembered).map(
    (group) =>
      `${group.words}${group.isRemembered ? '' : '. Nobody on this machine remembers it: say no if another holdfast.yaml uses it'}`,
  );
  const names = marks.map(nameOfMark);
  const more =
    names.length > named ? [`and ${names.length - named} more: the log of this run names each`] : [];
  return [...groups.slice(0, 10), ...names.slice(0, named), ...more].map((words) => words.slice(0, 400));
}

/** Each reason once, with how many it is about. */
function reasonsIn(stays: readonly { mark: Mark; why: string }[]): string[] {
  const reasons = new Map<string, Mark[]>();
  for (const { mark, why } of stays) reasons.set(why, [...(reasons.get(why) ?? []), mark]);
  return [...reasons]
    .slice(0, 10)
    .map(([why, marks]) => `${marks.length} stay (${nameOfMark(marks[0] as Mark)}): ${why}`.slice(0, 400));
}

const keptAs = ({ host }: Tools, { job, run, retryForMs }: LeftoversStepInput) => ({
  ...{ job, run, retryForMs, round: 0 },
  // One worker may drive several hosts; no resource has this name in a run of this kind.
  ...{ resource: host.name, store: 'host' },
});

async function openPlace(tools: Tools, input: LeftoversStepInput): Promise<{ place: Place; rules: Rules }> {
  const { config, host, log } = tools;
  checkRunOfJob(input.run, input.job);
  if (input.unknown !== undefined && input.unknown !== 'release')
    throw new HoldfastError('HF_USAGE', 'The setting "unknown" takes the word "release", and nothing else');
  const roots = rootsOfJob(config, input.job, host.name);
  if (roots.length === 0)
    throw new HoldfastError(
      'HF_NOT_IN_CONFIG',
      `The job "${input.job.slice(0, 63)}" has no dataset on "${host.name}" in this host's holdfast.yaml; give every host the same file`,
    );
  const zfs = zfsOn(tools, host.name);
  return {
    place: {
      look: async () => (await lookAtForgotten(host, zfs, roots)).marks,
      change: (commands) => changeOn(zfs, host.name, commands, [], log),
    },
    rules: {
      claims: claimsOn(config, host.name),
      remembered: await readRemembered(host),
      endedRuns: input.endedRuns ?? [],
      alsoUnknown: input.unknown === 'release',
    },
  };
}
