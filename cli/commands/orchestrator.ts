import type { Command } from '../command.js';

export const orchestrator: Command = {
  name: 'orchestrator',
  summary: 'Carry the workflows themselves: one such process per cluster is enough',
  details:
    'It decides what is done next and touches no data; the steps are done by "holdfast worker" on each host.',
  examples: [{ line: 'holdfast orchestrator', shows: 'beside a Temporal cluster that runs elsewhere' }],
  async run(context) {
    const config = await context.config();
    const { runOrchestrator } = await import('../../workers/processes.js');
    return runOrchestrator({ configFile: await context.configFile(), config });
  },
};
