import { isCancellation, patched, workflowInfo } from '@temporalio/workflow';
import type { ActionInput } from '../contracts/actions.js';
import type { RunResult, Source } from '../contracts/jobs.js';
import { resourceLease } from '../contracts/names.js';
import type {
  SnapraidByHandInput,
  SnapraidByHandPlan,
  SnapraidByHandReport,
  SnapraidCopiesReport,
  SnapraidPlan,
  SnapraidSyncReport,
} from '../contracts/snapraid.js';
import { askApproval } from './steps/approve.js';
import { diagnose, failure } from './steps/failure.js';
import { withLeases } from './steps/lease.js';
import { heavyOnHost } from './steps/on-host.js';
import { openReport, type Report } from './steps/report.js';
import { endRun } from './steps/run.js';
import { withWritersAway } from './steps/writers.js';

/** How long a question waits for a yes. Milliseconds. */
const approveWithinMs = 24 * 3_600_000;

/** Undelete, a new data disk, a new parity: plan, a human's yes, the repair, the proof, and then the sync that makes it the new state. */
export async function repairSnapraid(input: ActionInput): Promise<RunResult> {
  const report = openReport(input);
  return endRun(report, async () => {
    const repair = openRepair(input, report);
    const plan = await repair.plan();
    if (input.planOnly || plan.nothing) return ended(planWords(plan));
    if (plan.refused !== undefined) throw failure('HF_TARGET_REFUSED', plan.refused);
    await repair.ask(plan.digest, plan.what, plan.lines);
    // From now on no other run may sync: what is lost would be lost for good.
    return withLeases([resourceLease(repair.source.resource)], report, async () => {
      const done = await repair.act(plan.digest);
      const lost =
        done.lostCount > 0 ? [`${done.lostCount} files are lost: ${done.lost.slice(0, 10).join(', ')}`] : [];
      const words = `${plan.what}: ${done.recovered} files came back; ${done.proved}`;
      if (input.action === 'undelete') return ended(words, [...lost, ...(done.warnings ?? [])]);
      const synced = await repair.sync(done);
      const { proved, warnings } = await repair.afterSync(done);
      return ended([words, synced, ...proved].join('; '), [...lost, ...warnings]);
    });
  });
}

const ended = (summary: string, warnings: string[] = []): RunResult => ({
  outcome: warnings.length > 0 ? 'warnings' : 'ok',
  copies: [],
  summary: summary.slice(0, 4000),
  warnings,
});

const planWords = ({ what, lines, nothing, refused }: SnapraidByHandPlan): string =>
  [
    nothing ? what : `would ${what}`,
    ...lines,
    ...(refused === undefined ? [] : [`not yet: ${refused}`]),
  ].join('\n');

interface Repair {
  source: Source;
  plan(): Promise<SnapraidByHandPlan>;
  ask(digest: string, what: string, details: string[]): Promise<void>;
  act(digest: string): Promise<SnapraidByHandReport>;
  /** After a second yes, with what it would make permanent. */
  sync(done: SnapraidByHandReport): Promise<string>;
  /** What was not right before it is read once more; the lists of what is synced now are kept elsewhere. */
  afterSync(done: SnapraidByHandReport): Promise<{ proved: string[]; warnings: string[] }>;
}

