import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { stringify } from 'yaml';
import { type ResticName, resticPath } from '../../lab/places.js';
import { type Ended, type HoldfastChild, startHoldfast } from './children.js';
import { type PlainConfig, plainConfig } from './plain-config.js';
import { temporaryFolder } from './temp.js';
import { startTestServer, type TestServer } from './temporal-server.js';

/** A small estate of real parts: a Temporal server, one host "nas" with its worker, an orchestrator, a folder and a repository. */
export interface Estate {
  folder: string;
  source: string;
  repository: string;
  stateFolder: string;
  server: TestServer;
  client: Client;
  worker: HoldfastChild;
  orchestrator: HoldfastChild;
  env: Record<string, string | undefined>;
  /** Our command line, to its end. */
  holdfast(...args: string[]): Promise<Ended>;
  /** Our command line, left running. */
  start(...args: string[]): HoldfastChild;
  startWorker(): Promise<HoldfastChild>;
  startOrchestrator(): Promise<HoldfastChild>;
  /** restic on the repository, as a person would; JSON is parsed. */
  restic(...args: string[]): Promise<unknown>;
  /** Writes holdfast.yaml anew with this change to the plain object. */
  configure(change: (config: PlainConfig) => void): void;
  stop(): Promise<void>;
}

export interface EstateOptions {
  /** Version of restic as in lab/places; default the one on PATH. */
  restic?: ResticName;
  /** Where the repository is; default a folder of the estate. */
  repository?: string;
  resticEnv?: Record<string, string>;
  databaseFile?: boolean;
  change?: (config: PlainConfig) => void;
}

const password = 'correct horse battery staple';

export async function startEstate(options: EstateOptions = {}): Promise<Estate> {
  const folder = temporaryFolder('estate');
  const source = join(folder, 'photos and more');
  const repository = options.repository ?? join(folder, 'repository');
  mkdirSync(source);
  writeFileSync(join(folder, 'password'), `${password}\n`, { mode: 0o600 });
  const server = await startTestServer({
    namespace: 'holdfast',
    databaseFile: options.databaseFile ? join(folder, 'temporal.db') : undefined,
  });
  const binary = resticPath(options.restic) ?? 'restic';
  const config = plainConfig({ folder, source, repository, address: server.address });
  config.temporal.deadHostAfter = '3s';
  config.hosts.nas.tools = { restic: binary };
  config.stores.vault.restic.env = options.resticEnv ?? {};
  Object.assign(config.jobs['photos-offsite'], {
    prune: { cron: '0 6 * * 0' },
    check: { cron: '0 7 * * *', parts: 2 },
    objective: { rpo: '26h', check: '35d' },
    retryFor: '10m',
  });
  options.change?.(config);
  const file = join(folder, 'holdfast.yaml');
  const write = (): void => writeFileSync(file, stringify(config));
  write();
  const stateFolder = join(folder, 'state');
  const env = { HOLDFAST_CONFIG: file, HOLDFAST_STATE: stateFolder, HOLDFAST_LOG: 'info' };
  const connection = await Connection.connect({ address: server.address });
  const started: HoldfastChild[] = [];
  const start = (...args: string[]): HoldfastChild => {
    const child = startHoldfast(args, env);
    started.push(child);
    return child;
  };
  const startUntil = async (line: string, ...args: string[]): Promise<HoldfastChild> => {
    const child = start(...args);
    await child.waitForLine(line, 60_000);
    return child;
  };
  const estate: Estate = {
    folder,
    source,
    repository,
    stateFolder,
    server,
    env,
    client: new Client({ connection, namespace: 'holdfast' }),
    worker: undefined as unknown as HoldfastChild,
    orchestrator: undefined as unknown as HoldfastChild,
    holdfast: (...args) => start(...args).exit,
    start,
    startWorker: async () => (estate.worker = await startUntil('worker runs', 'worker', '--host', 'nas')),
    startOrchestrator: async () =>
      (estate.orchestrator = await startUntil('orchestrator runs', 'orchestrator')),
    async restic(...args) {
      const secrets = { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password, ...options.resticEnv };
      const { stdout } = await promisify(execFile)(binary, ['--json', ...args], {
        env: { ...process.env, ...secrets },
        maxBuffer: 2 ** 28,
      });
      return stdout.trim() === '' ? undefined : JSON.parse(stdout);
    },
    configure(change) {
      change(config);
      write();
    },
    async stop() {
      await Promise.all(started.filter((child) => child.running()).map((child) => child.stop('SIGKILL')));
      await connection.close();
      await server.stop();
    },
  };
  // What one of them has left running would keep the test's process alive until its time is over.
  await Promise.all([estate.startWorker(), estate.startOrchestrator()]).catch(async (error) => {
    await estate.stop();
    throw error;
  });
  return estate;
}

/** The evidence of the estate's host, parsed. */
export function evidenceOf({
  stateFolder,
}: Estate): { kind: string; run: string; snapshot?: string; store?: string }[] {
  const file = join(stateFolder, 'evidence.jsonl');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
