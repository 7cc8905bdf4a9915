import { type Command, requiredText, textOf } from '../command.js';

export const pause: Command = {
  name: 'pause',
  summary: 'Let no schedule of a job start a run until it is resumed',
  details: 'Takes all operations of the job. A run that goes on is not touched; "holdfast run" still works.',
  arguments: [{ name: 'JOB', key: 'job', summary: 'a job of holdfast.yaml' }],
  options: [{ flags: '--note <TEXT>', summary: 'why, shown by status and in the Web UI' }],
  examples: [
    { line: 'holdfast pause photos-offsite --note "disk is being replaced"', shows: 'with the reason' },
  ],
  json: true,
  async run(context, values) {
    const { setPaused } = await import('../pausing.js');
    return setPaused(context, requiredText(values, 'job'), { paused: true, note: textOf(values, 'note') });
  },
};
