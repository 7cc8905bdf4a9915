import type { Context } from './context.js';

/** What a command is to help, completion, the reference page and the parser alike. */
export interface Command {
  name: string;
  /** Says what it does for the operator, in words other than its name. */
  summary: string;
  /** A paragraph for help and the reference page, where the summary does not say enough. */
  details?: string;
  arguments?: readonly Argument[];
  options?: readonly Option[];
  examples: readonly [Example, ...Example[]];
  /** Asked by our own scripts alone: not in help, not in the reference. */
  hidden?: true;
  /** True where something is listed or shown: adds --json. */
  json?: boolean;
  /** Gives back the exit code. Loads what is heavy by itself, so that help and check stay quick. */
  run(context: Context, values: Values): Promise<number>;
}

export interface Argument {
  /** As shown: JOB, RUN, STORE, JOB[/RESOURCE]. */
  name: string;
  /** The key in `Values`. */
  key: string;
  summary: string;
  optional?: boolean;
}

export interface Option {
  /** As commander takes it: "--lines <N>", "--follow". */
  flags: string;
  summary: string;
  /** May be given several times. */
  repeat?: boolean;
  parse?: (text: string) => unknown;
  default?: string | number;
}

export interface Example {
  line: string;
  shows: string;
}

export type Values = Readonly<Record<string, unknown>>;

/** The text of an option or argument, undefined when it was not given. */
export const textOf = (values: Values, key: string): string | undefined => {
  const value = values[key];
  return typeof value === 'string' ? value : undefined;
};

/** An argument that the parser has already demanded. */
export const requiredText = (values: Values, key: string): string => textOf(values, key) ?? '';

export const flagOf = (values: Values, key: string): boolean => values[key] === true;

export const listOf = (values: Values, key: string): string[] => {
  const value = values[key];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
};

export const numberOf = (values: Values, key: string): number | undefined => {
  const value = values[key];
  return typeof value === 'number' ? value : undefined;
};
