import { type Command, flagOf, listOf, requiredText, textOf } from '../command.js';
import { exitCodes } from '../exit-codes.js';

export const doAction: Command = {
  name: 'do',
  summary: "Run one of a job's by-hand procedures; without ACTION: list them",
  details:
    'Plans first and shows the plan, asks, acts only on just what was shown, and follows to the end. Without a terminal the ' +
    'answer is no, unless --yes is given. Ctrl-C stops the showing, never the run.',
  arguments: [
    { name: 'JOB', key: 'job', summary: 'a job of holdfast.yaml' },
    { name: 'ACTION', key: 'action', summary: 'what to do', optional: true },
  ],
  options: [
    { flags: '--set <NAME=VALUE>', summary: 'a setting of the action', repeat: true },
    { flags: '--plan', summary: 'only show what would be done' },
    { flags: '--yes', summary: 'take what is shown as approved' },
  ],
  examples: [
    { line: 'holdfast do kubernetes-to-grogu', shows: 'what can be done by hand' },
    { line: 'holdfast do kubernetes-to-grogu park --plan', shows: 'which replicas would be put aside' },
  ],
  json: true,
  async run(context, values) {
    const { findJob } = await import('../jobs.js');
    const { actionLines, findAction, settingsOf } = await import('../do-settings.js');
    const { actionsOf } = await import('../../config/actions.js');
    const config = await context.config();
    const job = requiredText(values, 'job');
    findJob(config, job);
    const actions = actionsOf(config, job);
    const name = textOf(values, 'action');
    if (name === undefined) {
      if (context.json) context.out(JSON.stringify(actions, null, 2));
      else for (const line of actionLines(job, actions)) context.out(line);
      return exitCodes.done;
    }
    const action = findAction(job, actions, name);
    const settings = settingsOf(action, listOf(values, 'set'));
    const { compileAction } = await import('../../schedules/compile-action.js');
    const planOnly = flagOf(values, 'plan');
    const compiled = compileAction(config, job, action, { settings, ...(planOnly && { planOnly }) });
    const { startAction } = await import('../start-by-hand.js');
    const { answerAndFollow } = await import('../answer-and-follow.js');
    const temporal = await context.temporal();
    const run = await startAction(temporal, compiled, job, context.now());
    if (!context.json) context.out(`${run} started`);
    return answerAndFollow(context, temporal, run, { question: 'Do this?', yes: flagOf(values, 'yes') });
  },
};
