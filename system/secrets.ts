import { HoldfastError } from '../contracts/errors.js';
import type { Host } from './host.js';
import { redact, rememberSecret } from './redact.js';

/** Where a secret is: the configuration's {file}, {env} or {command}. */
export type SecretPlace = { file: string } | { env: string } | { command: string[] };

/** Reads a secret at the moment of use; from then on it is blanked out of everything that we write. */
export async function resolveSecret(host: Host, place: SecretPlace): Promise<string> {
  const secret = await readSecret(host, place);
  if (secret === '') throw unavailable(describePlace(place), 'is empty');
  rememberSecret(secret);
  return secret;
}

async function readSecret(host: Host, place: SecretPlace): Promise<string> {
  if ('env' in place) {
    const value = process.env[place.env];
    if (value === undefined) throw unavailable(describePlace(place), 'is not set for the worker');
    return value;
  }
  if ('file' in place) {
    const text = await host.readFile(place.file).catch((error: NodeJS.ErrnoException) => {
      throw unavailable(describePlace(place), `cannot be read (${error.code ?? error.message})`);
    });
    return withoutLineBreak(text);
  }
  const [file = '', ...args] = place.command;
  const result = await host.run({ file, args }, { maxStdoutBytes: 65_536 });
  if (result.exitCode === 0) return withoutLineBreak(result.stdout);
  const why = redact(result.stderrTail.trim(), [result.stdout.trim()]).slice(-120);
  throw unavailable(describePlace(place), `failed with ${result.exitCode ?? result.signal}: ${why}`);
}

const withoutLineBreak = (text: string): string => text.replace(/\r?\n$/, '');

/** Only the program of a command: its arguments may say more than they should. */
function describePlace(place: SecretPlace): string {
  if ('env' in place) return `The variable ${place.env}`;
  return 'file' in place ? `The file ${place.file}` : `The command "${place.command[0]}"`;
}

const unavailable = (what: string, why: string): HoldfastError =>
  new HoldfastError('HF_SECRET_UNAVAILABLE', `${what}, which should give a secret, ${why}`);
