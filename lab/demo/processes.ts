import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ended, runHoldfast, startHoldfast } from '../../test/support/children.js';
import { repositoryRoot } from '../../test/support/root.js';
import { waitFor } from '../../test/support/wait.js';
import { versitygwPath } from '../places.js';
import type { Place } from './place.js';

/** A process that may outlive the demo (`--keep`): a session of its own, its words in a file. */
export interface Background {
  pid: number;
  log: string;
  running(): boolean;
  end(signal: NodeJS.Signals): Promise<void>;
}

function startBackground(file: string, args: string[], env: NodeJS.ProcessEnv, log: string): Background {
  const output = openSync(log, 'a');
  const child = spawn(file, args, { env, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  child.on('error', () => undefined);
  child.unref();
  const running = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid ?? -1,
    log,
    running,
    async end(signal) {
      child.kill(signal);
      await waitFor(() => !running(), { timeoutMs: 90_000, what: `${file} to end after ${signal}` });
    },
  };
}

/** The S3 server, as a provider would run one: our side knows its address and two keys. */
export async function startStore({ s3 }: Place): Promise<Background> {
  const args = ['--port', `127.0.0.1:${s3.port}`, '--quiet', 'posix', '--sidecar', `${s3.folder}/metadata`];
  const env = { PATH: process.env.PATH, ROOT_ACCESS_KEY: s3.accessKey, ROOT_SECRET_KEY: s3.secretKey };
  const store = startBackground(
    versitygwPath() ?? 'versitygw',
    [...args, `${s3.folder}/buckets`],
    env,
    `${s3.folder}/s3.log`,
  );
  const answers = () => fetch(`http://127.0.0.1:${s3.port}/`).then(() => true);
  await waitFor(answers, { timeoutMs: 20_000, what: 'the S3 server' });
  return store;
}

export const environment = (place: Place): Record<string, string> => ({
  HOLDFAST_STATE: place.state,
  HOLDFAST_CONFIG: place.configFile,
});

/** `holdfast up`, exactly as an operator starts it. */
export async function startUp(place: Place): Promise<Background> {
  const log = join(place.folder, 'up.log');
  const sizeBefore = textOf(log).length;
  const env = { ...process.env, HOLDFAST_STATE: place.state };
  const args = [join(repositoryRoot, 'bin/holdfast.js'), 'up', '--config', place.configFile];
  const up = startBackground(process.execPath, args, env, log);
  const ready = () => !up.running() || textOf(log).slice(sizeBefore).includes('Ready.');
  await waitFor(ready, { timeoutMs: 120_000, what: '"holdfast up" to be ready' });
  if (!up.running()) throw new Error(`"holdfast up" ended: ${textOf(log).slice(-1500)}`);
  return up;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** One command of the operator to its end; its words are shown, and the demo ends when it does not end as it must. */
export async function holdfast(place: Place, args: string[], wanted = 0): Promise<Ended> {
  console.log(`  $ holdfast ${args.join(' ')}`);
  const ended = await runHoldfast(args, environment(place));
  show(ended.stdout + ended.stderr);
  if (ended.code !== wanted)
    throw new Error(`holdfast ${args[0]} ended with ${ended.code ?? ended.signal}, not ${wanted}`);
  return ended;
}

export const startCommand = (place: Place, args: string[]) => startHoldfast(args, environment(place));

export function show(text: string): void {
  for (const line of text.trimEnd().split('\n')) if (line !== '') console.log(`    ${line}`);
}
