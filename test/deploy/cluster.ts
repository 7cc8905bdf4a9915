import { execFile } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { clusterPath, temporalPath } from '../../lab/places.js';
import { repositoryRoot } from '../support/root.js';
import { endChild, hasEnded, spawnTied } from '../support/spawn.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';
import { type Authority, type Certificate, tlsEnvironment } from './certificates.js';
import { environmentOf, inPlace } from './compose.js';
import { lowPort } from './low-port.js';
import type { Postgres } from './postgres.js';

/** The server of docker-compose.yml without Docker: the same program, the same scripts, the same variables; only places differ. */
export interface Cluster {
  address: string;
  /** Everything that the server has said. */
  log(): string;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const scripts = join(repositoryRoot, 'deploy/temporal');

const programs = (): string => {
  const folders = [clusterPath(), temporalPath()].flatMap((path) => (path ? [dirname(path)] : []));
  return [...folders, process.env.PATH].join(':');
};

async function script(name: string, env: Record<string, string>): Promise<string> {
  const run = promisify(execFile)('sh', [join(scripts, name)], {
    env: { PATH: programs(), HOME: '/nowhere', ...env },
    timeout: 180_000,
  });
  const { stdout, stderr } = await run;
  return stdout + stderr;
}

export const bringSchema = ({ port, user, password }: Postgres): Promise<string> =>
  script('schema.sh', {
    ...environmentOf('temporal-schema', { tls: false }),
    SQL_HOST: '127.0.0.1',
    SQL_PORT: `${port}`,
    SQL_USER: user,
    SQL_PASSWORD: password,
  });

export const bringNamespace = (address: string, authority: Authority, client: Certificate): Promise<string> =>
  script('namespace.sh', { TEMPORAL_ADDRESS: address, ...tlsEnvironment(authority, client) });

const roles = ['FRONTEND', 'MATCHING', 'HISTORY', 'WORKER'];

/** Two clusters on one machine must not meet. */
async function ports(): Promise<Record<string, string>> {
  const names = [
    ...roles.flatMap((role) => [`${role}_GRPC_PORT`, `${role}_MEMBERSHIP_PORT`]),
    'FRONTEND_HTTP_PORT',
  ];
  const found: Record<string, string> = {};
  for (const name of names) found[name] = await lowPort(new Set(Object.values(found)));
  return found;
}

export async function startCluster(postgres: Postgres, authority: Authority): Promise<Cluster> {
  const binary = clusterPath();
  if (binary === undefined) throw new Error("no Temporal cluster: guard the test with needs('cluster')");
  const own = await ports();
  const env = {
    ...inPlace(environmentOf('temporal', { tls: true }), authority.folder),
    ...own,
    POSTGRES_SEEDS: '127.0.0.1',
    DB_PORT: `${postgres.port}`,
    POSTGRES_USER: postgres.user,
    POSTGRES_PWD: postgres.password,
    BIND_ON_IP: '127.0.0.1',
  };
  const folder = temporaryFolder('cluster');
  const logFile = join(folder, 'server.log');
  const log = openSync(logFile, 'a');
  const child = spawnTied(binary, ['start'], {
    env: { PATH: process.env.PATH, ...env },
    cwd: folder,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const said = () => readFileSync(logFile, 'utf8');
  const address = `localhost:${own.FRONTEND_GRPC_PORT}`;
  await waitFor(() => hasEnded(child) || answers(Number(own.FRONTEND_GRPC_PORT)), {
    timeoutMs: 120_000,
    what: `the cluster's port; it said: ${said().slice(-500)}`,
  });
  if (hasEnded(child)) throw new Error(`the cluster ended: ${said().slice(-1500)}`);
  return { address, log: said, stop: (signal) => endChild(child, signal) };
}

async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
