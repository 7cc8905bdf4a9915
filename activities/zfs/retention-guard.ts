import { sha256 } from '../../system/sha256.js';
import type { Verdict } from './retention.js';

/** Holds retention back as a whole where its plan looks like an accident. Pure. */

export interface Judged {
  /** Nothing may be removed now, whoever says yes. */
  refused?: string;
  /** A human must see it first. */
  unusual?: string;
  /** Of everything that would go: an approval is bound to it. */
  digest: string;
}

export interface Circumstances {
  nowS: number;
  /** Promised age of the newest snapshot. Seconds. */
  rpoS?: number | undefined;
}

/** Clocks of two machines may differ by so much. Seconds. */
const clockDifferenceS = 300;
const few = 3;

/** `verdicts` are those of one dataset each. */
export function judgePlan(datasets: readonly (readonly Verdict[])[], circumstances: Circumstances): Judged {
  const goes = datasets.flat().filter(({ reasons }) => reasons.length === 0);
  const digest = digestOf(planLines(goes));
  const refused = datasets.map((verdicts) => whyRefused(verdicts, circumstances)).find((why) => why);
  const unusual = datasets.map(whyUnusual).find((why) => why);
  return { digest, ...(refused && { refused }), ...(unusual && { unusual }) };
}

function whyRefused(verdicts: readonly Verdict[], { nowS, rpoS }: Circumstances): string | undefined {
  const newest = verdicts.at(-1);
  if (!newest || verdicts.every(({ reasons }) => reasons.length > 0)) return undefined;
  const { creationS } = newest.snapshot;
  const made = new Date(creationS * 1000).toISOString();
  if (creationS - nowS > clockDifferenceS)
    return `the newest snapshot of ${newest.dataset} is of ${made}, which is still to come: a clock is wrong`;
  if (rpoS !== undefined && nowS - creationS > rpoS)
    return `the newest snapshot of ${newest.dataset} is of ${made}, older than the objective: nothing is removed until there is a new one`;
  return undefined;
}

/**
 * Below its floor a pool takes no snapshot, so the newest only gets older: what goes to free it must not wait for a new one, or both wait
 * for ever. All else stays until there is one.
 */
export function keepWhileLate(
  { verdicts, urgent }: { verdicts: readonly (readonly Verdict[])[]; urgent: ReadonlySet<Verdict> },
  { nowS, rpoS }: Circumstances,
): Circumstances & { byDataset: readonly (readonly Verdict[])[] } {
  if (urgent.size === 0 || rpoS === undefined) return { byDataset: verdicts, nowS, rpoS };
  const isLate = (all: readonly Verdict[]): boolean => nowS - (all.at(-1)?.snapshot.creationS ?? nowS) > rpoS;
  const keepRest = (verdict: Verdict): Verdict =>
    urgent.has(verdict) || verdict.reasons.length > 0 ? verdict : { ...verdict, reasons: [whileLate] };
  return { byDataset: verdicts.map((all) => (isLate(all) ? all.map(keepRest) : all)), nowS };
}

const whileLate = 'until there is a new one';

/** More than half of what a dataset has, and more than a few: rules that were changed, or a clock that jumped. */
function whyUnusual(verdicts: readonly Verdict[]): string | undefined {
  const goes = verdicts.filter(({ reasons }) => reasons.length === 0);
  const [first] = goes;
  if (!first || goes.length <= few || goes.length * 2 <= verdicts.length) return undefined;
  return `${goes.length} of the ${verdicts.length} snapshots of ${first.dataset} would go`;
}

/** One line for each, in an order that does not depend on the listing. */
export const planLines = (goes: readonly Verdict[]): string[] =>
  goes.map(({ dataset, snapshot }) => `${snapshot.guid} ${dataset}@${snapshot.name}`).sort();

export const digestOf = (lines: readonly string[]): string => sha256(lines.join('\n'));
