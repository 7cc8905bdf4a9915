import { type Command, flagOf, textOf } from '../command.js';

export const up: Command = {
  name: 'up',
  summary: 'Run everything on this machine: embedded Temporal server, Web UI, orchestrator and worker',
  details:
    'Applies the schedules and goes on until Ctrl-C or SIGTERM, then lets what runs come to a safe stop. The server keeps ' +
    'its SQLite file in the state folder (HOLDFAST_STATE).',
  options: [
    {
      flags: '--host <NAME>',
      summary: 'which host of holdfast.yaml this machine is (default: the one of its host name)',
    },
    {
      flags: '--recreate-database',
      summary: 'put aside a SQLite file of another server version: runs in history are lost, copies are not',
    },
  ],
  examples: [
    { line: 'holdfast up --config /etc/holdfast/holdfast.yaml', shows: 'the whole engine in one process' },
  ],
  async run(context, values) {
    const config = await context.config();
    const { runUp } = await import('../../workers/up.js');
    const configFile = await context.configFile();
    const recreateDatabase = flagOf(values, 'recreateDatabase');
    return runUp({ configFile, config, host: textOf(values, 'host'), recreateDatabase });
  },
};
