import { HoldfastError } from '../../contracts/errors.js';
import { type Command, flagOf, listOf, requiredText, textOf } from '../command.js';

export const restore: Command = {
  name: 'restore',
  summary: 'Bring a copy back into a new or empty folder and compare it',
  details:
    'Chooses the newest copy, or the one of --copy or --at, shows the plan, asks, restores, and compares what was restored ' +
    'with what the copy holds. Nothing is ever overwritten. Follows to the end; Ctrl-C stops the showing, never the run.',
  arguments: [
    {
      name: 'JOB[/RESOURCE]',
      key: 'what',
      summary: 'the job, and which of its resources when it has several',
    },
  ],
  options: [
    {
      flags: '--to <HOST:DIR>',
      summary: 'an absolute path of a new or empty folder on that host (required)',
    },
    { flags: '--store <STORE>', summary: 'from which store, when the job has several' },
    { flags: '--copy <ID>', summary: 'this copy: its id or the beginning of it' },
    {
      flags: '--at <TIME>',
      summary: 'the newest copy not younger: local time of this machine, or ISO 8601 with a zone',
    },
    { flags: '--path <P>', summary: 'only this path, relative to the resource', repeat: true },
    { flags: '--yes', summary: 'take the plan as approved' },
    { flags: '--in-place', summary: 'onto the resource itself: not built yet, refused' },
  ],
  examples: [
    {
      line: 'holdfast restore photos-offsite --path 2024/ --to nas:/tmp/r',
      shows: 'one folder of the newest copy',
    },
    {
      line: 'holdfast restore photos-offsite --at "2026-11-19 12:00" --to nas:/tmp/r --yes',
      shows: 'all as of that noon',
    },
  ],
  json: true,
  async run(context, values) {
    if (flagOf(values, 'inPlace'))
      throw new HoldfastError(
        'HF_USAGE',
        '--in-place is not built yet: nothing of the original was touched',
        {
          next: 'Restore with --to HOST:DIR and put the files in place by hand',
        },
      );
    const { restoreInput } = await import('../restore-input.js');
    const { restoreAndFollow } = await import('../restore-run.js');
    const config = await context.config();
    const input = restoreInput(config, {
      what: requiredText(values, 'what'),
      to: textOf(values, 'to'),
      store: textOf(values, 'store'),
      copy: textOf(values, 'copy'),
      at: textOf(values, 'at'),
      paths: listOf(values, 'path'),
      approved: flagOf(values, 'yes'),
    });
    return restoreAndFollow(context, input);
  },
};
