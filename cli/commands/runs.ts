import { type Command, numberOf, textOf } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { wholeNumber } from '../parse-options.js';

export const runs: Command = {
  name: 'runs',
  summary: 'List what ran and what runs, the newest first, restores included',
  arguments: [{ name: 'JOB', key: 'job', summary: 'only of this job', optional: true }],
  options: [
    {
      flags: '--limit <N>',
      summary: 'so many at most',
      parse: wholeNumber('--limit', 1, 10_000),
      default: 20,
    },
  ],
  examples: [{ line: 'holdfast runs photos-offsite --limit 5', shows: 'the last five of one job' }],
  json: true,
  async run(context, values) {
    const { newestRuns, runsTable } = await import('../run-list.js');
    const rows = await newestRuns(context, textOf(values, 'job'), numberOf(values, 'limit') ?? 20);
    context.out(context.json ? JSON.stringify(rows, null, 2) : runsTable(context, rows));
    return exitCodes.done;
  },
};
