import { type NameKind, nameKinds } from '../../config/names-in-file.js';
import type { Command, Option } from '../command.js';

/** What the scripts for the three shells are made from: the table of commands, in the terms of a completion. */

/** Names come from the configuration, files and folders from the shell, words stand in the script. */
export type Kind = NameKind | 'files' | 'folders' | WordKind;
export type WordKind = 'keys' | 'shells' | 'commands';

export interface Completions {
  commands: CompletedCommand[];
  /** For every command. */
  options: CompletedOption[];
  words: Record<WordKind, string[]>;
}

export interface CompletedCommand {
  name: string;
  summary: string;
  options: CompletedOption[];
  /** By position; undefined where nothing can be offered (a run is known to Temporal alone). */
  arguments: (Kind | undefined)[];
}

export interface CompletedOption {
  /** "--config", "-h" */
  names: string[];
  summary: string;
  takesValue: boolean;
  value?: Kind;
}

/** By the word that stands for the value in help: one word means one thing in all commands. */
const kinds: Record<string, Kind> = {
  JOB: 'jobs',
  'JOB[/RESOURCE]': 'job-resources',
  STORE: 'stores',
  HOST: 'hosts',
  RESOURCE: 'resources',
  'CHANNEL...': 'notifications',
  'HOST:PLACE': 'host-folders',
  FILE: 'files',
  DIR: 'folders',
  KEY: 'keys',
  SHELL: 'shells',
};

const kindOf = (placeholder: string): Kind | undefined =>
  Object.hasOwn(kinds, placeholder) ? kinds[placeholder] : undefined;

function completedOption({ flags, summary }: Pick<Option, 'flags' | 'summary'>): CompletedOption {
  const names = flags.split(/[ ,|]+/).filter((word) => word.startsWith('-'));
  const [, placeholder] = /[<[](.+?)(?:\.\.\.)?[>\]]$/.exec(flags) ?? [];
  const value = names.includes('--host') ? 'hosts' : kindOf(placeholder ?? '');
  return { names, summary, takesValue: placeholder !== undefined, ...(value && { value }) };
}

const everywhere = [
  { flags: '--config <FILE>', summary: 'the configuration' },
  { flags: '-h, --help', summary: 'print help' },
];

/** `keys` are what `explain` knows. */
export function completionsOf(commands: readonly Command[], keys: readonly string[]): Completions {
  const help = { name: 'help', summary: 'Print how a command is used, with examples' };
  return {
    commands: [
      ...commands.map(completedCommand),
      { ...help, options: [], arguments: ['commands'] satisfies Kind[] },
    ],
    options: everywhere.map(completedOption),
    words: {
      keys: [...keys],
      shells: ['bash', 'zsh', 'fish'],
      commands: commands.map(({ name }) => name),
    },
  };
}

function completedCommand({ name, summary, options, json, arguments: places }: Command): CompletedCommand {
  const own = [...(options ?? []), ...(json ? [{ flags: '--json', summary: 'print JSON' }] : [])];
  return {
    name,
    summary,
    options: own.map(completedOption),
    arguments: (places ?? []).map((place) => kindOf(place.name)),
  };
}

export const isNameKind = (text: string): text is NameKind => nameKinds.some((kind) => kind === text);

/** For text in a script: nothing inside single quotes means anything to bash or zsh but the quote itself. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
