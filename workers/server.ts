import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Config } from '../config/schema.js';
import { HoldfastError } from '../contracts/errors.js';
import { searchAttributes } from '../contracts/names.js';
import { adoptDaemon, type Daemon, startDaemon, stopDaemon } from '../system/daemon.js';
import { localHost } from '../system/local-host.js';
import { run } from '../system/run.js';

/** The embedded server: one process on loopback with a SQLite file in the state folder. */
export interface EmbeddedServer {
  daemon: Daemon;
  /** True when an earlier `up` that was killed had left it running. */
  adopted: boolean;
}

export interface ServerOptions {
  binary: string;
  stateFolder: string;
  config: Config;
  recreateDatabase?: boolean;
}

const stopWithinMs = 10_000;

const folderOf = (stateFolder: string): string => join(stateFolder, 'temporal');
const databaseOf = (stateFolder: string): string => join(folderOf(stateFolder), 'temporal.db');

/** Starts the server, or takes over the one that is running; a database of another server version is refused. */
export async function startServer(options: ServerOptions): Promise<EmbeddedServer> {
  const { binary, stateFolder, config } = options;
  const host = localHost({ name: 'local', stateFolder });
  const pidFile = join(folderOf(stateFolder), 'server.pid');
  await host.makeFolder(folderOf(stateFolder));
  const running = adoptDaemon(Number(await host.readFile(pidFile).catch(() => '0')), databaseOf(stateFolder));
  if (running) return { daemon: running, adopted: true };
  await refuseTakenPorts(config);
  await settleDatabase(options);
  const daemon = startDaemon(
    { file: binary, args: serverArguments(config, databaseOf(stateFolder)) },
    join(stateFolder, 'logs', 'temporal-server.log'),
  );
  try {
    await host.writeFile(pidFile, `${daemon.pid}\n`);
  } catch (error) {
    // Nobody would find it again: the next start would take it for a stranger on our port.
    await stopDaemon(daemon, stopWithinMs);
    throw error;
  }
  return { daemon, adopted: false };
}

/** A stranger on our port, another `up` say, would answer in place of our server, and everything would look well. */
async function refuseTakenPorts({ temporal }: Pick<Config, 'temporal'>): Promise<void> {
  for (const key of ['port', 'uiPort'] as const) {
    const port = temporal.embedded[key];
    if (await canListen(port)) continue;
    throw new HoldfastError('HF_TEMPORAL_UNREACHABLE', `Another program uses the port ${port} of 127.0.0.1`, {
      next: `End that program (ss -ltnp shows it), or give temporal.embedded.${key} another number`,
    });
  }
}

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

export const stopServer = ({ daemon }: EmbeddedServer): Promise<void> => stopDaemon(daemon, stopWithinMs);

/** Why each setting is there is worth more than the setting: measured figures are for 100 activities one after the other. */
export function serverArguments({ temporal }: Pick<Config, 'temporal'>, database: string): string[] {
  const attributes = Object.entries(searchAttributes).flatMap(([name, type]) => [
    '--search-attribute',
    `${name}=${typeNames[type]}`,
  ]);
  return [
    'server',
    'start-dev',
    ...[
      '--ip',
      '127.0.0.1',
      '--port',
      String(temporal.embedded.port),
      '--ui-port',
      String(temporal.embedded.uiPort),
    ],
    ...['--namespace', temporal.namespace, '--db-filename', database],
    // The default of 20 reads of the transfer queue a second makes every activity cost 92 ms; so it is 13 ms.
    ...['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=1000'],
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
    ...['--log-level', 'warn'],
    ...attributes,
  ];
}

const typeNames = { KEYWORD: 'Keyword', INT: 'Int', DATETIME: 'Datetime' } as const;

/** The SQLite file cannot be upgraded: its schema is made only when there is no file, and another server misreads it. */
async function settleDatabase({ binary, stateFolder, recreateDatabase }: ServerOptions): Promise<void> {
  const host = localHost({ name: 'local', stateFolder });
  const versionFile = join(folderOf(stateFolder), 'server-version');
  const version = await serverVersion(binary);
  const known = (await host.readFile(versionFile).catch(() => '')).trim();
  const database = databaseOf(stateFolder);
  if (existsSync(database) && known !== version) {
    if (!recreateDatabase) throw otherVersion(database, known, version);
    for (const file of [database, `${database}-wal`, `${database}-shm`]) {
      if (existsSync(file)) await host.rename(file, `${file}.of-${known || 'unknown'}`);
    }
  }
  await host.writeFile(versionFile, `${version}\n`);
}

const otherVersion = (database: string, known: string, version: string): HoldfastError =>
  new HoldfastError(
    'HF_DATABASE_OTHER_VERSION',
    `${database} was made by ${known || 'an unknown server'}, this one is ${version}. Starting anew would lose the history of runs and what is running now; copies, evidence and schedules are not lost`,
  );

/** "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)" -> "server 1.29.1". */
async function serverVersion(binary: string): Promise<string> {
  const { stdout, exitCode } = await run({ file: binary, args: ['--version'] });
  const version = /Server ([\d.]+[^,\s)]*)/.exec(stdout)?.[1];
  if (exitCode === 0 && version) return `server ${version}`;
  throw new HoldfastError(
    'HF_SERVER_BINARY_MISSING',
    `${binary} does not say its version: it is not the Temporal CLI`,
  );
}
