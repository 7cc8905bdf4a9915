import { type Command, requiredText, textOf } from '../command.js';

export const initStore: Command = {
  name: 'init-store',
  summary: 'Create the repository of a store; no other command ever does',
  details: 'Follows to the end. A repository that is there already is left as it is, with exit code 5.',
  arguments: [{ name: 'STORE', key: 'store', summary: 'a store of holdfast.yaml' }],
  options: [
    {
      flags: '--host <NAME>',
      summary: 'whose worker does it (default: the host of a job that uses the store)',
    },
  ],
  examples: [{ line: 'holdfast init-store b2-photos', shows: 'once, before the first backup' }],
  json: true,
  async run(context, values) {
    const { findStore, hostForStore } = await import('../jobs.js');
    const config = await context.config();
    const store = requiredText(values, 'store');
    findStore(config, store);
    const host = hostForStore(config, store, textOf(values, 'host'));
    const temporal = await context.temporal();
    const { startInitialiseStore } = await import('../start-by-hand.js');
    const run = await startInitialiseStore(temporal, config, store, host, context.now());
    const { followToEnd } = await import('../end.js');
    return followToEnd(context, temporal, run);
  },
};
