import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tools } from '../../activities/door.js';
import { type Config, ConfigFile } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Progress, RestoreStepInput, StepInput } from '../../contracts/jobs.js';
import type { Host } from '../../system/host.js';
import { localHost } from '../../system/local-host.js';
import { locksOnDisk } from '../support/locks.js';
import { temporaryFolder } from '../support/temp.js';

/** A host, a source folder and an empty repository, all in a temporary folder; one of a known restic. */
export interface Bench {
  folder: string;
  source: string;
  repository: string;
  host: Host;
  config: Config;
  /** What drivers are given; each call is a new attempt unless said. */
  tools(options?: Partial<Tools>): Tools;
  step(run: string, more?: Partial<StepInput>): StepInput;
  restoreStep(run: string, target: string, more?: Partial<RestoreStepInput>): RestoreStepInput;
  /** restic by hand, as an operator would. */
  restic(...args: string[]): string;
  snapshots(): { id: string; tags: string[] }[];
  locks(): string[];
  log: string[];
  progress: Partial<Progress>[];
  /** Repository and password, as restic reads them. */
  resticEnvironment: Record<string, string>;
  evidence(): { kind: string; [key: string]: unknown }[];
}

const password = 'a secret of the test';
const job = 'photos-offsite';
export const runAt = (minute: number, operation = ''): string =>
  `${job}${operation}-2026-11-20T03:${String(minute).padStart(2, '0')}:00Z`;

export interface BenchOptions {
  restic: string;
  /** Added to the job. */
  job?: Record<string, unknown>;
  /** Added to the resource. */
  resource?: Record<string, unknown>;
  /** Added to the store. */
  store?: Record<string, unknown>;
}

export function makeBench(options: BenchOptions): Bench {
  const folder = temporaryFolder('restic');
  const [source, repository, state] = ['source of $HOME', 'repository', 'state'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  mkdirSync(source);
  writeFileSync(join(source, '.holdfast'), 'here');
  for (let number = 0; number < 10; number += 1)
    writeFileSync(join(source, `photo ${number}.txt`), `${number}`);
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, `${password}\n`);
  const config = makeConfig(options, { source, repository, keyFile });
  const host = localHost({ name: 'nas', stateFolder: state });
  const resticEnvironment = {
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: password,
    RESTIC_CACHE_DIR: join(folder, 'cache'),
  };
  const bench: Bench = {
    folder,
    source,
    repository,
    host,
    config,
    resticEnvironment,
    log: [],
    progress: [],
    tools: (more = {}) => ({
      host,
      config,
      run: runAt(0),
      attempt: 1,
      signal: new AbortController().signal,
      progress: (progress) => void bench.progress.push(progress),
      log: (line) => void bench.log.push(line),
      ...more,
    }),
    step: (run, more = {}) => ({ job, run, resource: 'photos', store: 'shed', retryForMs: 0, ...more }),
    restoreStep: (run, target, more = {}) => ({
      job,
      run,
      resource: 'photos',
      store: 'shed',
      retryForMs: 0,
      target,
      paths: [],
      ...more,
    }),
    restic: (...args) =>
      execFileSync(options.restic, args, {
        env: { PATH: process.env.PATH, ...resticEnvironment },
        encoding: 'utf8',
        stdio: 'pipe',
        maxBuffer: 2 ** 26,
      }),
    snapshots: () => JSON.parse(bench.restic('snapshots', '--json', '--no-lock')) ?? [],
    locks: () => locksOnDisk(repository),
    evidence() {
      const file = join(state, 'evidence.jsonl');
      if (!existsSync(file)) return [];
      const lines = readFileSync(file, 'utf8').trim().split('\n');
      return lines.map((line) => JSON.parse(line));
    },
  };
  cpSync(emptyRepository(options.restic), repository, { recursive: true });
  return bench;
}

const emptyRepositories = new Map<string, string>();

/** Made once for each restic: choosing the key's strength takes a second. */
function emptyRepository(restic: string): string {
  const known = emptyRepositories.get(restic);
  if (known) return known;
  const made = join(temporaryFolder('empty'), 'repository');
  const env = { ...process.env, RESTIC_REPOSITORY: made, RESTIC_PASSWORD: password };
  execFileSync(restic, ['init'], { env, stdio: 'pipe' });
  emptyRepositories.set(restic, made);
  return made;
}

function makeConfig(
  options: BenchOptions,
  places: { source: string; repository: string; keyFile: string },
): Config {
  return ConfigFile.parse({
    hosts: { nas: { tools: { restic: options.restic } } },
    resources: {
      photos: { host: 'nas', directory: places.source, marker: '.holdfast', ...options.resource },
    },
    stores: {
      shed: {
        restic: { repository: places.repository, password: { file: places.keyFile }, ...options.store },
      },
    },
    jobs: {
      [job]: {
        kind: 'restic-backup',
        resources: ['photos'],
        store: 'shed',
        exclude: ['*.tmp'],
        ...options.job,
      },
    },
  });
}

/** restic as ever; after a restore that ended well, `script` runs in the folder that was restored into. */
export function meddling(restic: string, script: string): string {
  const path = join(temporaryFolder('meddling'), 'restic');
  const text = `#!/bin/sh
"${restic}" "$@"
code=$?
[ "$1" = restore ] || exit $code
for argument; do case "$argument" in --target=*) cd -- "\${argument#--target=}" || exit 9;; esac; done
${script}
exit $code
`;
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

/** The same machine as long as nobody looks for the program that mounts. */
export const withoutFuse = (host: Host): Host => ({
  ...host,
  findProgram: async (file) => (file === 'fusermount' ? undefined : host.findProgram(file)),
});

/** For `assert.rejects`: the code, and words that the operator must read. */
export const failsWith =
  (code: string, words: RegExp = /./) =>
  (error: unknown): boolean => {
    if (!(error instanceof HoldfastError)) throw error;
    if (error.code !== code || !words.test(error.message)) throw error;
    if (error.message.length > 300) throw new Error(`too long: ${error.message}`);
    return true;
  };
