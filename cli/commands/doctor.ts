import { type Command, textOf } from '../command.js';

export const doctor: Command = {
  name: 'doctor',
  summary:
    'Find what would make a run fail: tools, rights, stores, clocks, space, schedules, each with what to do',
  details:
    'Asks every host through its worker, and Temporal itself. Changes nothing and writes to no store. Ends with 0 when all is ' +
    'fine, 6 with warnings, 1 when something keeps runs from working, 4 when Temporal does not answer (then only the file ' +
    'and this machine are looked at). --drill plays mishaps (wrong password, source gone or emptied, restic or the worker ' +
    'killed, store away) on a scratch copy of a job, and shows which message came; it ends with 1 when one did not, with 6 ' +
    'when one could not be played.',
  arguments: [{ name: 'HOST', key: 'host', summary: 'only this host', optional: true }],
  options: [
    { flags: '--drill <JOB>', summary: 'play mishaps on a scratch copy of this job, one to two minutes' },
  ],
  examples: [
    { line: 'holdfast doctor', shows: 'the whole estate, before the first night and after a move' },
    { line: 'holdfast doctor nas --json', shows: 'one host, for a script' },
    { line: 'holdfast doctor --drill photos-offsite', shows: 'what you will read when something breaks' },
  ],
  json: true,
  async run(context, values) {
    const job = textOf(values, 'drill');
    const host = textOf(values, 'host');
    if (job !== undefined) return (await import('../doctor/drill.js')).drill(context, job, host);
    return (await import('../doctor/examine.js')).examine(context, host);
  },
};
