import { HoldfastError } from '../../contracts/errors.js';
import { type Command, requiredText } from '../command.js';
import { exitCodes } from '../exit-codes.js';

export const completion: Command = {
  name: 'completion',
  summary: 'Print the script that completes words in your shell: bash, zsh or fish',
  details:
    'Completes commands, options, and the jobs, stores, hosts and resources of the configuration; ' +
    'it asks the program "holdfast" on PATH for these, and never Temporal.',
  arguments: [{ name: 'SHELL', key: 'shell', summary: 'bash, zsh or fish' }],
  examples: [
    {
      line: 'holdfast completion bash > /etc/bash_completion.d/holdfast',
      shows: 'for every user of this machine',
    },
    { line: 'holdfast completion fish | source', shows: 'in this shell alone' },
  ],
  async run(context, values) {
    const shell = requiredText(values, 'shell');
    const { scriptFor } = await import('../completion/script.js');
    const script = scriptFor(shell);
    if (script === undefined)
      throw new HoldfastError('HF_USAGE', 'There are scripts for bash, zsh and fish, for no other shell');
    context.out(script.trimEnd());
    return exitCodes.done;
  },
};
