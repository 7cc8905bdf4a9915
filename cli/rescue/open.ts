import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Tools } from '../../activities/door.js';
import { type Config, ConfigFile } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import { localHost } from '../../system/local-host.js';
import { openRunLog, type RunLog, runLogFile } from '../../system/log.js';
import { rememberSecret } from '../../system/redact.js';
import type { Context } from '../context.js';
import { askSecret } from './prompt.js';

/** From an address and a password to what the drivers stand on. */

/** What was typed. */
export interface RescueWords {
  copyOf: string | undefined;
  repository: string | undefined;
  passwordFile: string | undefined;
  program: string | undefined;
  to: string | undefined;
  copy: string | undefined;
  at: string | undefined;
  paths: readonly string[];
  mapIds: readonly string[];
  compareAttributes: boolean;
  yes: string | undefined;
}

/** What the work is for: names as they stand in the tags of the copies. */
export interface Purpose {
  job: string;
  resource: string;
  target: string;
  run: string;
}

export interface Rescue {
  toolsFor(purpose: Purpose): Tools;
  close(how: { keepLog: boolean }): void;
}

/** The one repository, or the one replica, under the name by which the drivers ask for it. */
export const rescueStore = 'rescue';
const rescueHost = 'rescue';

/** Variables by which restic's backends take their credentials. */
const credentials =
  /^(AWS|B2|AZURE|GOOGLE|GS|OS|ST|RCLONE)_|^RESTIC_REST_(USERNAME|PASSWORD)$|^SSH_AUTH_SOCK$/;

type Reference = { file: string } | { env: string } | { command: string[] };

/** Secrets are handed to restic in its environment, as ever; none of them comes from our own arguments. */
export async function openRepository(context: Context, words: RescueWords): Promise<Rescue> {
  const repository = repositoryOf(context.env, words.repository);
  const password = await passwordOf(context.env, words.passwordFile);
  const env = Object.fromEntries(
    Object.keys(context.env)
      .filter((name) => credentials.test(name) && context.env[name] !== '')
      .map((name) => [name, { env: name }]),
  );
  const state = stateOf(context);
  const host = localHost({ name: rescueHost, stateFolder: state.folder });
  const abort = new AbortController();
  const onInterrupt = (): void => abort.abort(interrupted());
  process.on('SIGINT', onInterrupt);
  const logs: { log: RunLog; run: string }[] = [];
  const say = phases(context);
  return {
    toolsFor(purpose) {
      const log = openRunLog(state.folder, purpose.run, { step: 'rescue' });
      logs.push({ log, run: purpose.run });
      const { program, mapIds } = words;
      const config = configFor(purpose, { repository, password, env, program, mapIds });
      return {
        host,
        config,
        run: purpose.run,
        attempt: 1,
        signal: abort.signal,
        progress: say,
        log: log.line,
      };
    },
    close({ keepLog }) {
      process.off('SIGINT', onInterrupt);
      for (const { log } of logs) log.close();
      if (state.temporary && !keepLog) rmSync(state.folder, { recursive: true, force: true });
      else if (keepLog) for (const { run } of logs) context.note(`log: ${runLogFile(state.folder, run)}`);
    },
  };
}

export const interrupted = (): HoldfastError =>
  new HoldfastError(
    'HF_CANCELLED',
    'Interrupted; nothing half-done stands where restored files are looked for',
    {
      next: 'The same command goes on where this one stopped',
      exit: 130,
    },
  );

/** An address on the command line is seen by every user of the machine: one with a password in it is not taken from there. */
function repositoryOf(env: NodeJS.ProcessEnv, given: string | undefined): string {
  const address = given ?? env.RESTIC_REPOSITORY;
  if (!address)
    throw new HoldfastError('HF_USAGE', 'Say which repository: --repository ADDRESS, or RESTIC_REPOSITORY');
  const [, secret] = /:\/\/[^/@]*:([^/@]*)@/.exec(address) ?? [];
  if (secret && given !== undefined)
    throw new HoldfastError(
      'HF_USAGE',
      'The address holds a password, which every user of this machine can see',
      {
        next: 'Put it into the variable RESTIC_REPOSITORY and leave --repository out',
      },
    );
  if (secret) rememberSecret(secret);
  return /^(\/|[a-z0-9]+:.)/.test(address) ? address : resolve(address);
}

async function passwordOf(env: NodeJS.ProcessEnv, file: string | undefined): Promise<Reference> {
  if (file !== undefined) return { file: resolve(file) };
  if (env.RESTIC_PASSWORD) return { env: 'RESTIC_PASSWORD' };
  if (env.RESTIC_PASSWORD_FILE) return { file: resolve(env.RESTIC_PASSWORD_FILE) };
  if (env.RESTIC_PASSWORD_COMMAND) return { command: ['sh', '-c', env.RESTIC_PASSWORD_COMMAND] };
  process.env.RESTIC_PASSWORD = await askSecret('Password of the repository: ');
  return { env: 'RESTIC_PASSWORD' };
}

/** The host's own folder when there is one: its evidence knows which copies were refused, and takes up what this restore proves. */
function stateOf({ stateFolder }: Context): { folder: string; temporary: boolean } {
  if (existsSync(stateFolder)) return { folder: stateFolder, temporary: false };
  return { folder: mkdtempSync(join(tmpdir(), 'holdfast-rescue-')), temporary: true };
}

interface Repository {
  repository: string;
  password: Reference;
  env: Record<string, Reference>;
  program: string | undefined;
  mapIds: readonly string[];
}

/** What the drivers look up; the operator at the keyboard allows the target and the mapping by typing them. */
function configFor({ job, resource, target }: Purpose, access: Repository): Config {
  const { repository, password, env, program, mapIds } = access;
  const config = ConfigFile.parse({
    hosts: {
      [rescueHost]: {
        restore: [dirname(target)],
        mapIds: [...mapIds],
        tools: program ? { restic: resolve(program) } : {},
      },
    },
    resources: { [resource]: { host: rescueHost, directory: '/' } },
    stores: { [rescueStore]: { restic: { repository: '/rescue', password, env } } },
    jobs: { [job]: { kind: 'restic-backup', resources: [resource], store: rescueStore } },
  });
  const store = config.stores[rescueStore];
  if (store?.restic) store.restic.repository = repository;
  return config;
}

/** Each phase once, and every tenth of the way. */
export function phases(context: Context): Tools['progress'] {
  let said = '';
  return ({ phase = '', bytesDone = 0, bytesTotal = 0 }) => {
    const tenths = bytesTotal > 0 ? ` ${Math.floor((bytesDone / bytesTotal) * 10) * 10} %` : '';
    if (`${phase}${tenths}` === said) return;
    said = `${phase}${tenths}`;
    context.note(said);
  };
}
