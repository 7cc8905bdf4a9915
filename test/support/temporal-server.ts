import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { searchAttributes as ours } from '../../contracts/names.js';
import { temporalPath } from '../../lab/places.js';
import { endChild, freePort, hasEnded, type Restartable, spawnTied, startRestartable } from './spawn.js';
import { temporaryFolder } from './temp.js';

type AttributeType = 'KEYWORD' | 'INT' | 'DATETIME';

export interface TestServerOptions {
  /** SQLite file; without it everything is in memory and a restart forgets it. */
  databaseFile?: string;
  /** Default: all of Holdfast's own. */
  searchAttributes?: Readonly<Record<string, AttributeType>>;
  port?: number;
  namespace?: string;
}

/** A restart has the same port and file. */
export interface TestServer extends Restartable {
  address: string;
  namespace: string;
  port: number;
}

interface Settings {
  binary: string;
  port: number;
  namespace: string;
  databaseFile: string | undefined;
  attributes: Readonly<Record<string, AttributeType>>;
  logFile: string;
}

const typeNames = { KEYWORD: 'Keyword', INT: 'Int', DATETIME: 'Datetime' } as const;

function serverArguments(settings: Settings): string[] {
  const args = ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', `${settings.port}`];
  args.push('--namespace', settings.namespace, '--log-level', 'error');
  // The server's default of 20 reads a second makes each activity cost 92 ms.
  args.push('--dynamic-config-value', 'history.transferProcessorMaxPollRPS=1000');
  if (settings.databaseFile !== undefined) args.push('--db-filename', settings.databaseFile);
  if (settings.databaseFile !== undefined)
    args.push('--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal');
  for (const [name, type] of Object.entries(settings.attributes))
    args.push('--search-attribute', `${name}=${typeNames[type]}`);
  return args;
}

/** The port opens before the namespace and the search attributes are there; tests need all three. */
async function answers(settings: Settings): Promise<boolean> {
  const address = `127.0.0.1:${settings.port}`;
  const connection = await Connection.connect({ address, connectTimeout: '1s' });
  try {
    const { namespace } = settings;
    await connection.workflowService.describeNamespace({ namespace });
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return Object.keys(settings.attributes).every((name) => Object.hasOwn(customAttributes ?? {}, name));
  } finally {
    await connection.close();
  }
}

async function start(settings: Settings): Promise<ChildProcess> {
  const log = openSync(settings.logFile, 'a');
  const child = spawnTied(settings.binary, serverArguments(settings), { stdio: ['ignore', log, log] });
  closeSync(log);
  const endsAt = performance.now() + 60_000;
  while (!hasEnded(child) && performance.now() < endsAt) {
    if (await answers(settings).catch(() => false)) return child;
    await pause(50);
  }
  await endChild(child, 'SIGKILL');
  const words = readFileSync(settings.logFile, 'utf8').slice(-1000);
  throw new Error(`the Temporal server did not answer on port ${settings.port}: ${words}`);
}

/** A real server of its own for a test file: headless, on a free port, gone with this process however it ends. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const binary = temporalPath();
  if (binary === undefined) throw new Error("no Temporal server: guard the test with needs('temporal')");
  const settings: Settings = {
    binary,
    port: options.port ?? (await freePort()),
    namespace: options.namespace ?? 'holdfast',
    databaseFile: options.databaseFile,
    attributes: options.searchAttributes ?? ours,
    logFile: join(temporaryFolder('temporal'), 'server.log'),
  };
  const { port, namespace } = settings;
  const server = await startRestartable(() => start(settings));
  return Object.assign(server, { address: `127.0.0.1:${port}`, namespace, port });
}
