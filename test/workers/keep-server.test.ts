import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { HoldfastError } from '../../contracts/errors.js';
import { freePort } from '../../system/free-port.js';
import { createLog } from '../../system/log.js';
import { keepServer } from '../../workers/keep-server.js';
import { type EmbeddedServer, startServer } from '../../workers/server.js';
import { configOf } from '../schedules/example.js';
import { temporaryFolder } from '../support/temp.js';

const log = createLog('test', 'fatal');

/** A server that ends when it is told to. */
function played(): EmbeddedServer & { die(): void } {
  let die = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    die = resolve;
  });
  return { daemon: { pid: 1, ended }, adopted: false, die };
}

describe('the embedded server', () => {
  test('that cannot be started again is tried some times, and then is lost with the reason', async () => {
    const first = played();
    const starts: boolean[] = [];
    const server = await keepServer(
      {
        start: async (isFirst) => {
          starts.push(isFirst);
          if (isFirst) return first;
          throw new HoldfastError('HF_DATABASE_OTHER_VERSION', `start ${starts.length}`);
        },
        stop: async () => assert.fail('there is nothing to stop'),
        pausesMs: [0, 0, 0],
      },
      log,
    );
    first.die();
    await server.lost;
    assert.deepEqual(starts, [true, false, false, false]);
    assert.match(String(server.reason()), /start 4/);
    await server.stop();
  });

  test('that ends by itself soon after each start is lost as well', async () => {
    const first = played();
    let starts = 0;
    const server = await keepServer(
      {
        start: async () => {
          starts += 1;
          if (starts === 1) return first;
          const next = played();
          next.die();
          return next;
        },
        stop: async () => assert.fail('there is nothing to stop'),
        pausesMs: [0, 0],
      },
      log,
    );
    first.die();
    await server.lost;
    assert.equal(starts, 3);
    assert.ok(server.reason() instanceof HoldfastError);
  });

  test('that comes back and stays may die again, and is given all its tries anew', async () => {
    const servers: ReturnType<typeof played>[] = [];
    let failures = 0;
    const server = await keepServer(
      {
        start: async () => {
          if (failures > 0) {
            failures -= 1;
            throw new Error('not yet');
          }
          servers.push(played());
          return servers.at(-1) ?? assert.fail();
        },
        stop: async (stopped) => (stopped as ReturnType<typeof played>).die(),
        pausesMs: [0, 0],
        settledAfterMs: -1,
      },
      log,
    );
    for (const round of [2, 3, 4, 5]) {
      failures = 1;
      servers.at(-1)?.die();
      while (servers.length < round) await new Promise(setImmediate);
    }
    assert.equal(server.current(), servers.at(-1));
    assert.equal(server.reason(), undefined);
    await server.stop();
  });

  test('is not started again once it is asked to stop, however long the pause', async () => {
    const first = played();
    let starts = 0;
    const server = await keepServer(
      {
        start: async () => {
          starts += 1;
          return first;
        },
        stop: async () => first.die(),
        pausesMs: [600_000],
      },
      log,
    );
    first.die();
    await new Promise(setImmediate);
    await server.stop();
    assert.equal(starts, 1);
  });
});

/** Of all programs that run, those that have this word among their arguments. */
const pidsWith = (argument: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(argument);
      } catch {
        return false;
      }
    })
    .map(Number);

test('a server whose number cannot be written down is not left running for nobody', async () => {
  const stateFolder = temporaryFolder('server');
  const binary = join(stateFolder, 'temporal');
  const script =
    '#!/bin/sh\n[ "$1" = --version ] && echo "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)" && exit\nwhile :; do sleep 1; done\n';
  writeFileSync(binary, script);
  chmodSync(binary, 0o700);
  // A folder in its place: it can be neither read nor replaced.
  mkdirSync(join(stateFolder, 'temporal-state'));
  const state = join(stateFolder, 'temporal-state');
  mkdirSync(join(state, 'temporal', 'server.pid', 'x'), { recursive: true });
  const ports = `{ port: ${await freePort()}, uiPort: ${await freePort()} }`;
  const config = configOf(`temporal: { embedded: ${ports} }\nhosts: { nas: {} }\n`);
  await assert.rejects(startServer({ binary, stateFolder: state, config }));
  const left = pidsWith(join(state, 'temporal', 'temporal.db'));
  for (const pid of left) process.kill(pid, 'SIGKILL');
  assert.deepEqual(left, []);
});
