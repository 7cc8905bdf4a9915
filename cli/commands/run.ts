import { type Command, flagOf, requiredText, textOf } from '../command.js';
import { exitCodes } from '../exit-codes.js';

export const run: Command = {
  name: 'run',
  summary: 'Start a job now, beside its schedule',
  details:
    'Starts the main operation of the job, or the one named with --only, and ends at once; with --follow it shows live ' +
    'progress and ends with the exit code of the outcome. Ctrl-C stops the showing, never the run.',
  arguments: [{ name: 'JOB', key: 'job', summary: 'a job of holdfast.yaml' }],
  options: [
    { flags: '--only <OPERATION>', summary: 'another operation of the job: prune, check' },
    { flags: '--follow', summary: 'show progress until the run has ended' },
    {
      flags: '--accept-counts',
      summary: 'take a copy that is far smaller than the earlier ones as the new normal',
    },
  ],
  examples: [
    { line: 'holdfast run photos-offsite --follow', shows: 'back up now and watch' },
    { line: 'holdfast run photos-offsite --only check', shows: 'check the repository now' },
  ],
  json: true,
  async run(context, values) {
    const { findJob, findOperation } = await import('../jobs.js');
    const config = await context.config();
    const name = requiredText(values, 'job');
    findJob(config, name);
    const { operation } = findOperation(config, name, textOf(values, 'only'));
    const options = flagOf(values, 'acceptCounts') ? { acceptCounts: true } : undefined;
    const { compileRun } = await import('../../schedules/compile.js');
    const compiled = compileRun(config, name, operation, options);
    // What is needed next is loaded while the server answers.
    const [temporal, { alreadyRunning, startRun }, { runningRun }] = await Promise.all([
      context.temporal(),
      import('../start.js'),
      import('../visibility.js'),
      ...(flagOf(values, 'follow') ? [import('../end.js'), import('../follow.js')] : []),
    ]);
    const other = await runningRun(temporal, name, operation);
    if (other) throw alreadyRunning(other);
    const started = await startRun(temporal, compiled, context.now(), { exclusive: true });
    if (flagOf(values, 'follow')) {
      if (!context.json) context.out(`${started} started`);
      const { followToEnd } = await import('../end.js');
      return followToEnd(context, temporal, started);
    }
    if (context.json) context.out(JSON.stringify({ run: started }));
    else context.out(`${started} started\nfollow it: holdfast show ${started} --follow`);
    return exitCodes.done;
  },
};
