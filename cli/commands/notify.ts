import { type Command, listOf } from '../command.js';

export const notify: Command = {
  name: 'notify',
  summary: 'Send a test message to people through the channels of the configuration',
  details:
    "Asks the worker of each channel's host to send one message, once, and says for each whether it went (exit code 1 when one did not). " +
    'That a server has taken a message is all that can be known: whether it arrived, look.',
  arguments: [
    {
      name: 'CHANNEL...',
      key: 'channels',
      summary: 'only these of "notifications" in holdfast.yaml; without any, all',
      optional: true,
    },
  ],
  examples: [
    { line: 'holdfast notify', shows: 'after "notifications" was written, and once a month' },
    { line: 'holdfast notify phone', shows: 'one channel alone' },
  ],
  json: true,
  async run(context, values) {
    const { sendTests } = await import('../notify.js');
    return sendTests(context, listOf(values, 'channels'));
  },
};
