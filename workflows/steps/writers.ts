import type { WriterStepInput } from '../../contracts/hooks.js';
import type { Limits } from '../../contracts/jobs.js';
import { onHost } from './on-host.js';
import type { Report } from './report.js';
import { withUndo } from './undo.js';

export interface Writers {
  host: string;
  limits: Limits;
  step: WriterStepInput;
}

/** Does the body while what writes to the resource is kept away; afterwards, whatever happened, it is given back as it was. */
export async function withWritersAway<R>(
  { host, limits, step }: Writers,
  report: Report,
  body: () => Promise<R>,
): Promise<R> {
  const name = `${step.resource}: writers`;
  const steps = onHost(host, limits, `keep the writers of ${step.resource} away`);
  const back = onHost(host, limits, `give the writers of ${step.resource} back`);
  return withUndo(async (undo) => {
    undo.register('units and containers', async () => {
      const { resumed } = await back.hostResumeWriters(step);
      report.step(name, 'done', resumed.length > 0 ? `${resumed.join(', ')} given back` : '');
    });
    undo.register('hooks', async () => void (await back.hostUndoHooks({ ...step, when: 'before' })));
    const { paused } = await report.watch(name, () => steps.hostPauseWriters(step));
    const { ran } = await steps.hostRunHooks({ ...step, when: 'before' });
    report.step(name, 'running', [...paused, ...ran].join(', '));
    return body();
  });
}
