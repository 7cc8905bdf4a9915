import { defineSearchAttributeKey } from '@temporalio/common';
import {
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { coverOnly, type Pair, pairsOf, withPoints } from '../../contracts/covers.js';
import type { Copy, JobInput, Source } from '../../contracts/jobs.js';
import {
  leaseId,
  runId,
  searchAttributes,
  seedLease,
  seedOperation,
  workflowQueue,
  workflowTypes,
} from '../../contracts/names.js';
import type { SeedReport } from '../../contracts/seeding.js';
import { isRunning } from './alive.js';
import { copyTo, freeze, stepInput, type Work } from './copy.js';
import { diagnose, failure } from './failure.js';
import { heavyOnHost, onHost } from './on-host.js';
import { attribute, type Report } from './report.js';
import { withUndo } from './undo.js';

/** The first upload of a store takes days: it has a run of its own, so that the job's other stores get their copies meanwhile. */

const longestUpload = '366 days';

/** Uploads the next portion of the one resource to the one store. A dataset is read from a snapshot of this moment, which goes right after. */
export function seedNext(input: Work, report: Report): Promise<SeedReport> {
  const [source] = input.sources;
  const [store] = input.stores;
  if (!source || !store) throw failure('HF_NOT_IN_CONFIG', 'Seeding needs a resource and a store');
  return withUndo(async (undo) => {
    if (source.frozen) await freeze(source, input, report, undo);
    const name = `seed ${source.resource} → ${store}`;
    const steps = heavyOnHost(source.host, input.limits, `seed ${source.resource} to ${store}`);
    const seeded = await report.watch(name, () => steps.resticSeed(stepInput(source, store, input)));
    report.seeded(name, seeded);
    return seeded;
  });
}

/** Whether the host has ever proved a copy there: a quick question, so that nobody waits for a store in vain. */
export async function isSeeded(store: string, source: Source, input: JobInput): Promise<boolean> {
  const steps = onHost(source.host, input.limits, `ask whether ${store} has a copy of ${source.resource}`);
  return (await steps.resticIsSeeded(stepInput(source, store, input))).seeded;
}

/** The next copy; undefined when the store, asked again, has none: it was made anew. */
export async function copySeeded(
  store: string,
  source: Source,
  input: JobInput,
  report: Report,
): Promise<Copy | undefined> {
  try {
    return await copyTo(store, source, input, report, { seedFirst: true });
  } catch (error) {
    if (diagnose(error).code !== 'HF_NOT_SEEDED') throw error;
    report.step(`${source.resource} → ${store}`, 'skipped', 'the store has no copy yet');
    return undefined;
  }
}

/** Starts the run that uploads these, unless one goes on; hands back what is to be said of each. */
export async function leaveToUpload(
  store: string,
  sources: Source[],
  input: JobInput,
  report: Report,
): Promise<string[]> {
  if (sources.length === 0) return [];
  const isHeld = await isRunning(leaseId(seedLease(input.job, store)));
  // What goes on may be the upload of another resource of the job: a later run starts that of this one.
  const words = isHeld
    ? `waits for, or is part of, the first upload to ${store} that goes on`
    : `its first upload goes on as ${await startUpload(store, sources, input)}`;
  report.step(`first upload → ${store}`, 'skipped', words);
  return sources.map(({ resource }) => `${resource} → ${store}: no copy by this run, ${words}`);
}

async function startUpload(store: string, sources: Source[], input: JobInput): Promise<string> {
  const { job, operation } = input;
  const run = runId(`${job}.${seedOperation(store)}`, new Date());
  const isMeant = (pair: Pair): boolean =>
    pair.store === store && sources.some(({ resource }) => resource === pair.resource);
  const covers = coverOnly(ownCovers(), pairsIn(input), isMeant);
  await startChild(workflowTypes.backupRestic, {
    workflowId: run,
    taskQueue: workflowQueue,
    args: [{ ...input, sources, stores: [store], firstUpload: 'here' } satisfies JobInput],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    cancellationType: ChildWorkflowCancellationType.ABANDON,
    workflowExecutionTimeout: longestUpload,
    staticSummary: `first upload of ${sources.map(({ resource }) => resource).join(', ')} to ${store}`,
    typedSearchAttributes: [
      attribute('HfJob', job),
      attribute('HfOperation', operation),
      attribute('HfHost', sources[0]?.host ?? ''),
      attribute('HfTool', 'restic'),
      ...(covers === undefined ? [] : [attribute('HfCovers', covers)]),
    ],
  });
  return run;
}

/** A run counts only for what it has copied: status must not take it for a copy of the rest. */
export function coverOnlyCopied(input: JobInput, copies: readonly Copy[], report: Report): void {
  report.covers(coverOnly(ownCovers(), pairsIn(input), (pair) => copyOf(pair, copies) !== undefined));
}

/** Of several resources, one after the other: the first may have been copied weeks before the last, and each is as old as it is. */
export function coverEachSince(input: JobInput, copies: readonly Copy[], report: Report): void {
  const pairs = pairsIn(input);
  const copied = coverOnly(ownCovers(), pairs, (pair) => copyOf(pair, copies) !== undefined);
  const copiedPairs = pairs.filter((pair) => copyOf(pair, copies));
  const since = (pair: Pair): Date => new Date(copyOf(pair, copies)?.restorePoint ?? 0);
  report.covers(copied && withPoints(copied, copiedPairs, since));
}

const pairsIn = ({ sources, stores }: JobInput) =>
  pairsOf(
    sources.map(({ resource }) => resource),
    stores,
  );

const copyOf = (pair: Pair, copies: readonly Copy[]): Copy | undefined =>
  copies.find(({ resource, store }) => resource === pair.resource && store === pair.store);

const ownCovers = (): string =>
  workflowInfo().typedSearchAttributes.get(defineSearchAttributeKey('HfCovers', searchAttributes.HfCovers)) ??
  '';
