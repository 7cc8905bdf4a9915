import { type Command, flagOf } from '../command.js';

export const apply: Command = {
  name: 'apply',
  summary: 'Make the schedules in Temporal what holdfast.yaml says',
  details:
    "Registers namespace and search attributes where they are missing. An operator's pause and its note stay; schedules " +
    'that the file does not name are left alone unless --prune is given.',
  options: [{ flags: '--prune', summary: 'delete our schedules that the file does not name any more' }],
  examples: [
    { line: 'holdfast apply', shows: 'twice in a row changes nothing' },
    { line: 'holdfast apply --prune', shows: 'after a job was taken out of the file' },
  ],
  json: true,
  async run(context, values) {
    const { applyChanges } = await import('../schedule-changes.js');
    return applyChanges(context, flagOf(values, 'prune'));
  },
};
