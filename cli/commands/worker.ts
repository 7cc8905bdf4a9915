import { type Command, textOf } from '../command.js';

export const worker: Command = {
  name: 'worker',
  summary: 'Do the steps of runs on this host, for systemd or a container',
  details:
    'SIGTERM lets what runs come to a safe stop; a step that was interrupted goes on with the next worker.',
  options: [
    {
      flags: '--host <NAME>',
      summary: 'which host of holdfast.yaml this machine is (default: the one of its host name)',
    },
  ],
  examples: [{ line: 'holdfast worker --host nas', shows: 'the process that backs up and restores on nas' }],
  async run(context, values) {
    const host = textOf(values, 'host');
    const config = await context.config();
    const { runWorker } = await import('../../workers/processes.js');
    return runWorker({ configFile: await context.configFile(), config, host });
  },
};
