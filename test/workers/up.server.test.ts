import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Connection } from '@temporalio/client';
import { stringify } from 'yaml';
import { type Ended, type HoldfastChild, startHoldfast } from '../support/children.js';
import { needs } from '../support/needs.js';
import { freePort } from '../support/spawn.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

/** `holdfast up` as an operator has it: the embedded server, its file, its end, and what a kill leaves. */

const readyWithinMs = 60_000;

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('holdfast up', { skip: needs('temporal', 'restic') }, () => {
  const folder = temporaryFolder('up');
  const state = join(folder, 'state folder');
  const env = { HOLDFAST_STATE: state, HOLDFAST_CONFIG: join(folder, 'holdfast.yaml') };
  const started: HoldfastChild[] = [];
  let port = 0;
  const start = (...args: string[]): HoldfastChild => {
    const child = startHoldfast(args, env);
    started.push(child);
    return child;
  };
  const holdfast = (...args: string[]): Promise<Ended> => start(...args).exit;
  const up = async (...args: string[]): Promise<HoldfastChild> => {
    const child = start('up', ...args);
    await child.waitForLine(/^Ready/, readyWithinMs);
    return child;
  };
  const serverPid = (): number => Number(readFileSync(join(state, 'temporal', 'server.pid'), 'utf8'));

  before(async () => {
    port = await freePort();
    const source = join(folder, 'photos');
    mkdirSync(source);
    writeFileSync(join(source, 'a.txt'), 'snow');
    writeFileSync(join(folder, 'key'), 'a password for tests');
    const config = {
      temporal: { embedded: { port, uiPort: await freePort() }, deadHostAfter: '3s' },
      hosts: { nas: {} },
      resources: { photos: { host: 'nas', directory: source } },
      stores: {
        disk: { restic: { repository: join(folder, 'repository'), password: { file: join(folder, 'key') } } },
      },
      jobs: {
        photos: {
          kind: 'restic-backup',
          resources: ['photos'],
          store: 'disk',
          schedule: { cron: '30 3 * * *' },
        },
      },
    };
    writeFileSync(env.HOLDFAST_CONFIG, stringify(config));
  });
  after(async () => {
    await Promise.all(started.filter((child) => child.running()).map((child) => child.stop('SIGKILL')));
    if (existsSync(join(state, 'temporal', 'server.pid')) && isAlive(serverPid()))
      process.kill(serverPid(), 'SIGKILL');
  });

  test('it starts server, worker and orchestrator, applies the schedules, and ends with 0 on SIGTERM, server included', async () => {
    const child = await up();
    assert(
      child.stdout.some((line) =>
        /^Web UI: http:\/\/127\.0\.0\.1:\d+\/namespaces\/holdfast\/workflows$/.test(line),
      ),
    );
    const planned = await holdfast('plan', '--json');
    assert.match(planned.stdout, /"kind":\s*"same"/);
    assert.equal((await holdfast('init-store', 'disk')).code, 0);
    const backup = await holdfast('run', 'photos', '--follow');
    assert.equal(backup.code, 0, backup.stdout + backup.stderr);
    // Write-ahead mode, and histories for 90 days.
    assert(readdirSync(join(state, 'temporal')).includes('temporal.db-wal'));
    const connection = await Connection.connect({ address: `127.0.0.1:${port}` });
    const { config } = await connection.workflowService.describeNamespace({ namespace: 'holdfast' });
    await connection.close();
    assert.equal(Number(config?.workflowExecutionRetentionTtl?.seconds), 90 * 86_400);
    const server = serverPid();
    const ended = await child.stop('SIGTERM');
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(isAlive(server), false);
  });

  test('a second one is refused, and the first goes on', async () => {
    const first = await up();
    const second = await holdfast('up');
    assert.equal(second.code, 5, second.stdout + second.stderr);
    assert.match(second.stderr, new RegExp(`pid ${first.pid}`));
    assert.match(second.stderr, /next: Use that one/);
    assert.equal((await holdfast('run', 'photos', '--follow')).code, 0);
    assert.equal((await first.stop('SIGTERM')).code, 0);
  });

  test('after SIGKILL the server is left running, and the next one takes it over with its history', async () => {
    const killed = await up();
    const server = serverPid();
    await killed.stop('SIGKILL');
    assert.equal(isAlive(server), true);
    const next = await up();
    assert.equal(serverPid(), server);
    const runs = await holdfast('runs', 'photos');
    assert.equal(runs.stdout.split('\n').filter((line) => line.includes('photos-')).length, 2);
    assert.equal((await holdfast('run', 'photos', '--follow')).code, 0);
    assert.equal((await next.stop('SIGTERM')).code, 0);
    assert.equal(isAlive(server), false);
  });

  test('a server that dies is started again, and runs go on', async () => {
    const child = await up();
    const server = serverPid();
    process.kill(server, 'SIGKILL');
    await waitFor(() => serverPid() !== server && isAlive(serverPid()), {
      timeoutMs: 30_000,
      what: 'a new server',
    });
    const run = await waitFor(
      async () => {
        const ended = await holdfast('run', 'photos', '--follow');
        return ended.code === 4 ? undefined : ended;
      },
      { timeoutMs: 60_000, what: 'the server to answer again' },
    );
    assert.equal(run.code, 0, run.stdout + run.stderr);
    assert.equal((await child.stop('SIGTERM')).code, 0);
  });

  test('a database of another server version is refused, and put aside only when asked', async () => {
    const versionFile = join(state, 'temporal', 'server-version');
    const version = readFileSync(versionFile, 'utf8');
    writeFileSync(versionFile, 'server 1.28.0\n');
    const refused = await holdfast('up');
    assert.equal(refused.code, 5, refused.stdout + refused.stderr);
    assert.match(refused.stderr, /server 1\.28\.0.*history of runs/);
    assert.match(refused.stderr, /--recreate-database/);
    const child = await up('--recreate-database');
    assert.equal(readFileSync(versionFile, 'utf8'), version);
    assert(readdirSync(join(state, 'temporal')).some((name) => name.startsWith('temporal.db.of-')));
    assert.equal((await child.stop('SIGTERM')).code, 0);
  });

  test('a port that another program has is told, also when that is a server of Temporal', async () => {
    const first = await up();
    const other = startHoldfast(['up'], { ...env, HOLDFAST_STATE: join(folder, 'other state') });
    started.push(other);
    const ended = await other.exit;
    assert.equal(ended.code, 4, ended.stdout + ended.stderr);
    assert.match(ended.stderr, new RegExp(`Another program uses the port ${port} of 127.0.0.1`));
    assert.match(ended.stderr, /next: .*temporal\.embedded\.port/);
    assert.equal((await first.stop('SIGTERM')).code, 0);
  });
});
