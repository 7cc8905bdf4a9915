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
    await keepHeapSmall();
    const host = textOf(values, 'host');
    const config = await context.config();
    const { runWorker } = await import('../../workers/processes.js');
    return runWorker({ configFile: await context.configFile(), config, host });
  },
};

/**
 * Before the SDK is loaded: else what loading it takes for a moment is kept for as long as the worker waits, 20 MB of it. The
 * young generation stays as small as it begins; `--max-semi-space-size` says the same, but only to a Node that is about to start.
 */
async function keepHeapSmall(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--semi-space-growth-factor=1');
}
