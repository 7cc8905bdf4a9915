import { type Command, requiredText } from '../command.js';
import { exitCodes } from '../exit-codes.js';

export const undo: Command = {
  name: 'undo',
  summary: 'Put back what ended runs left stopped, paused or mounted on a host',
  details:
    'The worker of a host does this by itself at its start; this asks for it now. What a running run has changed is left alone, ' +
    'and what was stopped before a run stays stopped.',
  arguments: [{ name: 'HOST', key: 'host', summary: 'a host of holdfast.yaml' }],
  examples: [{ line: 'holdfast undo nas', shows: 'after a run was terminated in the Web UI' }],
  json: true,
  async run(context, values) {
    const [{ findHost }, { putBack }] = await Promise.all([import('../jobs.js'), import('../undo.js')]);
    const host = requiredText(values, 'host');
    findHost(await context.config(), host);
    const things = await putBack(await context.temporal(), host, context.now());
    if (context.json) context.out(JSON.stringify({ host, putBack: things }));
    else if (things.length === 0) context.out(`${host}: nothing was left changed`);
    else for (const thing of things) context.out(`${host}: put back ${thing}`);
    return exitCodes.done;
  },
};
