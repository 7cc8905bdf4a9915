import { type Command, flagOf, textOf } from '../command.js';

export const status: Command = {
  name: 'status',
  summary: 'See at a glance how well each job is protected, what runs and what it waits for',
  details:
    'For each operation: the age of the newest good copy (or check, or prune) against its objective, the last run and its ' +
    'outcome, the next run, pauses with their note, and what a run that goes on waits for. Of one replication also the datasets that are furthest behind. A channel whose messages do not go out has a line of its own.',
  arguments: [{ name: 'JOB', key: 'job', summary: 'only this job', optional: true }],
  options: [{ flags: '--check', summary: 'end with 1 when something is overdue, or people are not told' }],
  examples: [
    { line: 'holdfast status', shows: 'all jobs' },
    { line: 'holdfast status --check --json', shows: 'for a monitoring script' },
  ],
  json: true,
  async run(context, values) {
    const { showStatus } = await import('../status-view.js');
    return showStatus(context, textOf(values, 'job'), flagOf(values, 'check'));
  },
};
