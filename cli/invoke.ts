import { createRequire } from 'node:module';
import type { CommanderError } from 'commander';
import { HoldfastError } from '../contracts/errors.js';
import { commands, hiddenCommands } from './commands.js';
import { type Context, processContext } from './context.js';
import { exitCodes } from './exit-codes.js';
import { fail } from './fail.js';
import { buildProgram, type Invocation, isUsageError } from './program.js';

/** From the words of the command line to an exit code. Tests call it with a context of their own. */
export async function invoke(argv: readonly string[], makeContext = processContext): Promise<number> {
  const found: Invocation[] = [];
  const program = buildProgram([...commands, ...hiddenCommands], version(), (invocation) =>
    found.push(invocation),
  );
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    const context = makeContext({ json: argv.includes('--json') });
    if (!isUsageError(error)) return fail(context, namingCommand(error, namedIn(argv)));
    return endOfParsing(context, error, program.helpInformation(), argv);
  }
  const [invocation] = found;
  return invocation ? runCommand(invocation, makeContext(invocation)) : exitCodes.usage;
}

async function runCommand({ command, values }: Invocation, context: Context): Promise<number> {
  try {
    return await command.run(context, values);
  } catch (error) {
    return fail(context, namingCommand(error, command.name));
  } finally {
    await context.close();
  }
}

const namedIn = (argv: readonly string[]): string | undefined =>
  commands.find(({ name }) => argv.includes(name))?.name;

/** The table of errors does not know which command was mistyped. */
function namingCommand(error: unknown, command: string | undefined): unknown {
  if (!(error instanceof HoldfastError) || error.code !== 'HF_USAGE') return error;
  if (command === undefined || error.details.next !== undefined) return error;
  const next = `"holdfast ${command} --help" shows what it takes, with an example`;
  return new HoldfastError('HF_USAGE', error.message, { ...error.details, next }, { cause: error });
}

/** Help and version were asked for and have been printed; everything else was a word that the parser does not know. */
function endOfParsing(
  context: Context,
  error: CommanderError,
  help: string,
  argv: readonly string[],
): number {
  if (error.exitCode === 0) return exitCodes.done;
  if (error.code === 'commander.help') {
    context.note(help);
    return exitCodes.usage;
  }
  const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  const command = namedIn(argv);
  const next = `"holdfast ${command ? `${command} ` : ''}--help" shows what is understood, with examples`;
  return fail(context, new HoldfastError('HF_USAGE', message, { next }));
}

/** dist/cli/invoke.js lies two folders below package.json. */
function version(): string {
  const manifest = createRequire(import.meta.url)('../../package.json') as { version: string };
  return manifest.version;
}
