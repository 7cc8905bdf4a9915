import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Ended, type HoldfastChild, startHoldfast } from '../support/children.js';
import { plainConfig } from '../support/plain-config.js';
import { temporaryFolder } from '../support/temp.js';

/** One host with one job against a server that somebody else started: what differs is only the address and the environment. */
export interface House {
  folder: string;
  source: string;
  env: Readonly<Record<string, string | undefined>>;
  holdfast(...args: string[]): Promise<Ended>;
  /** The same command with other variables. */
  holdfastWith(env: Readonly<Record<string, string | undefined>>, ...args: string[]): HoldfastChild;
  startWorkers(): Promise<void>;
  stop(): Promise<void>;
}

/** Variables of the machine that runs the tests must not decide which server is used. */
const noneOfTheirs = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('TEMPORAL_'))
    .map((name) => [name, undefined]),
);

/** `address` undefined leaves it to the environment (TEMPORAL_ADDRESS). */
export function makeHouse(address: string | undefined, tls: Readonly<Record<string, string>>): House {
  const folder = temporaryFolder('house');
  const source = join(folder, 'photos');
  mkdirSync(source);
  writeFileSync(join(source, 'a picture.txt'), 'waves');
  writeFileSync(join(folder, 'password'), 'sea wall\n', { mode: 0o600 });
  writeFileSync(
    join(folder, 'holdfast.yaml'),
    stringify(plainConfig({ folder, source, repository: join(folder, 'repository'), address })),
  );
  const state = { HOLDFAST_STATE: join(folder, 'state'), HOLDFAST_CONFIG: join(folder, 'holdfast.yaml') };
  const env = { ...noneOfTheirs, ...state, HOLDFAST_LOG: 'info', ...tls };
  const started: HoldfastChild[] = [];
  const start = (args: string[], change: House['env'] = {}): HoldfastChild => {
    const child = startHoldfast(args, { ...env, ...change });
    started.push(child);
    return child;
  };
  return {
    folder,
    source,
    env,
    holdfast: (...args) => start(args).exit,
    holdfastWith: (change, ...args) => start(args, change),
    async startWorkers() {
      const orchestrator = start(['orchestrator']);
      const worker = start(['worker', '--host', 'nas']);
      await orchestrator.waitForLine('orchestrator runs', 60_000);
      await worker.waitForLine('worker runs', 60_000);
    },
    async stop() {
      const running = started.filter((child) => child.running());
      await Promise.all(running.map((child) => child.stop('SIGKILL')));
    },
  };
}
