import { sleep, workflowInfo } from '@temporalio/workflow';
import type { Copy, JobInput, RunResult, Source, StepInput } from '../contracts/jobs.js';
import { resourceLease, storeLease } from '../contracts/names.js';
import type { SeedReport } from '../contracts/seeding.js';
import { each, resultsOf, settleEach } from './steps/each.js';
import { failure } from './steps/failure.js';
import { withLeases } from './steps/lease.js';
import { heavyOnHost, onHost } from './steps/on-host.js';
import { openReport, type Report } from './steps/report.js';
import { endRun } from './steps/run.js';
import { type Undo, withUndo } from './steps/undo.js';

/** Copies every resource of a job to every one of its stores and proves each copy. */
export async function backupRestic(input: JobInput): Promise<RunResult> {
  const report = openReport();
  const leases = [
    ...input.sources.map(({ resource }) => resourceLease(resource)),
    ...input.stores.map((store) => storeLease(store)),
  ];
  return endRun(report, async () => {
    for (let portions = 0; input.seeding && portions < mostPortions; portions += 1) {
      const result = await withLeases(leases, report, async () =>
        (await seedNext(input, report)).done ? copyAll(input, report) : undefined,
      );
      if (result) return result;
      // Checks, prunes and other copies of the same source wait for weeks otherwise: the lease is free now.
      await sleep(betweenPortions, { summary: 'let others have their turn' });
    }
    return withLeases(leases, report, () => copyAll(input, report));
  });
}

const betweenPortions = '10s';
/** A source that grows as fast as it is uploaded: the copy itself takes the rest, and the history stays short. */
const mostPortions = 500;

const copyAll = (input: JobInput, report: Report): Promise<RunResult> =>
  withUndo((undo) => copyEach(input, report, undo));

/** The first upload of a job with one resource and one store: what is in the store by portions need not be sent again by the copy. */
async function seedNext(input: JobInput, report: Report): Promise<SeedReport> {
  const [source] = input.sources;
  const [store] = input.stores;
  if (!source || !store) throw failure('HF_NOT_IN_CONFIG', 'Seeding needs a resource and a store');
  const name = `seed ${source.resource} → ${store}`;
  const steps = heavyOnHost(source.host, input.limits, `seed ${source.resource} to ${store}`);
  const seeded = await report.watch(name, () => steps.resticSeed(stepInput(source, store, input)));
  report.seeded(name, seeded);
  return seeded;
}

async function copyEach(input: JobInput, report: Report, undo: Undo): Promise<RunResult> {
  const looked = await settleEach(input.sources, async (source) => {
    if (source.frozen) await freeze(source, input, report, undo);
    await look(source, input, report);
  });
  const there = input.sources.filter((_, index) => looked[index]?.status === 'fulfilled');
  // Every store takes the resources one after the other, and waits for no other store.
  const copied = await Promise.allSettled(
    input.stores.map((store) => each(there, (source) => copyTo(store, source, input, report))),
  );
  const missing = looked.filter((one) => one.status === 'rejected');
  return summarise(resultsOf<Copy[]>([...copied, ...missing]).flat());
}

/** A dataset is read from snapshots that are held and mounted until all copies of it are proved. */
async function freeze(source: Source, input: JobInput, report: Report, undo: Undo): Promise<void> {
  const { resource, host } = source;
  const name = `freeze ${resource}`;
  const steps = onHost(host, input.limits, `make the snapshots of ${resource} ready on ${host}`);
  const ends = onHost(host, input.limits, `let the snapshots of ${resource} go on ${host}`);
  undo.register(name, async () => void (await ends.zfsCloseSource(stepInput(source, '', input))));
  const { snapshot, datasets } = await report.watch(name, () =>
    steps.zfsOpenSource(stepInput(source, '', input)),
  );
  report.step(name, 'done', `${datasets} datasets from ${snapshot}`);
}

async function look(source: Source, input: JobInput, report: Report): Promise<void> {
  const { resource } = source;
  const name = `look at ${resource}`;
  const guard = onHost(source.host, input.limits, `look at ${resource} on ${source.host}`);
  const found = await report.watch(name, () => guard.hostGuardSource(stepInput(source, '', input)));
  const least = found.complete ? '' : 'at least ';
  report.step(name, 'done', `${least}${found.files} files`);
}

async function copyTo(store: string, source: Source, input: JobInput, report: Report): Promise<Copy> {
  const name = `${source.resource} → ${store}`;
  const steps = heavyOnHost(source.host, input.limits, `back up ${source.resource} to ${store}`);
  const copy = await report.watch(name, () => steps.resticBackup(stepInput(source, store, input)));
  report.step(name, copy.warnings.length > 0 ? 'warned' : 'done', describe(copy));
  return copy;
}

const describe = ({ snapshot, files, warnings }: Copy): string =>
  [
    `snapshot ${snapshot.slice(0, 8)}`,
    `${files} files`,
    ...(warnings.length > 0 ? [`${warnings.length} warnings`] : []),
  ].join(', ');

const stepInput = ({ resource }: Source, store: string, { job, limits, options }: JobInput): StepInput => ({
  job,
  resource,
  store,
  run: workflowInfo().workflowId,
  retryForMs: limits.retryForMs,
  acceptCounts: options?.acceptCounts,
});

function summarise(copies: Copy[]): RunResult {
  const warnings = copies.flatMap((copy) =>
    copy.warnings.map((text) => `${copy.resource} → ${copy.store}: ${text}`),
  );
  // Said, but no warning: a newer restic would turn every night yellow until our next version knows it.
  const unknown = [...new Set(copies.flatMap(({ unknownTool }) => unknownTool ?? []))];
  const lines = copies.map((copy) => `${copy.resource} → ${copy.store}: ${describe(copy)}`);
  return {
    outcome: warnings.length > 0 ? 'warnings' : 'ok',
    copies,
    summary: [...lines, ...unknown].join('; '),
    warnings: warnings.slice(0, 20),
  };
}
