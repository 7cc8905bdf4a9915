import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { HookStepInput, HookTime } from '../../contracts/hooks.js';
import type { JobInput } from '../../contracts/jobs.js';
import { diagnose } from './failure.js';
import { type HostSteps, onHost } from './on-host.js';
import type { Report } from './report.js';
import { withUndo } from './undo.js';

/** Does the body between the job's hooks: what those before it have changed is undone right after it, whatever happened. */
export async function withHooks<R>(
  input: JobInput,
  report: Report,
  body: () => Promise<R>,
): Promise<{ result: R; warnings: string[] }> {
  const wanted = input.hooks ?? [];
  const result = await withUndo(async (undo) => {
    if (wanted.includes('before')) {
      const put = (): Promise<unknown> =>
        hostSteps(input, 'undo hooks').hostUndoHooks(hookInput(input, 'before'));
      undo.register('hooks', async () => void (await report.watch('undo hooks', put)));
      await runHooks(input, report, 'before');
    }
    return body();
  });
  if (wanted.includes('before')) report.step('undo hooks', 'done');
  return { result, warnings: wanted.includes('after') ? await afterwards(input, report) : [] };
}

async function runHooks(input: JobInput, report: Report, when: HookTime): Promise<void> {
  const name = `hooks ${when}`;
  const steps = hostSteps(input, name);
  const { ran } = await report.watch(name, () => steps.hostRunHooks(hookInput(input, when)));
  report.step(name, 'done', ran.join(', '));
}

/** The work is done and proved: a hook that fails now takes nothing of it back. */
async function afterwards(input: JobInput, report: Report): Promise<string[]> {
  try {
    await runHooks(input, report, 'after');
    return [];
  } catch (error) {
    if (isCancellation(error)) throw error;
    return [diagnose(error).message];
  }
}

const hostSteps = ({ sources, limits, job }: JobInput, what: string): HostSteps =>
  onHost(sources[0]?.host ?? '', limits, `${what} of ${job}`);

const hookInput = ({ job, sources, limits }: JobInput, when: HookTime): HookStepInput => ({
  job,
  run: workflowInfo().workflowId,
  resource: sources[0]?.resource ?? '',
  when,
  retryForMs: limits.retryForMs,
});
