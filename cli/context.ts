import type { Client, Connection } from '@temporalio/client';
import pc from 'picocolors';
import type { Config } from '../config/schema.js';
import type { Questions } from './questions.js';
import { stateFolder } from './state-folder.js';

type Colours = ReturnType<typeof pc.createColors>;

/** Temporal as the commands use it. */
export interface Temporal {
  client: Client;
  connection: Connection;
  address: string;
  namespace: string;
}

/** Everything that a command may touch; tests give it fakes. */
export interface Context {
  /** What --config said; HOLDFAST_CONFIG and the usual places are looked up in configFile(). */
  givenConfig?: string;
  json: boolean;
  env: NodeJS.ProcessEnv;
  /** Standard output is a terminal: tables, colours and progress bars; else plain lines. */
  terminal: boolean;
  /** Somebody can be asked a question. */
  interactive: boolean;
  columns: number;
  colours: Colours;
  stateFolder: string;
  /** One line (or several) to standard output. */
  out(text: string): void;
  /** One line to standard error: what is not the answer itself. */
  note(text: string): void;
  now(): Date;
  configFile(): Promise<string>;
  config(): Promise<Config>;
  temporal(): Promise<Temporal>;
  /** y or yes; anything else is a no, and Ctrl-C is neither. */
  ask(question: string): Promise<'yes' | 'no' | 'interrupted'>;
  /** A line of text; undefined after Ctrl-C or the end of what can be read. */
  askText(question: string): Promise<string | undefined>;
  close(): Promise<void>;
}

/** The real thing: this process's streams, files and network. */
export function processContext(options: { givenConfig?: string; json: boolean }): Context {
  const { stdout, stdin, env } = process;
  const terminal = stdout.isTTY === true && !options.json;
  let temporal: Promise<Temporal> | undefined;
  let config: Promise<Config> | undefined;
  let questions: Promise<Questions> | undefined;
  const context: Context = {
    ...options,
    env,
    terminal,
    interactive: terminal && stdin.isTTY === true,
    columns: stdout.columns ?? 100,
    colours: pc.createColors(terminal && !env.NO_COLOR),
    stateFolder: stateFolder(env),
    out: (text) => void stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
    now: () => new Date(),
    configFile: async () => (await import('../config/find-file.js')).findConfigFile(env, options.givenConfig),
    config: () => (config ??= loadConfig(context)),
    temporal: () => (temporal ??= connect(context)),
    ask,
    askText: async (question) => {
      questions ??= import('./questions.js').then(({ openQuestions }) => openQuestions());
      return (await questions).ask(question);
    },
    close: async () => {
      (await questions)?.close();
      await (await temporal?.catch(() => undefined))?.connection.close();
    },
  };
  return context;
}

/** Loaded when it is needed: reading YAML and checking it costs a fifth of a second, which help does not have. */
async function loadConfig(context: Context): Promise<Config> {
  const { loadConfig } = await import('../config/load.js');
  return loadConfig(await context.configFile());
}

async function connect(context: Context): Promise<Temporal> {
  const config = await context.config();
  const { connectClient, resolveConnection } = await import('../schedules/connection.js');
  const { address, namespace } = resolveConnection(config);
  return { ...(await connectClient(config)), address, namespace };
}

async function ask(question: string): Promise<'yes' | 'no' | 'interrupted'> {
  const { createInterface } = await import('node:readline');
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  return new Promise((resolve) => {
    lines.on('SIGINT', () => resolve('interrupted'));
    lines.on('close', () => resolve('no'));
    lines.question(`${question} [y/N] `, (answer) => resolve(/^\s*y(es)?\s*$/i.test(answer) ? 'yes' : 'no'));
  }).finally(() => lines.close()) as Promise<'yes' | 'no' | 'interrupted'>;
}
