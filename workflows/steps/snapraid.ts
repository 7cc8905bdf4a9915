import { isCancellation, patched, sleep, workflowInfo } from '@temporalio/workflow';
import type { JobInput, Source } from '../../contracts/jobs.js';
import { resourceLease } from '../../contracts/names.js';
import type {
  SnapraidBadBlocks,
  SnapraidLook,
  SnapraidPlan,
  SnapraidRepairReport,
  SnapraidScrubReport,
  SnapraidSmartReport,
  SnapraidStepInput,
  SnapraidSyncReport,
} from '../../contracts/snapraid.js';
import { askApproval } from './approve.js';
import { diagnose } from './failure.js';
import { withLeases } from './lease.js';
import { type HostSteps, heavyOnHost, onHost } from './on-host.js';
import type { Report } from './report.js';
import { withWritersAway } from './writers.js';

/** What runs on SnapRAID arrays share. Nothing is leased or kept away while a human is asked. */

export interface ArrayWork {
  source: Source;
  input: JobInput;
  report: Report;
  step: SnapraidStepInput;
}

export const arrayWork = (source: Source, input: JobInput, report: Report): ArrayWork => ({
  source,
  input,
  report,
  step: {
    job: input.job,
    run: workflowInfo().workflowId,
    resource: source.resource,
    retryForMs: input.limits.retryForMs,
  },
});

/** One step as the array's only user, with its line in the table. */
export function held<R>(work: ArrayWork, name: string, body: (steps: HostSteps) => Promise<R>): Promise<R> {
  const { source, input, report } = work;
  const line = `${source.resource}: ${name}`;
  const steps = heavyOnHost(source.host, input.limits, `${name} of ${source.resource}`);
  return withLeases([resourceLease(source.resource)], report, () => report.watch(line, () => body(steps)));
}

const done = ({ report, source }: ArrayWork, name: string, note: string, warned = false): void =>
  report.step(`${source.resource}: ${name}`, warned ? 'warned' : 'done', note);

/** Before anything else: are all disks there, and what does the array say of itself? */
export async function look(work: ArrayWork, after?: true): Promise<SnapraidLook> {
  for (;;) {
    const found = await held(work, 'status', (steps) =>
      steps.snapraidLook({ ...work.step, ...(after && { after }) }),
    );
    const isSilent = found.shareSilent !== undefined;
    done(work, 'status', lookWords(found), found.warnings.length > 0 || isSilent);
    if (found.closedMs === 0 || (after && patched('2026-11-done-is-done-whatever-the-hours'))) return found;
    work.report.waitFor(`the hours in which ${work.input.job} may work`);
    await sleep(found.closedMs, { summary: 'wait for the hours of the job' });
    work.report.waitFor(undefined);
  }
}

export const lookWords = ({
  files,
  unsynced,
  bad,
  oldestDays,
  wastedBytes,
  rehash,
  shareSilent,
}: SnapraidLook): string =>
  [
    `${files} files`,
    ...(unsynced > 0 ? [`${unsynced} blocks without parity`] : []),
    `${bad} bad blocks`,
    `oldest block read ${oldestDays} days ago`,
    ...(wastedBytes > 0 ? [`${Math.round(wastedBytes / 1e6)} MB of parity unused`] : []),
    ...(rehash ? ['a rehash is pending'] : []),
    ...(shareSilent === undefined ? [] : [shareSilent]),
  ].join(', ');

export async function touch(work: ArrayWork, seen?: SnapraidLook): Promise<void> {
  const known = seen && { withoutSubseconds: seen.withoutSubseconds };
  const { touched } = await held(work, 'touch', (steps) => steps.snapraidTouch({ ...work.step, ...known }));
  done(work, 'touch', touched > 0 ? `${touched} files were given a sub-second time` : 'nothing to do');
}

/** Compares, asks where it must, and syncs just what was compared and approved. */
export async function sync(work: ArrayWork): Promise<SnapraidSyncReport | NotDue> {
  let plan = await held(work, 'diff', (steps) => steps.snapraidPlan(work.step));
  for (let approved: string | undefined; ; ) {
    done(work, 'diff', planWords(plan), plan.reasons.length > 0);
    if (plan.notDue !== undefined && approved === undefined) return notDue(work, plan, plan.notDue);
    if (plan.reasons.length > 0) approved = await askSync(work, plan);
    const synced = await syncNow(work, plan, approved);
    plan = synced.plan;
    if (synced.state === 'asks') continue;
    done(work, 'sync', syncWords(synced), synced.warnings.length > 0);
    return synced;
  }
}

export interface NotDue {
  state: 'not due';
  why: string;
  /** Of the newest sync, which is young enough: the state that parity still covers. */
  restorePoint?: string;
}

function notDue(work: ArrayWork, plan: SnapraidPlan, why: string): NotDue {
  work.report.step(`${work.source.resource}: sync`, 'skipped', `${planWords(plan)}: ${why}`);
  const restorePoint = plan.syncedPoint;
  return { state: 'not due', why, ...(restorePoint !== undefined && { restorePoint }) };
}

async function syncNow(
  work: ArrayWork,
  plan: SnapraidPlan,
  digest: string | undefined,
): Promise<SnapraidSyncReport> {
  const input = { ...work.step, ...(digest !== undefined && { digest }) };
  return held(work, 'sync', (steps) => {
    // With nothing to do it is only proved that parity is complete.
    if (plan.isInSync) return steps.snapraidSync({ ...input, onlyProve: true });
    const { source, report } = work;
    const body = (): Promise<SnapraidSyncReport> => steps.snapraidSync(input);
    return withWritersAway({ host: source.host, limits: work.input.limits, step: work.step }, report, body);
  });
}

