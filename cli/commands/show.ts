import { type Command, flagOf, requiredText } from '../command.js';

export const show: Command = {
  name: 'show',
  summary: 'Tell everything about one run: steps, attempts, copies, what it waits for, what it asks',
  arguments: [{ name: 'RUN', key: 'run', summary: 'as "holdfast runs" lists it' }],
  options: [
    {
      flags: '--follow',
      summary: 'show progress until the run has ended, with the exit code of its outcome',
    },
  ],
  examples: [
    { line: 'holdfast show photos-offsite-2026-11-20T03:30:00Z', shows: 'what happened last night' },
    { line: 'holdfast show photos-offsite-2026-11-20T03:30:00Z --follow', shows: 'watch a run that goes on' },
  ],
  json: true,
  async run(context, values) {
    const run = requiredText(values, 'run');
    if (flagOf(values, 'follow')) {
      const { findRun } = await import('../find-run.js');
      const temporal = await context.temporal();
      await findRun(temporal, run);
      const { followToEnd } = await import('../end.js');
      return followToEnd(context, temporal, run);
    }
    const { showRun } = await import('../run-view.js');
    return showRun(context, run);
  },
};
