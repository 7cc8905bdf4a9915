import { HoldfastError } from '../contracts/errors.js';
import type { Host } from './host.js';
import { redact, rememberSecret } from './redact.js';

/** Where a secret is: the configuration's {file}, {env} or {command}. */
export type SecretPlace = { file: string } | { env: string } | { command: string[] };

/** A program that asks a person (a locked key, a pinentry) would hold the step for ever, and no cancellation would reach it. */
const answerWithinMs = 60_000;

/** Reads a secret at the moment of use; from then on it is blanked out of everything that we write. */
export async function resolveSecret(
  host: Host,
  place: SecretPlace,
  withinMs = answerWithinMs,
): Promise<string> {
  const secret = await readSecret(host, place, withinMs);
  if (secret === '') throw unavailable(describePlace(place), 'is empty');
  rememberSecret(secret);
  return secret;
}

/** As restic reads a password: without the blanks and line breaks around what a file holds or a program prints. A variable is taken as it is. */
export async function resolvePassword(host: Host, place: SecretPlace): Promise<string> {
  const whole = await resolveSecret(host, place);
  const password = 'env' in place ? whole : whole.trim();
  if (password === '') throw unavailable(describePlace(place), 'holds nothing but blanks');
  rememberSecret(password);
  return password;
}

async function readSecret(host: Host, place: SecretPlace, withinMs: number): Promise<string> {
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
  const signal = AbortSignal.timeout(withinMs);
  const options = { maxStdoutBytes: 65_536, killAfterMs: 2_000, signal };
  const result = await host.run({ file, args }, options).catch((error: unknown) => {
    if (signal.aborted)
      throw unavailable(
        describePlace(place),
        `gave no answer within ${withinMs / 1000} s; does it ask somebody?`,
      );
    throw error;
  });
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
