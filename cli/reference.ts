import type { Command } from './command.js';
import { commands } from './commands.js';
import { exitCodeMeanings } from './exit-codes.js';

/** The page docs/reference/commands.md, made from the table of commands. */
export function renderCommandReference(): string {
  return `${[...head(), ...commands.flatMap(section)].join('\n')}\n`;
}

function head(): string[] {
  return [
    '<!-- Made from cli/commands.ts by "node dist/cli/generate.js"; a test fails while the two differ. -->',
    '# Commands',
    '',
    '`--config FILE` names the configuration for every command; without it `HOLDFAST_CONFIG`, then `./holdfast.yaml`,',
    'the folder `holdfast` in the XDG configuration folder, and `/etc/holdfast/holdfast.yaml` are looked at.',
    '`--json` prints one JSON value on standard output instead of a table, also for an error:',
    '`{"error": {"code", "message", "next"}}`. On a terminal there are colours and progress bars (`NO_COLOR` is heeded);',
    'in a pipe a table is one line for each row, with tabs between its fields.',
    '',
    '| command | what for |',
    '|---|---|',
    ...commands.map(({ name, summary }) => `| [${name}](#${name}) | ${cell(summary)} |`),
    '',
    '## Exit codes',
    '',
    '| code | when |',
    '|---|---|',
    ...exitCodeMeanings.map(([code, meaning]) => `| ${code} | ${cell(meaning)} |`),
    '',
    'An error names what happened and, after `next:`, what to do. `HOLDFAST_DEBUG=1` adds the stack.',
  ];
}

function section(command: Command): string[] {
  const { name, summary, details, examples } = command;
  return [
    '',
    `## ${name}`,
    '',
    `\`${usageOf(command)}\``,
    '',
    `${summary}.${details ? ` ${details}` : ''}`,
    ...rows(command),
    '',
    '```',
    ...examples.flatMap(({ line, shows }) => [`# ${shows}`, line]),
    '```',
  ];
}

/** "holdfast run [options] JOB": the same words as in the help. */
export function usageOf(command: Command): string {
  const names = (command.arguments ?? []).map(({ name, optional }) => (optional ? `[${name}]` : name));
  const options = (command.options ?? []).length > 0 || command.json ? ['[options]'] : [];
  return ['holdfast', command.name, ...options, ...names].join(' ');
}

function rows(command: Command): string[] {
  const listed = [
    ...(command.arguments ?? []).map(({ name, summary }) => [name, summary]),
    ...(command.options ?? []).map((option) => [option.flags, optionText(option)]),
    ...(command.json ? [['--json', 'print JSON instead of a table']] : []),
  ];
  if (listed.length === 0) return [];
  return [
    '',
    '| | |',
    '|---|---|',
    ...listed.map(([name = '', text = '']) => `| \`${cell(name)}\` | ${cell(text)} |`),
  ];
}

const optionText = (option: { summary: string; repeat?: boolean; default?: string | number }): string =>
  [
    option.summary,
    ...(option.repeat ? ['(may be given several times)'] : []),
    ...(option.default === undefined ? [] : [`(default: ${option.default})`]),
  ].join(' ');

const cell = (text: string): string => text.replaceAll('|', '\\|');
