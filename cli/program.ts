import { CommanderError, Command as Parser } from 'commander';
import type { Argument, Command, Option, Values } from './command.js';
import { exitCodeMeanings } from './exit-codes.js';

/** What the parser found out: which command, and with what. */
export interface Invocation {
  command: Command;
  values: Values;
  /** What --config said. */
  givenConfig?: string;
  json: boolean;
}

const description = `Runs backup procedures as durable workflows, proves every copy and restores it again.`;

/** Builds the parser from the table; `found` is called for the command that the operator asked for. */
export function buildProgram(
  commands: readonly Command[],
  version: string,
  found: (invocation: Invocation) => void,
): Parser {
  const program = new Parser('holdfast')
    .description(description)
    .usage('[options] COMMAND')
    .version(version, '--version', 'print the version')
    .option(
      '--config <FILE>',
      'the configuration (default: HOLDFAST_CONFIG, ./holdfast.yaml, ~/.config/holdfast/holdfast.yaml, /etc/holdfast/holdfast.yaml)',
    )
    .helpOption('-h, --help', 'print help, also of a command: holdfast run --help')
    .helpCommand('help [COMMAND]', 'Print how a command is used, with examples')
    .showSuggestionAfterError()
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
  for (const command of commands) addCommand(program, command, found);
  program.addHelpText(
    'after',
    `\nExit codes\n${exitCodeLines()}\n\nErrors print what to do next; HOLDFAST_DEBUG=1 adds the stack.`,
  );
  return program;
}

const exitCodeLines = (): string =>
  exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`).join('\n');

function addCommand(program: Parser, command: Command, found: (invocation: Invocation) => void): void {
  const parser = program
    .command(command.name, { hidden: command.hidden === true })
    .description(describe(command))
    .summary(command.summary);
  for (const argument of command.arguments ?? [])
    parser.argument(argument.optional ? `[${argument.name}]` : `<${argument.name}>`, argument.summary);
  for (const option of command.options ?? []) addOption(parser, option);
  if (command.json) parser.option('--json', 'print JSON instead of a table');
  parser.addHelpText('after', `\n${exampleLines(command)}`);
  parser.action((...parsed: unknown[]) => {
    const options = program.opts<{ config?: string }>();
    const values = { ...parser.opts(), ...positional(command.arguments ?? [], parsed) };
    found({ command, values, givenConfig: options.config, json: parser.opts().json === true });
  });
}

const describe = (command: Command): string =>
  command.details ? `${command.summary}\n\n${command.details}` : command.summary;

const exampleLines = ({ examples }: Command): string =>
  [
    examples.length > 1 ? 'Examples:' : 'Example:',
    ...examples.flatMap(({ line, shows }) => [`  # ${shows}`, `  ${line}`]),
  ].join('\n');

function addOption(parser: Parser, option: Option): void {
  const { flags, summary, repeat, parse } = option;
  if (repeat)
    parser.option(
      flags,
      `${summary} (may be given several times)`,
      (text, all: string[]) => [...all, text],
      [],
    );
  else if (parse) parser.option(flags, summary, (text) => parse(text), option.default);
  else parser.option(flags, summary, option.default as string | undefined);
}

const positional = (names: readonly Argument[], parsed: readonly unknown[]): Values =>
  Object.fromEntries(names.map(({ key }, index) => [key, parsed[index]]));

/** How the parser says that it is done: help and version (exit code 0) or words that it does not know. */
export const isUsageError = (error: unknown): error is CommanderError => error instanceof CommanderError;
