import { isCancellation, patched, workflowInfo } from '@temporalio/workflow';
import type { JobInput, RunResult, Source } from '../contracts/jobs.js';
import { replicationLease } from '../contracts/names.js';
import { retainOnce } from './prune-replicas.js';
import { retentionWarnings } from './snapshot-datasets.js';
import { each, resultsOf, sideBySide } from './steps/each.js';
import { diagnose, failure } from './steps/failure.js';
import { eachStoreByItself, withLeases, withLeasesApart } from './steps/lease.js';
import type { Report } from './steps/report.js';
import { runJob } from './steps/run-job.js';
import { type Sent, sendUntilProved } from './steps/send.js';

/** Brings every dataset of a job's resources to every one of its stores, and proves by guids what is there. */
export const replicateDatasets = (input: JobInput): Promise<RunResult> => runJob(input, replicateAll);

/** What was found besides is told with a failure too: others' set-backs and drift are seen once, by the run that then failed for something else. */
async function replicateAll(input: JobInput, report: Report): Promise<RunResult> {
  const besides: string[] = [];
  try {
    return await replicateEach(input, report, besides);
  } catch (error) {
    if (isCancellation(error) || besides.length === 0) throw error;
    const { code, message } = diagnose(error);
    const few = besides.slice(0, 5).map((text) => text.slice(0, 200));
    const more = besides.length > few.length ? `; … and ${besides.length - few.length} more` : '';
    const words = `${message.slice(0, 1200)}. Besides: ${few.join('; ')}${more}`;
    throw failure(code, words, error instanceof Error ? error : undefined);
  }
}

/** `besides`: where each that was looked at leaves its warnings, whatever becomes of it. */
async function replicateEach(input: JobInput, report: Report, besides: string[]): Promise<RunResult> {
  const { sources, stores } = input;
  const leasesOf = (store: string): string[] =>
    sources.map(({ resource }) => replicationLease(resource, store));
  // Every store takes the resources one after the other, and waits for no other store.
  const replicateTo = (store: string): Promise<Replicated[]> =>
    each(sources, async (source) => {
      const done = await replicate(source, store, input, report);
      besides.push(...warningsOf(done).map((text) => `${done.name}: ${text}`));
      return judge(done, report);
    });
  if (stores.length > 1 && patched(eachStoreByItself)) {
    const branches = stores.map((store) => ({ name: store, leases: leasesOf(store) }));
    return summarise(resultsOf(await withLeasesApart(branches, report, replicateTo)).flat());
  }
  return withLeases(stores.flatMap(leasesOf), report, async () =>
    summarise((await sideBySide(stores, replicateTo)).flat()),
  );
}

interface Replicated extends Sent {
  name: string;
  retention: Retained;
}

async function replicate(
  source: Source,
  store: string,
  input: JobInput,
  report: Report,
): Promise<Replicated> {
  const name = `${source.resource} → ${store}`;
  const { job, limits, parallel, limitedPools } = input;
  const { resource, host } = source;
  const step = { job, run: workflowInfo().workflowId, resource, store, retryForMs: limits.retryForMs };
  const sent = await sendUntilProved(step, { name, host, limits, parallel, limitedPools }, report);
  const retention = sent.look.prunable ? await retain(source, store, input, report) : nothingRemoved;
  return { name, ...sent, retention };
}

interface Retained {
  note?: string;
  warnings: string[];
}

const nothingRemoved: Retained = { warnings: [] };

/** What arrived is proved whatever becomes of the old ones: what goes wrong here is a warning. */
async function retain(source: Source, store: string, input: JobInput, report: Report): Promise<Retained> {
  const name = `retention of ${source.resource} → ${store}`;
  try {
    const done = await report.watch(name, () => retainOnce(source, store, input, { round: 0 }));
    const warnings = retentionWarnings(input.job, done);
    const note = `${done.removed} old ones removed, ${done.kept} kept`;
    report.step(name, warnings.length > 0 ? 'warned' : 'done', note);
    return { note, warnings };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { warnings: [`Nothing was removed: ${diagnose(error).message}`] };
  }
}

/** A dataset that is stopped or behind makes the run fail, after everything else has arrived; what else was found is told either way. */
function judge(done: Replicated, report: Report): Replicated {
  const { name, look } = done;
  const { stopped, stoppedCount, behind, behindCount } = look;
  const warnings = warningsOf(done);
  if (stoppedCount === 0 && behindCount === 0) {
    report.step(name, warnings.length > 0 ? 'warned' : 'done', describe(done));
    // Should another resource make the run fail, nothing but this table has them.
    tellBesides(name, warnings, report);
    return done;
  }
  const code = stoppedCount > 0 ? 'HF_REPLICA_DIVERGED' : 'HF_REPLICA_BEHIND';
  const counts = [
    ...(stoppedCount > 0 ? [`${stoppedCount} stopped`] : []),
    ...(behindCount > 0 ? [`${behindCount} behind`] : []),
    `${look.proved?.datasets ?? 0} proved`,
  ];
  const words = `${name}: ${counts.join(', ')}. ${[...stopped, ...behind].join('; ')}`;
  report.step(name, 'failed', words.slice(0, 1000));
  tellBesides(name, [...warnings, ...look.notes], report);
  throw failure(code, words.slice(0, 600));
}

function tellBesides(name: string, found: readonly string[], report: Report): void {
  if (found.length > 0)
    report.step(`${name}, besides`, 'warned', found.slice(0, 10).join('; ').slice(0, 1000));
}

const warningsOf = ({ look, retention }: Replicated): string[] => [...look.warnings, ...retention.warnings];

const describe = ({ look: { proved, notes }, bytes, retention }: Replicated): string =>
  [
    `${proved?.datasets ?? 0} datasets on both sides`,
    ...(bytes > 0 ? [`at most ${bytes} bytes sent`] : []),
    ...(retention.note === undefined ? [] : [retention.note]),
    ...notes,
  ].join(', ');

function summarise(all: Replicated[]): RunResult {
  const warnings = all.flatMap((one) => warningsOf(one).map((text) => `${one.name}: ${text}`));
  const points = all.flatMap(({ look }) => look.proved?.restorePoint ?? []).sort();
  const [restorePoint] = points;
  const isWhole = points.length === all.length;
  return {
    outcome: warnings.length > 0 ? 'warnings' : 'ok',
    copies: [],
    summary: all
      .map((one) => `${one.name}: ${describe(one)}`)
      .join('; ')
      .slice(0, 2000),
    warnings: warnings.slice(0, 20),
    ...(isWhole && restorePoint !== undefined && { restorePoint }),
  };
}