async function askSync(work: ArrayWork, plan: SnapraidPlan): Promise<string> {
  const { source, input, report } = work;
  const what = `sync ${source.resource} although ${plan.reasons.join('; ')}`.slice(0, 300);
  report.step(`${source.resource}: diff`, 'waiting', planWords(plan));
  await askApproval(
    {
      digest: plan.digest,
      what,
      details: [planWords(plan), ...plan.reasons, ...plan.lines],
      otherwise: 'What was shown is not synced.',
      withinMs: withinMs(input),
    },
    report,
  );
  return plan.digest;
}

const withinMs = ({ snapraid }: JobInput): number => snapraid?.approveWithinMs ?? 20 * 3_600_000;

function planWords({ counts, isInSync, unsynced }: SnapraidPlan): string {
  if (isInSync) return 'nothing was changed';
  const words = Object.entries(counts).filter(([, count]) => count > 0);
  if (words.length === 0) return unsynced ? 'an interrupted sync is to be continued' : 'nothing was changed';
  return words.map(([kind, count]) => `${count} ${kind}`).join(', ');
}

export const syncWords = ({ plan, interrupted }: SnapraidSyncReport): string =>
  [`complete: ${planWords(plan)}`, ...(interrupted > 0 ? ['an interrupted sync was continued'] : [])].join(
    ', ',
  );

/** The array is not held for a host that is away: the next night copies anew. */
const copiesPatienceMs = 60_000;

/** Parity is complete whether the lists could be copied or not: that is a warning. */
export async function keepCopies(work: ArrayWork): Promise<string[]> {
  try {
    const step = { ...work.step, retryForMs: copiesPatienceMs };
    const { place } = await held(work, 'copies', (steps) => steps.snapraidKeepCopies(step));
    done(work, 'copies', place || 'nothing says where to: see "copies" of the resource');
    return [];
  } catch (error) {
    if (isCancellation(error)) throw error;
    return [diagnose(error).message];
  }
}

/** Reads a part; what is bad is repaired after a human's yes, and read again. */
export async function scrub(work: ArrayWork): Promise<SnapraidScrubReport> {
  const found = await held(work, 'scrub', (steps) => steps.snapraidScrub(work.step));
  done(work, 'scrub', scrubWords(found), found.bad > 0 || found.warnings.length > 0);
  if (found.bad === 0) return found;
  for (let plan: SnapraidBadBlocks = found; ; ) {
    await askRepair(work, plan);
    const { changed, repaired, again } = await repairBad(work, plan);
    if (changed) plan = changed;
    if (!again) continue;
    const left = again.bad === 0 ? 'no block is bad any more' : `${again.bad} are proved after the next sync`;
    done(work, 'repair', `${repaired} errors repaired, and ${left}`, true);
    const unproved = again.bad === 0 ? [] : again.warnings;
    const warnings = [`${plan.bad} bad blocks were found and repaired`, ...unproved];
    return { ...again, percent: found.percent, warnings };
  }
}

type Repaired = SnapraidRepairReport & { again?: SnapraidScrubReport };

/** Just what was approved, and proved by reading it again; nothing when other blocks are bad now. */
const repairBad = (work: ArrayWork, { digest }: SnapraidBadBlocks): Promise<Repaired> =>
  held(work, 'repair', async (steps) => {
    const done = await steps.snapraidRepairBad({ ...work.step, digest });
    if (done.changed) return done;
    return { ...done, again: await steps.snapraidScrub({ ...work.step, onlyBad: true }) };
  });

async function askRepair({ source, input, report }: ArrayWork, found: SnapraidBadBlocks): Promise<void> {
  const what = `repair ${found.bad} bad blocks of ${source.resource} from parity (fix -e)`;
  report.step(`${source.resource}: repair`, 'waiting', what);
  const { digest, files: details } = found;
  const otherwise = 'The bad blocks are as they were: nothing was repaired.';
  await askApproval({ digest, what, details, otherwise, withinMs: withinMs(input) }, report);
}

export const scrubWords = ({ state, percent, bad, blocks }: SnapraidScrubReport): string =>
  [
    `${percent} % of ${blocks} blocks read`,
    ...(state === 'outside' ? ['until the hours of the job were over'] : []),
    bad === 0 ? 'none is bad' : `${bad} are bad`,
  ].join(', ');

export async function smart(work: ArrayWork): Promise<string[]> {
  const { source, input, report } = work;
  const name = `${source.resource}: smart`;
  const steps = onHost(source.host, input.limits, `health of the disks of ${source.resource}`);
  const found = await report.watch(name, () => steps.snapraidSmart(work.step));
  done(work, 'smart', healthWords(found), found.warnings.length > 0);
  return found.warnings;
}

function healthWords({ disks, unknown = [], warnings }: SnapraidSmartReport): string {
  const hottest = Math.max(...disks.map(({ temperature = 0 }) => temperature));
  if (disks.length === 0) return 'the health of no disk is known';
  return [
    `${disks.length} disks, ${warnings.length} warnings`,
    ...(hottest > 0 ? [`the hottest has ${hottest} °C`] : []),
    ...(unknown.length > 0 ? [`of ${unknown.join(', ')} nothing is known`] : []),
  ].join(', ');
}

/** The last of all: a status would wake them again. */
export async function spinDown(work: ArrayWork): Promise<void> {
  const { down } = await held(work, 'spin down', (steps) => steps.snapraidSpinDown(work.step));
  done(work, 'spin down', down ? 'the disks sleep' : 'the disks cannot be told to sleep');
}
