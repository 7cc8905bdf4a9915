import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { versitygwPath } from '../../lab/places.js';
import { freePort, hasEnded, portIsOpen, type Restartable, spawnTied, startRestartable } from './spawn.js';
import { temporaryFolder } from './temp.js';
import { waitFor } from './wait.js';

export interface S3Server extends Restartable {
  /** `http://127.0.0.1:PORT`; a restic repository is `s3:${endpoint}/bucket`. */
  endpoint: string;
  port: number;
  accessKey: string;
  secretKey: string;
  /** Buckets are the folders in here, objects plain files: a test can look at them, or damage them. */
  bucketFolder: string;
}

export interface S3Options {
  port?: number;
  /** Default: a temporary one. */
  folder?: string;
}

const accessKey = 'holdfast-test';
/** Not a secret of anybody: it exists so that tests can search output and histories for it. */
const secretKey = 'a-secret-that-must-not-leak-7f3a';

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
  const server = await startRestartable(() => start(binary, port, folder));
  const own = { endpoint: `http://127.0.0.1:${port}`, port, accessKey, secretKey };
  return Object.assign(server, own, { bucketFolder: join(folder, 'buckets') });
}
