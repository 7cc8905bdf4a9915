import { workflowInfo } from '@temporalio/workflow';
import type { Copy, JobInput, RunResult, Source, SourceStepInput, StepInput } from '../../contracts/jobs.js';
import { heavyOnHost, onHost } from './on-host.js';
import type { Report } from './report.js';
import type { Undo } from './undo.js';

/** The steps of one copy, for the runs that make one and for those that upload portions before. */

/** A run that uploads portions counts what it reads: each time from snapshots of its own. */
export type Work = JobInput & { portion?: number };

/** A dataset is read from snapshots that are held and mounted until all copies of it are proved. */
export async function freeze(source: Source, input: Work, report: Report, undo: Undo): Promise<void> {
  const { resource, host } = source;
  const name = `freeze ${resource}`;
  const steps = onHost(host, input.limits, `make the snapshots of ${resource} ready on ${host}`);
  const ends = onHost(host, input.limits, `let the snapshots of ${resource} go on ${host}`);
  undo.register(name, async () => void (await ends.zfsCloseSource(sourceInput(source, input))));
  const { snapshot, datasets } = await report.watch(name, () =>
    steps.zfsOpenSource(sourceInput(source, input)),
  );
  report.step(name, 'done', `${datasets} datasets from ${snapshot}`);
}

export async function look(source: Source, input: Work, report: Report): Promise<void> {
  const { resource } = source;
  const name = `look at ${resource}`;
  const guard = onHost(source.host, input.limits, `look at ${resource} on ${source.host}`);
  const found = await report.watch(name, () => guard.hostGuardSource(sourceInput(source, input)));
  const least = found.complete ? '' : 'at least ';
  report.step(name, 'done', `${least}${found.files} files`);
}

export async function copyTo(
  store: string,
  source: Source,
  input: Work,
  report: Report,
  more: Pick<StepInput, 'seedFirst'> = {},
): Promise<Copy> {
  const name = `${source.resource} → ${store}`;
  const steps = heavyOnHost(source.host, input.limits, `back up ${source.resource} to ${store}`);
  const copy = await report.watch(name, () =>
    steps.resticBackup({ ...stepInput(source, store, input), ...more }),
  );
  report.step(name, copy.warnings.length > 0 ? 'warned' : 'done', describe(copy));
  return copy;
}

const describe = ({ snapshot, files, warnings }: Copy): string =>
  [
    `snapshot ${snapshot.slice(0, 8)}`,
    `${files} files`,
    ...(warnings.length > 0 ? [`${warnings.length} warnings`] : []),
  ].join(', ');

export const stepInput = (source: Source, store: string, input: Work): StepInput => ({
  ...sourceInput(source, input),
  store,
});

const sourceInput = ({ resource }: Source, input: Work): SourceStepInput => ({
  job: input.job,
  resource,
  run: workflowInfo().workflowId,
  retryForMs: input.limits.retryForMs,
  acceptCounts: input.options?.acceptCounts,
  ...(input.portion !== undefined && { portion: input.portion }),
});

/** What the run hands back; `left` is what it made no copy of, in words. */
export function summarise(copies: Copy[], left: string[] = []): RunResult {
  const ofCopies = copies.flatMap((copy) =>
    copy.warnings.map((text) => `${copy.resource} → ${copy.store}: ${text}`),
  );
  const warnings = [...left, ...ofCopies];
  // Said, but no warning: a newer restic would turn every night yellow until our next version knows it.
  const unknown = [...new Set(copies.flatMap(({ unknownTool }) => unknownTool ?? []))];
  const lines = copies.map((copy) => `${copy.resource} → ${copy.store}: ${describe(copy)}`);
  return {
    outcome: warnings.length > 0 ? 'warnings' : 'ok',
    copies,
    summary: [...lines, ...left, ...unknown].join('; '),
    warnings: warnings.slice(0, 20),
  };
}
