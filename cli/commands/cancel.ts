import { type Command, requiredText } from '../command.js';
import { exitCodes } from '../exit-codes.js';

export const cancel: Command = {
  name: 'cancel',
  summary: 'Stop a run safely: its tool is told to stop, what was paused for it is set going again',
  arguments: [{ name: 'RUN', key: 'run', summary: 'as "holdfast runs" lists it' }],
  examples: [{ line: 'holdfast cancel photos-offsite-2026-11-20T03:30:00Z', shows: 'stop this backup' }],
  json: true,
  async run(context, values) {
    const { findRun } = await import('../find-run.js');
    const temporal = await context.temporal();
    const run = requiredText(values, 'run');
    const { handle, description } = await findRun(temporal, run);
    const running = description.status.name === 'RUNNING';
    if (running) await handle.cancel();
    if (context.json) context.out(JSON.stringify({ run, cancelling: running }));
    else if (running) context.out(`${run} is asked to stop; see it end: holdfast show ${run} --follow`);
    else context.out(`${run} has ended already: nothing was changed`);
    return exitCodes.done;
  },
};
