import { resolve } from 'node:path';
import { restoreCopy } from '../../activities/restic/restore.js';
import { planRestore } from '../../activities/restic/restore-plan.js';
import { HoldfastError } from '../../contracts/errors.js';
import { parseIdMap } from '../../contracts/id-map.js';
import type { RestorePlan, RestoreReport, RestoreStepInput } from '../../contracts/jobs.js';
import { namePattern, runId } from '../../contracts/names.js';
import type { Context } from '../context.js';
import { endLines } from '../end.js';
import { exitCodes } from '../exit-codes.js';
import { shown } from '../jobs.js';
import { planLines } from '../plan-view.js';
import { copyId, moment, relativePath } from '../restore-words.js';
import { type Rescue, type RescueWords, rescueStore } from './open.js';
import { askText } from './prompt.js';
import { isOf, taggedCopies } from './snapshots.js';

const digestCharacters = 8;

/** `rescue restic restore`: plan, the operator's yes bound to it, restore, comparison. The same steps as a run's. */
export async function restoreByHand(context: Context, rescue: Rescue, words: RescueWords): Promise<number> {
  const target = targetOf(words);
  parseIdMap(words.mapIds);
  const { job, resource } = await chooseResource(rescue, words);
  const run = runId(`${job}.rescue`, context.now());
  const tools = rescue.toolsFor({ job, resource, target, run });
  const step = stepOf({ job, resource, target, run }, words);
  const plan = await planRestore(tools, step);
  if (!context.json) for (const line of planLines(plan)) context.out(line);
  await approve(context, plan, words.yes);
  const report = await restoreCopy(tools, {
    ...step,
    copy: plan.snapshot,
    at: undefined,
    digest: plan.digest,
  });
  return tell(context, run, report);
}

function targetOf({ to }: RescueWords): string {
  if (to === undefined) throw usage('Say where to: --to DIR, a new or empty folder of this machine');
  const target = resolve(to);
  if (target === '/') throw usage('--to takes a new or empty folder, not "/"');
  return target;
}

const usage = (message: string): HoldfastError => new HoldfastError('HF_USAGE', message);

/** The one there is, or the one that was named; a guess would restore the wrong thing. */
async function chooseResource(
  rescue: Rescue,
  { copyOf, copy }: RescueWords,
): Promise<{ job: string; resource: string }> {
  const { copies: whole, parts } = await taggedCopies(rescue);
  const named = parts.filter(({ snapshot }) => copy !== undefined && snapshot.id.startsWith(copyId(copy)));
  const copies = named.length > 0 ? named : whole;
  const all = [...new Set(copies.map(({ job, resource }) => `${job}/${resource}`))];
  const found = copies.filter((copy) => copyOf === undefined || isOf(copy, copyOf));
  const names = [...new Set(found.map(({ job, resource }) => `${job}/${resource}`))];
  const [first] = found;
  if (names.length > 1) throw usage(`Say of what: ${names.join(', ')}`.slice(0, 300));
  if (first && namePattern.test(first.job) && namePattern.test(first.resource)) return first;
  const there = all.length > 0 ? `there are ${all.join(', ')}` : 'there are no copies of Holdfast at all';
  throw new HoldfastError(
    'HF_COPY_NOT_FOUND',
    `There is no copy of "${shown(copyOf ?? '')}": ${there}`.slice(0, 300),
    { next: '"holdfast rescue restic snapshots" lists what there is' },
  );
}

function stepOf(
  names: Pick<RestoreStepInput, 'job' | 'resource' | 'target' | 'run'>,
  { copy, at, paths, mapIds, compareAttributes }: RescueWords,
): RestoreStepInput {
  if (copy !== undefined && at !== undefined) throw usage('--copy and --at exclude each other');
  return {
    ...names,
    store: rescueStore,
    retryForMs: 0,
    paths: paths.map(relativePath),
    ...(mapIds.length > 0 && { mapIds: [...mapIds] }),
    ...(compareAttributes && { compareAttributes }),
    ...(copy !== undefined && { copy: copyId(copy) }),
    ...(at !== undefined && { at: moment(at) }),
  };
}

/** A yes to this very plan: its digest is what is typed. */
async function approve({ interactive, json }: Context, { digest }: RestorePlan, yes: string | undefined) {
  const canAsk = interactive && !json;
  const beginning = digest.slice(0, digestCharacters);
  if (yes === undefined && !canAsk)
    throw new HoldfastError(
      'HF_NOT_APPROVED',
      'Nothing was restored: this is not a terminal, and no plan was approved',
      {
        next: `Look at the plan, then give --yes ${beginning}`,
      },
    );
  const typed =
    yes ?? (await askText(`Type the first ${digestCharacters} characters of the digest to restore: `));
  const given = typed.trim().toLowerCase();
  if (given.length >= digestCharacters && digest.startsWith(given)) return;
  throw new HoldfastError('HF_NOT_APPROVED', 'Nothing was restored: that is not the digest of this plan', {
    next: `Look at the plan; the digest of this one begins with ${beginning}`,
  });
}

function tell(context: Context, run: string, report: RestoreReport): number {
  const { files, target, warnings } = report;
  const outcome = warnings.length > 0 ? 'warnings' : 'ok';
  const summary = `${files} files restored to ${target} and verified`;
  const result = { outcome, report, summary, warnings } as const;
  if (context.json) context.out(JSON.stringify({ run, ...result }, null, 2));
  else for (const line of endLines(run, result)) context.out(line);
  return warnings.length > 0 ? exitCodes.warnings : exitCodes.done;
}
