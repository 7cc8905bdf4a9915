import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { versitygwPath } from '../../lab/places.js';
import { endChild, freePort, hasEnded, spawnTied } from './spawn.js';
import { temporaryFolder } from './temp.js';
import { waitFor } from './wait.js';

export interface S3Server {
  /** `http://127.0.0.1:PORT`; a restic repository is `s3:${endpoint}/bucket`. */
  endpoint: string;
  port: number;
  accessKey: string;
  secretKey: string;
  /** Buckets are the folders in here, objects plain files: a test can look at them, or damage them. */
  bucketFolder: string;
  readonly pid: number;
  stop(): Promise<void>;
  kill9(): Promise<void>;
  restart(): Promise<void>;
}

export interface S3Options {
  port?: number;
  /** Default: a temporary one. */
  folder?: string;
}

const accessKey = 'holdfast-test';
/** Not a secret of anybody: it exists so that tests can search output and histories for it. */
const secretKey = 'a-secret-that-must-not-leak-7f3a';

const portIsOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

async function start(binary: string, port: number, folder: string) {
  const buckets = join(folder, 'buckets');
  const metadata = join(folder, 'metadata');
  mkdirSync(buckets, { recursive: true });
  mkdirSync(metadata, { recursive: true });
  // Metadata beside the objects: not every file system under /tmp has extended attributes.
  const args = ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', '--sidecar', metadata, buckets];
  const env = { ...process.env, ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey };
  const child = spawnTied(binary, args, { stdio: 'ignore', env });
  await waitFor(() => hasEnded(child) || portIsOpen(port), { timeoutMs: 30_000, what: 'the S3 server' });
  if (hasEnded(child)) throw new Error(`versitygw ended at once on port ${port}`);
  return child;
}

/** A real S3 server (versitygw on a folder) for restic, on loopback, gone with this process however it ends. */
export async function startS3(options: S3Options = {}): Promise<S3Server> {
  const binary = versitygwPath();
  if (binary === undefined) throw new Error("no versitygw: guard the test with needs('s3')");
  const folder = options.folder ?? temporaryFolder('s3');
  const port = options.port ?? (await freePort());
  let child = await start(binary, port, folder);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    accessKey,
    secretKey,
    bucketFolder: join(folder, 'buckets'),
    get pid() {
      return child.pid ?? -1;
    },
    stop: () => endChild(child),
    kill9: () => endChild(child, 'SIGKILL'),
    async restart() {
      await endChild(child);
      child = await start(binary, port, folder);
    },
  };
}
