import { onPath } from '../../lab/places.js';
import { endChild, freePort, hasEnded, portIsOpen, spawnTied } from './spawn.js';
import { temporaryFolder } from './temp.js';
import { waitFor } from './wait.js';

/** A real server for `rest:` repositories: rclone, which can be told to take copies and never to delete one. */
export interface RestServer {
  /** A restic repository is this and a name. */
  address: string;
  port: number;
  stop(): Promise<void>;
}

export interface RestOptions {
  appendOnly?: boolean;
  /** Default a free one. */
  port?: number;
  /** Default a temporary one. */
  folder?: string;
}

/** Guard the test with `needs('rclone')`. */
export async function startRestServer(options: RestOptions = {}): Promise<RestServer> {
  const rclone = onPath('rclone');
  if (rclone === undefined) throw new Error("no rclone: guard the test with needs('rclone')");
  const port = options.port ?? (await freePort());
  const args = [
    'serve',
    'restic',
    `--addr=127.0.0.1:${port}`,
    ...(options.appendOnly ? ['--append-only'] : []),
  ];
  const child = spawnTied(rclone, [...args, options.folder ?? temporaryFolder('rest')], { stdio: 'ignore' });
  await waitFor(() => hasEnded(child) || portIsOpen(port), { timeoutMs: 60_000, what: 'the rest server' });
  if (hasEnded(child)) throw new Error(`rclone ended at once on port ${port}`);
  return { address: `rest:http://127.0.0.1:${port}`, port, stop: () => endChild(child) };
}
