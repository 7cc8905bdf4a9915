import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { hostQueue, workflowQueue, workflowTypes } from '../../contracts/names.js';
import { createLog } from '../../system/log.js';
import { bundle } from '../../workers/bundle.js';
import { installRuntime } from '../../workers/runtime.js';
import { makeTree } from '../support/data.js';
import { type Estate, evidenceOf, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';

/** Who reaches the Temporal port can start anything; each host still does only what its own file allows. */

const limits = { deadHostAfterMs: 5_000, retryForMs: 1_000, giveUpAfterMs: 60_000 };
const minute = (count: number): string => `2026-11-20T03:${String(count).padStart(2, '0')}:00Z`;

describe('a stranger on the Temporal port', { skip: needs('temporal', 'restic') }, () => {
  let estate: Estate;
  let stranger: Worker;
  let running: Promise<void>;
  let native: NativeConnection;
  let count = 0;
  const outside = temporaryFolder('outside');

  before(async () => {
    installRuntime(createLog('stranger', 'fatal'));
    estate = await startEstate();
    makeTree(estate.source, { files: 10, bytes: 100_000, seed: 1, odd: false });
    assert.equal((await estate.holdfast('init-store', 'vault')).code, 0);
    const first = await estate.holdfast('run', 'photos-offsite', '--follow');
    assert.equal(first.code, 0, first.stdout + first.stderr);
    mkdirSync(join(estate.folder, 'restores'));
    symlinkSync(outside, join(estate.folder, 'restores', 'link'));
    const codePath = join(temporaryFolder(), 'bundle.js');
    await bundle(fileURLToPath(new URL('./stranger-workflows.js', import.meta.url)), codePath);
    native = await NativeConnection.connect({ address: estate.server.address });
    stranger = await Worker.create({
      connection: native,
      namespace: 'holdfast',
      taskQueue: 'stranger',
      workflowBundle: { codePath },
    });
    running = stranger.run();
  });
  after(async () => {
    stranger?.shutdown();
    await running;
    await native?.close();
    await estate?.stop();
  });

  /** How it was refused: the code, and words that say nothing of the machine beyond them. */
  const refusal = async (result: Promise<unknown>): Promise<ApplicationFailure> => {
    const error = await result.then(
      (value) => assert.fail(`it was done: ${JSON.stringify(value)}`),
      (failed: unknown) => failed,
    );
    assert(error instanceof WorkflowFailedError, String(error));
    let cause: unknown = error.cause;
    while (cause instanceof Error && !(cause instanceof ApplicationFailure)) cause = cause.cause;
    assert(cause instanceof ApplicationFailure, String(error.cause));
    assert(cause.message.length < 3_000, `${cause.message.length} characters`);
    return cause;
  };
  const workflow = (type: string, name: string, input: object): Promise<unknown> => {
    count += 1;
    return estate.client.workflow.execute(type, {
      taskQueue: workflowQueue,
      workflowId: `${name}-${minute(count)}`,
      args: [{ limits, ...input }],
      workflowExecutionTimeout: '90s',
    });
  };
  const step = (
    name: string,
    input: (run: string) => object,
    workflowName = 'photos-offsite',
  ): Promise<unknown> => {
    count += 1;
    const run = `${workflowName}-${minute(count)}`;
    return estate.client.workflow.execute('askForStep', {
      taskQueue: 'stranger',
      workflowId: run,
      args: [hostQueue('nas'), name, { run, retryForMs: 1_000, ...input(run) }],
      workflowExecutionTimeout: '90s',
    });
  };
  const copiesProved = (): number => evidenceOf(estate).filter(({ kind }) => kind === 'copy').length;

  const backup = {
    job: 'photos-offsite',
    operation: 'backup',
    stores: ['vault'],
    sources: [{ resource: 'photos', host: 'nas' }],
  };
  for (const [what, change] of [
    ['a job that is not in the file', { job: 'everything' }],
    ['a path in place of a resource', { sources: [{ resource: '../../etc', host: 'nas' }] }],
    ['a store that the job does not use', { stores: ['/tmp/stolen'] }],
    ['a job called like a part of every object', { job: '__proto__' }],
    ['a name of a megabyte', { job: 'x'.repeat(1_000_000) }],
  ] as const) {
    test(`cannot back up ${what}`, async () => {
      const before = copiesProved();
      const refused = await refusal(
        workflow(workflowTypes.backupRestic, 'photos-offsite', { ...backup, ...change }),
      );
      assert.match(String(refused.type), /HF_NOT_IN_CONFIG/);
      assert.equal(copiesProved(), before);
    });
  }

  const restore = {
    job: 'photos-offsite',
    resource: 'photos',
    host: 'nas',
    store: 'vault',
    paths: [],
    approved: true,
  };
  for (const [what, change, code] of [
    ['into /etc', { target: '/etc/holdfast-stranger' }, 'HF_TARGET_REFUSED'],
    ['out of /tmp by ..', { target: '/tmp/../etc/holdfast-stranger' }, 'HF_TARGET_REFUSED'],
    ['beside the state folder', { target: '/var/holdfast-stranger' }, 'HF_TARGET_REFUSED'],
    ['to a relative place', { target: 'holdfast-stranger' }, 'HF_TARGET_REFUSED'],
    [
      'to a name with a line break in front of a path',
      { target: '\n/etc/holdfast-stranger' },
      'HF_TARGET_REFUSED',
    ],
    [
      'paths outside of the resource',
      { target: '/tmp/holdfast-stranger', paths: ['../../etc'] },
      'HF_PATH_NOT_FOUND',
    ],
    [
      'an option in place of a copy',
      { target: '/tmp/holdfast-stranger', copy: '--password-command=id' },
      'HF_COPY_NOT_FOUND',
    ],
    ['of a moment that is none', { target: '/tmp/holdfast-stranger', at: 'yesterday; rm -rf /' }, undefined],
    [
      'with owners of his choice',
      { target: '/tmp/holdfast-stranger', mapIds: ['uid=1000:0:1'] },
      'HF_TARGET_REFUSED',
    ],
    [
      'of a resource of nobody',
      { target: '/tmp/holdfast-stranger', resource: 'passwords' },
      'HF_NOT_IN_CONFIG',
    ],
  ] as const) {
    test(`cannot restore ${what}`, async () => {
      const refused = await refusal(
        workflow(workflowTypes.restoreRestic, 'photos-offsite.restore', { ...restore, ...change }),
      );
      if (code) assert.equal(refused.type, code, refused.message);
      assert.equal(existsSync('/etc/holdfast-stranger'), false);
      assert.equal(existsSync('/var/holdfast-stranger'), false);
      assert.equal(existsSync('/tmp/holdfast-stranger'), false);
    });
  }

  test('cannot restore through a link that leaves the allowed folder for one that is not', async () => {
    estate.configure((config) => {
      config.hosts.nas.restore = [join(estate.folder, 'restores')];
    });
    // Everything of this test lies below /tmp, which is allowed: only the end of the link is not.
    symlinkSync('/proc/sys', join(estate.folder, 'restores', 'proc'));
    const target = join(estate.folder, 'restores', 'proc', 'x');
    const refused = await refusal(
      workflow(workflowTypes.restoreRestic, 'photos-offsite.restore', { ...restore, target }),
    );
    assert.match(String(refused.type), /^HF_TARGET_REFUSED$/);
  });

  test('cannot work for a run that is not his workflow', async () => {
    const input = {
      job: 'photos-offsite',
      resource: 'photos',
      store: 'vault',
      run: 'photos-offsite-2020-01-01T00:00:00Z',
    };
    assert.equal((await refusal(step('resticBackup', () => input))).type, 'HF_NOT_IN_CONFIG');
  });

  test("cannot write a run's tag for another job", async () => {
    const input = { job: 'photos-offsite', resource: 'photos', store: 'vault' };
    assert.equal((await refusal(step('resticBackup', () => input, 'another-job'))).type, 'HF_NOT_IN_CONFIG');
    assert.equal((await refusal(step('resticPrune', () => input, 'another-job'))).type, 'HF_NOT_IN_CONFIG');
  });

  for (const run of [
    '../../../etc/passwd',
    '../evidence',
    '..%2f..%2fetc/passwd',
    'photos-offsite-2020-01-01T00:00:00Z/../x',
    '',
  ]) {
    test(`cannot read ${run || 'nothing'} as the log of a run`, async () => {
      assert.equal(
        (await refusal(step('hostReadRunLog', () => ({ run, lines: 10 })))).type,
        'HF_RUN_NOT_FOUND',
      );
    });
  }

  test('cannot have anything put back that the host has not recorded itself', async () => {
    const before = evidenceOf(estate).length;
    await step('hostPutBack', () => ({ run: 'x-2020-01-01T00:00:00Z', what: 'container:$(id)' }));
    assert.equal(evidenceOf(estate).length, before);
  });

  test('cannot make a repository at an address of his', async () => {
    const refused = await refusal(
      workflow(workflowTypes.initialiseStore, 'vault.init', {
        store: '/tmp/holdfast-stranger-repository',
        host: 'nas',
      }),
    );
    assert.equal(refused.type, 'HF_NOT_IN_CONFIG');
    assert.equal(existsSync('/tmp/holdfast-stranger-repository'), false);
  });

  test('steps with no input, a list or a number are refused and the worker goes on', async () => {
    for (const input of [undefined, null, [], 7, 'text']) {
      count += 1;
      const result = estate.client.workflow.execute('askForStep', {
        taskQueue: 'stranger',
        workflowId: `photos-offsite-${minute(count)}`,
        args: [hostQueue('nas'), 'resticBackup', input],
        workflowExecutionTimeout: '60s',
      });
      await refusal(result);
    }
    assert.equal(estate.worker.running(), true);
  });

  test('after all of it a backup works as before, and nothing lies where it must not', async () => {
    writeFileSync(join(estate.source, 'new.txt'), 'new');
    const ended = await estate.holdfast('run', 'photos-offsite', '--follow');
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.deepEqual(readdirSync(outside), []);
  });
});
