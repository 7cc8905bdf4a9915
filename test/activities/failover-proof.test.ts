import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { openUndos } from '../../activities/host/undo.js';
import { promoteReplica } from '../../activities/zfs/failover-promote.js';
import { proveOff } from '../../activities/zfs/failover-proof.js';
import { planFailoverStep } from '../../activities/zfs/failover-stop.js';
import { parseConfig } from '../../config/load.js';
import { localHost } from '../../system/local-host.js';
import { isAlive } from '../support/alive.js';
import { fakeMachine } from '../support/fake-trees.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

/** Whether a silent machine is off is asked of a program of the operator's own. */

const job = 'vms-to-grogu';
const run = `${job}.failover-2026-11-20T03:00:00Z`;
const step = { job, run, resource: 'vms', store: 'grogu', retryForMs: 0, settings: {} };

const configWith = (proveOffKey: object | undefined) => {
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: {
        din: { ssh: { user: 'root', address: 'din.lan' }, ...(proveOffKey && { proveOff: proveOffKey }) },
        grogu: { ssh: { user: 'root', address: 'grogu.lan' } },
      },
      resources: { vms: { host: 'din', dataset: 'fast/vms' } },
      stores: { grogu: { zfs: { host: 'grogu', dataset: 'backup' } } },
      jobs: { [job]: { kind: 'zfs-replication', resources: ['vms'], store: 'grogu', snapshots: 'all' } },
    }),
    '/holdfast.yaml',
  );
  assert(config, JSON.stringify(mistakes));
  return config;
};

describe('the program', () => {
  const folder = temporaryFolder();
  const host = localHost({ name: 'grogu', stateFolder: join(folder, 'state') });
  const asked = (command: string[] | undefined, timeout = '20s', signal = new AbortController().signal) => {
    const config = configWith(command && { command, timeout });
    const quiet = () => undefined;
    return proveOff({ host, config, signal, progress: quiet, log: quiet } as unknown as Tools, 'din');
  };

  test('proves it only by ending with 0; its words are shown', async () => {
    assert.equal(await asked(undefined), undefined);
    assert.deepEqual(await asked(['true']), {
      isOff: true,
      words: 'hosts.din.proveOff on "grogu" proves that it is off',
    });
    // What it prints is never read for an answer.
    const on = await asked(['sh', '-c', 'echo Chassis Power is off; echo Chassis Power is on >&2; exit 3']);
    assert.deepEqual(on, {
      isOff: false,
      words: 'hosts.din.proveOff on "grogu" does not prove it: exit 3: Chassis Power is on',
    });
  });

  test('runs on the worker, also where the machine of the replica is one that it drives', async () => {
    const driven = { name: 'grogu', driver: localHost({ name: 'nas', stateFolder: join(folder, 'nas') }) };
    const config = configWith({ command: ['true'] });
    const { signal } = new AbortController();
    const tools = { host: driven, config, signal, progress: () => undefined, log: () => undefined };
    assert.deepEqual(await proveOff(tools as unknown as Tools, 'din'), {
      isOff: true,
      words: 'hosts.din.proveOff on "nas" proves that it is off',
    });
  });

  test('that is missing, or dies, proves nothing', async () => {
    for (const command of [[join(folder, 'nothing')], ['sh', '-c', 'kill -9 $$']])
      assert.equal((await asked(command))?.isOff, false, command.join(' '));
  });

  test('that hangs is ended after its time, with all that it has started', async () => {
    const pid = join(folder, 'pid');
    const proof = await asked(['sh', '-c', `sleep 600 & echo $! > ${pid}; wait`], '1s');
    assert.equal(proof?.isOff, false);
    assert.match(proof?.words ?? '', /it took longer than 1 s/);
    assert(existsSync(pid));
    await waitFor(() => !isAlive(Number(readFileSync(pid, 'utf8'))), {
      timeoutMs: 10_000,
      what: 'what it had started to be gone',
    });
  });

  test('is no answer when the step is cancelled', async () => {
    await assert.rejects(asked(['sleep', '600'], '20s', AbortSignal.timeout(200)));
  });
});

describe('a failover whose source is silent', () => {
  const scene = () => {
    const grogu = fakeMachine('grogu', ['backup/vms']);
    grogu.trees.get('backup/vms')?.snapshots.set('one', '4711');
    const din = fakeMachine('din', []);
    din.isOff = true;
    const config = configWith({ command: ['is-off', 'din'] });
    const quiet = () => undefined;
    const tools = {
      ...{ host: grogu.host, machine: () => din.host, config, run, attempt: 1 },
      ...{ signal: new AbortController().signal, progress: quiet, log: quiet },
    } as unknown as Tools;
    return { grogu, din, tools };
  };

  test('takes over on the proof, which is asked for again right before', async () => {
    const { grogu, tools } = scene();
    const { digest, source } = await planFailoverStep(tools, step);
    assert.deepEqual([source, grogu.ran], ['silent', ['is-off din']]);
    await promoteReplica(tools, { ...step, digest, source });
    assert(grogu.ran.length > 1, 'it was not asked again');
    assert.match(grogu.trees.get('backup/vms')?.properties['holdfast:role'] ?? '', /^promoted /);
  });

  test('does not touch the replica when the proof no longer holds', async () => {
    const { grogu, tools } = scene();
    const { digest } = await planFailoverStep(tools, step);
    grogu.answer = async () => ({ exitCode: 1, stderrTail: 'Chassis Power is on\n' });
    await assert.rejects(promoteReplica(tools, { ...step, digest, source: 'silent' }), {
      code: 'HF_SOURCE_NOT_OFF',
      message: /Chassis Power is on.*Nothing was changed/,
    });
    assert.equal(grogu.trees.get('backup/vms')?.properties['holdfast:role'], undefined);
    assert.deepEqual(await openUndos(grogu.host, run), []);
  });

  test('asks for no proof of one that answers', async () => {
    const { grogu, din, tools } = scene();
    din.isOff = false;
    din.trees.set('fast/vms', { properties: { readonly: 'off' }, snapshots: new Map([['one', '4711']]) });
    assert.equal((await planFailoverStep(tools, step)).source, 'answers');
    assert.deepEqual(grogu.ran, []);
  });
});
