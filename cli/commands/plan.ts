import type { Command } from '../command.js';
import { exitCodes } from '../exit-codes.js';

export const plan: Command = {
  name: 'plan',
  summary: 'Show what "apply" would change: configuration against the schedules that exist',
  details:
    'Changes nothing and ends with 0, with or without differences. Says what the checks that read data cost, from what was measured.',
  examples: [{ line: 'holdfast plan', shows: 'after holdfast.yaml was changed' }],
  json: true,
  async run(context) {
    const { plannedChanges } = await import('../schedule-changes.js');
    const changes = await plannedChanges(context);
    const { renderPlan } = await import('../../schedules/render.js');
    if (context.json) {
      context.out(JSON.stringify(changes, null, 2));
      return exitCodes.done;
    }
    context.out(renderPlan(changes).join('\n'));
    const { awayLines } = await import('../away-lines.js');
    const away = awayLines(await context.config(), context.now());
    if (away.length > 0) context.out(['', ...away].join('\n'));
    const { checkCostLines } = await import('../check-cost.js');
    const costs = await checkCostLines(await context.temporal(), await context.config());
    if (costs.length > 0) context.out(['', 'What reading costs:', ...costs].join('\n'));
    return exitCodes.done;
  },
};