function openRepair(input: ActionInput, report: Report): Repair {
  const source = sourceOf(input);
  const step: SnapraidByHandInput = {
    job: input.job,
    run: workflowInfo().workflowId,
    resource: source.resource,
    retryForMs: input.limits.retryForMs,
    action: input.action,
    settings: input.settings,
  };
  const steps = (what: string) => heavyOnHost(source.host, input.limits, `${what} of ${source.resource}`);
  const ask = async (digest: string, what: string, details: string[], otherwise?: string): Promise<void> => {
    const question = { digest, what, details, withinMs: approveWithinMs };
    await askApproval({ ...question, ...(otherwise !== undefined && { otherwise }) }, report);
  };
  const writersAway = <R>(body: () => Promise<R>): Promise<R> => {
    const { job, run, resource, retryForMs } = step;
    const writers = { host: source.host, limits: input.limits, step: { job, run, resource, retryForMs } };
    return withWritersAway(writers, report, body);
  };
  const syncNow = (digest: string): Promise<SnapraidSyncReport> => {
    const body = () => steps('sync').snapraidSync({ ...step, digest, always: true });
    return patched('2026-11-repairs-sync-without-writers') ? writersAway(body) : body();
  };
  // What comes back by itself is written where nothing is; a disk that is rebuilt gets back older versions.
  const actNow = (digest: string): Promise<SnapraidByHandReport> => {
    const body = () => steps('repair').snapraidActByHand({ ...step, digest });
    const isRebuilt = input.action === 'replace-disk' && patched('2026-11-disks-are-rebuilt-without-writers');
    return isRebuilt ? writersAway(body) : body();
  };
  return {
    source,
    ask,
    async plan() {
      const plan = await report.watch('plan', () => steps('plan').snapraidPlanByHand(step));
      report.step('plan', plan.refused === undefined ? 'done' : 'warned', plan.refused ?? plan.what);
      return plan;
    },
    async act(digest) {
      const done = await report.watch('repair', () => actNow(digest));
      report.step(
        'repair',
        done.lostCount > 0 ? 'warned' : 'done',
        `${done.recovered} files came back; ${done.proved}`,
      );
      return done;
    },
    async sync(done) {
      for (;;) {
        const plan = await report.watch('diff', () => steps('diff').snapraidPlan(step));
        // With nothing changed, nothing lost and no other repair open the sync only writes down which disk is which.
        const others = plan.reasons.some((reason) => !reason.includes(`(${step.run})`));
        if (!plan.isInSync || done.lostCount > 0 || others) {
          report.step('sync', 'waiting', done.proved);
          const what = `sync ${source.resource} as it is now`;
          await ask(plan.digest, what, syncLines(done, plan), notSynced(input));
        }
        const synced = await report.watch('sync', () => syncNow(plan.digest));
        if (synced.state === 'asks') continue;
        report.step('sync', 'done', 'complete');
        return 'synced, and parity is complete';
      }
    },
    async afterSync({ warnings = [] }) {
      if (!patched('2026-11-repairs-are-read-after-their-sync')) return { proved: [], warnings };
      const copies = await copiesKept(
        () => steps('copies').snapraidKeepCopies({ ...step, retryForMs: 60_000 }),
        report,
      );
      if (input.action !== 'rebuild-parity' || warnings.length === 0)
        return { proved: [], warnings: [...warnings, ...copies] };
      const again = await report.watch('proof', () =>
        steps('proof').snapraidActByHand({ ...step, onlyProve: true }),
      );
      report.step('proof', again.warnings ? 'warned' : 'done', again.proved);
      return { proved: [`then ${again.proved}`], warnings: [...(again.warnings ?? []), ...copies] };
    },
  };
}

/** A place that does not answer takes nothing from the repair, and is not waited for. */
async function copiesKept(keep: () => Promise<SnapraidCopiesReport>, report: Report): Promise<string[]> {
  try {
    const { place } = await report.watch('copies', keep);
    report.step('copies', 'done', place || 'nothing says where to: see "copies" of the resource');
    return [];
  } catch (error) {
    if (isCancellation(error)) throw error;
    return [diagnose(error).message];
  }
}

const notSynced = ({ action }: ActionInput): string =>
  `The ${action === 'rebuild-parity' ? 'parity' : 'disk'} is rebuilt; nothing was synced.`;

/** A yes to this makes what is lost lost for good. */
const syncLines = (
  { recovered, proved, lost, lostCount }: SnapraidByHandReport,
  plan: SnapraidPlan,
): string[] => [
  `${recovered} files came back; ${proved}`,
  ...(lostCount > 0
    ? [`${lostCount} files are lost, and forgotten by this sync:`, ...lost.map((file) => `  ${file}`)]
    : []),
  ...plan.reasons,
  ...plan.lines,
];

/** A job has one array, as a rule. */
function sourceOf({ sources, settings, job }: ActionInput): Source {
  const named = settings.array;
  const found = named === undefined ? sources : sources.filter(({ resource }) => resource === named);
  const [only] = found;
  if (only && found.length === 1) return only;
  const names = sources.map(({ resource }) => resource).join(', ');
  throw failure('HF_USAGE', `Say which array of ${job} is meant with --set array=NAME; it has: ${names}`);
}
