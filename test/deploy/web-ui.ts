import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { webUiPath } from '../../lab/places.js';
import { endChild, hasEnded, spawnTied } from '../support/spawn.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';
import type { Authority } from './certificates.js';
import { environmentOf, inPlace } from './compose.js';
import { lowPort } from './low-port.js';

export interface WebUi {
  /** What the pages ask the UI's own server, parsed. */
  ask(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** The Web UI as docker-compose.yml starts it, on loopback here: its image listens everywhere inside of its container. */
export async function startWebUi(address: string, authority: Authority): Promise<WebUi> {
  const binary = webUiPath();
  if (binary === undefined) throw new Error("no Web UI: guard the test with needs('web-ui')");
  const folder = temporaryFolder('web-ui');
  mkdirSync(join(folder, 'config'));
  const template = readFileSync(join(dirname(binary), 'config/docker.yaml'), 'utf8');
  writeFileSync(join(folder, 'config/docker.yaml'), `${template}\nhost: 127.0.0.1\n`);
  const port = await lowPort();
  const logFile = join(folder, 'ui.log');
  const log = openSync(logFile, 'a');
  const child = spawnTied(binary, ['--env', 'docker', 'start'], {
    env: {
      ...inPlace(environmentOf('temporal-ui', { tls: true }), authority.folder),
      TEMPORAL_ADDRESS: address,
      TEMPORAL_UI_PORT: port,
    },
    cwd: folder,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ask = async (path: string): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 300)}`);
    return JSON.parse(text);
  };
  const ready = async () => hasEnded(child) || (await ask('/api/v1/settings')) !== undefined;
  await waitFor(ready, { timeoutMs: 60_000, what: 'the Web UI' });
  if (hasEnded(child)) throw new Error(`the Web UI ended: ${readFileSync(logFile, 'utf8').slice(-500)}`);
  return { ask, stop: () => endChild(child) };
}
