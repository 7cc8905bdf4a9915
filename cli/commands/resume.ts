import { type Command, requiredText, textOf } from '../command.js';

export const resume: Command = {
  name: 'resume',
  summary: 'Give a paused job its schedules back',
  details: 'What was missed meanwhile is not made up for; start it with "holdfast run" when it is wanted.',
  arguments: [{ name: 'JOB', key: 'job', summary: 'a job of holdfast.yaml' }],
  options: [{ flags: '--note <TEXT>', summary: 'replaces the note of the pause' }],
  examples: [{ line: 'holdfast resume photos-offsite', shows: 'after the disk was replaced' }],
  json: true,
  async run(context, values) {
    const { setPaused } = await import('../pausing.js');
    return setPaused(context, requiredText(values, 'job'), { paused: false, note: textOf(values, 'note') });
  },
};
