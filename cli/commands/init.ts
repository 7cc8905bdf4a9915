import { type Command, flagOf, listOf, textOf } from '../command.js';

export const init: Command = {
  name: 'init',
  summary: 'Look at this machine, ask a few things, and write a first holdfast.yaml',
  details:
    'Asks which folders are to be protected, where the copies go, and where the password is; makes the password file when ' +
    'it is not there. Says in the file what else it found on the machine. Overwrites nothing, and starts nothing.',
  options: [
    {
      flags: '--output <FILE>',
      summary: 'where to write (default: /etc/holdfast/holdfast.yaml for root, else ~/.config/holdfast/)',
    },
    { flags: '--directory <DIR>', summary: 'a folder to protect', repeat: true },
    { flags: '--repository <ADDRESS>', summary: 'where the copies go, as restic takes it' },
    {
      flags: '--password-file <FILE>',
      summary:
        'the password of the repository; made when it is not there (default: beside the configuration)',
    },
    { flags: '--yes', summary: 'ask nothing: --directory and --repository are needed then' },
  ],
  examples: [
    { line: 'holdfast init', shows: 'asks, with sensible answers in brackets' },
    {
      line: 'holdfast init --yes --directory /srv/photos --repository /mnt/usb/restic',
      shows: 'without a question, for scripts',
    },
  ],
  async run(context, values) {
    const { initialise } = await import('../init/init.js');
    const { thisMachine } = await import('../init/machine.js');
    return initialise(context, thisMachine(context.stateFolder, context.env), {
      output: textOf(values, 'output'),
      directories: listOf(values, 'directory'),
      repository: textOf(values, 'repository'),
      passwordFile: textOf(values, 'passwordFile'),
      yes: flagOf(values, 'yes'),
    });
  },
};
