import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { StatusRow } from '../../cli/status-model.js';
import type { RunRow } from '../../cli/visibility.js';
import { hostQueue, workflowQueue } from '../../contracts/names.js';
import { createLog } from '../../system/log.js';
import { bundle } from '../../workers/bundle.js';
import { installRuntime } from '../../workers/runtime.js';
import { startHoldfast } from '../support/children.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { temporaryFolder } from '../support/temp.js';
import { startTestServer, type TestServer } from '../support/temporal-server.js';
import { waitFor } from '../support/wait.js';
import { type Ended, holdfast, type Surroundings } from './command-line.js';

const skip = needs('temporal');
const timeoutMs = 30_000;
const jobs = ['fine', 'warns', 'implausible', 'damaged', 'slow', 'flaky', 'idle'];

const configFor = (address: string): string => `temporal: { address: "${address}" }
hosts: { nas: {}, attic: {} }
resources: { photos: { host: nas, directory: /srv/photos }, notes: { host: attic, directory: /srv/notes } }
stores:
  disk: { restic: { repository: /r1, password: { file: /k } } }
  there: { restic: { repository: /r2, password: { file: /k } } }
jobs:
${jobs.map((job) => `  ${job}: { kind: restic-backup, resources: [photos], store: disk, objective: { rpo: 26h }, schedule: { cron: "30 3 1 1 *" } }`).join('\n')}
  unheard: { kind: restic-backup, resources: [notes], store: disk, objective: { rpo: 26h } }
`;

describe('the command line with a Temporal server and invented procedures', { skip }, () => {
  let server: TestServer;
  let native: NativeConnection;
  const workers: Worker[] = [];
  let running: Promise<unknown>;
  const folder = temporaryFolder();
  const config = join(folder, 'holdfast.yaml');
  let flakyAttempts = 0;

  const run = (...argv: string[]): Promise<Ended> => holdfast(argv, { config, stateFolder: folder });
  const runAs = (around: Surroundings, ...argv: string[]): Promise<Ended> =>
    holdfast(argv, { config, stateFolder: folder, ...around });
  const child = (...args: string[]) =>
    startHoldfast(args, { HOLDFAST_CONFIG: config, HOLDFAST_STATE: folder });
  const rowsOf = async (job: string): Promise<RunRow[]> => JSON.parse((await run('runs', job, '--json')).out);
  const statusOf = async (name: string): Promise<StatusRow | undefined> =>
    (JSON.parse((await run('status', '--json')).out) as StatusRow[]).find((row) => row.name === name);
  const cancelled = async (started: string): Promise<void> => {
    assert.equal((await run('cancel', started)).exit, 0);
    await waitFor(async () => (await run('show', started, '--json')).out.includes('"state": "cancelled"'), {
      timeoutMs,
      what: `${started} to be cancelled`,
    });
  };

  before(async () => {
    installRuntime(createLog('test', 'fatal'));
    server = await startTestServer({ databaseFile: join(folder, 'temporal.db') });
    writeFileSync(config, configFor(server.address));
    const codePath = join(folder, 'bundle.js');
    await bundle(fileURLToPath(new URL('./fake-workflows.js', import.meta.url)), codePath);
    native = await NativeConnection.connect({ address: server.address });
    const { namespace } = server;
    const useTool = async (job: string): Promise<void> => {
      if (job !== 'flaky' || flakyAttempts++ > 0) return;
      throw ApplicationFailure.create({
        type: 'HF_STORE_UNREACHABLE',
        message: 'The store "disk" does not answer',
      });
    };
    const common = { connection: native, namespace };
    workers.push(await Worker.create({ ...common, taskQueue: workflowQueue, workflowBundle: { codePath } }));
    workers.push(await Worker.create({ ...common, taskQueue: hostQueue('nas'), activities: { useTool } }));
    running = Promise.all(workers.map((worker) => worker.run()));
  });

  after(async () => {
    for (const worker of workers) worker.shutdown();
    await running;
    await native?.close();
    await server?.stop();
  });

  test('status says "not applied" before apply, and apply twice changes nothing', async () => {
    assert.equal((await statusOf('fine'))?.schedule, 'not applied');
    assert.equal((await statusOf('unheard'))?.schedule, 'by hand');
    const plan = await run('plan');
    assert.match(plan.out, /^\+ hf-fine/m);
    assert.equal(plan.exit, 0);
    assert.match((await run('apply')).out, /^hf-fine: created$/m);
    const again = await run('apply');
    assert.doesNotMatch(again.out, /created|updated/);
    assert.equal(again.exit, 0);
    await waitFor(async () => (await statusOf('fine'))?.schedule === 'active', {
      timeoutMs,
      what: 'the schedule',
    });
    assert.ok((await statusOf('fine'))?.next);
  });

  test('pause shows its note in status until resume', async () => {
    assert.equal((await run('pause', 'idle', '--note', 'disk is being replaced')).exit, 0);
    await waitFor(async () => (await statusOf('idle'))?.note === 'disk is being replaced', {
      timeoutMs,
      what: 'a pause',
    });
    assert.match((await run('status', 'idle')).out, /paused: disk is being replaced/);
    assert.equal((await run('resume', 'idle')).exit, 0);
    await waitFor(async () => (await statusOf('idle'))?.schedule === 'active', {
      timeoutMs,
      what: 'the resume',
    });
  });

  test('run without --follow prints the RUN and how to follow it', async () => {
    const { out, exit } = await run('run', 'idle');
    const started = runIn(out);
    assert.match(out, new RegExp(`follow it: holdfast show ${started} --follow`));
    assert.equal(exit, 0);
    assert.equal((await run('show', started, '--follow')).exit, 0);
  });

  const endings: [job: string, exit: number, out: RegExp, notes: RegExp][] = [
    ['fine', 0, /: done$[\s\S]*3 files copied/m, /^$/],
    ['warns', 6, /: done with warnings$[\s\S]*warning: a file could not be read/m, /^$/],
    ['implausible', 5, /: refused$/m, /holds 3 files, the last one 900\nnext: .*--accept-counts/],
    ['damaged', 1, /: failed$/m, /found damage in the repository "disk"\nnext: Do not prune/],
  ];
  for (const [job, exit, out, notes] of endings) {
    test(`run ${job} --follow ends with ${exit} and says why`, async () => {
      const ended = await run('run', job, '--follow');
      assert.match(ended.out, out);
      assert.match(ended.notes, notes);
      assert.equal(ended.exit, exit);
      const shown = await run('show', runIn(ended.out));
      assert.equal(shown.exit, 0);
      assert.match(shown.out, job === 'fine' ? /abcdef012345/ : /state/);
    });
  }

  test('run --follow --json prints nothing but one object', async () => {
    const { out, exit } = await run('run', 'fine', '--follow', '--json');
    const { outcome, copies, run: started } = JSON.parse(out);
    assert.equal(outcome, 'ok');
    assert.equal(copies[0].files, 3);
    assert.equal(runIn(started), started);
    assert.equal(exit, 0);
  });

  test('status tells good runs from bad ones', async () => {
    await waitFor(async () => (await rowsOf('damaged'))[0]?.state === 'failed', {
      timeoutMs,
      what: 'the failed run',
    });
    const fine = await statusOf('fine');
    assert.equal(fine?.level, 'green');
    assert.equal(fine?.lastState, 'ok');
    const damaged = await statusOf('damaged');
    assert.equal(damaged?.level, 'red');
    assert.equal(damaged?.goodRun, undefined);
    const check = await run('status', '--check');
    assert.match(check.notes, /overdue: .*damaged/);
    assert.equal(check.exit, 1);
    assert.equal((await run('status', 'fine', '--check')).exit, 0);
  });

  test('an attempt that failed is shown with its reason', async () => {
    const { out, exit } = await run('run', 'flaky', '--follow');
    assert.match(out, /attempt 1 failed: The store "disk" does not answer/);
    assert.equal(exit, 0);
  });

  test('a second run of one operation is refused and the first one named; cancel ends it', async () => {
    const first = runIn((await run('run', 'slow')).out);
    await waitFor(async () => (await rowsOf('slow'))[0]?.state === 'running', {
      timeoutMs,
      what: 'the first run',
    });
    const second = await run('run', 'slow');
    assert.match(second.notes, new RegExp(`running already: ${first}`));
    assert.equal(second.exit, 5);
    await cancelled(first);
    assert.equal((await run('show', first, '--follow')).exit, 1);
    assert.match((await run('cancel', first)).out, /has ended already/);
  });

  test('status names the host whose worker is missing', async () => {
    const started = runIn((await run('run', 'unheard')).out);
    const wait = await waitFor(async () => (await statusOf('unheard'))?.waiting, {
      timeoutMs,
      what: 'a wait',
    });
    assert.equal(wait, 'waiting for a worker of host attic');
    assert.match((await run('show', started)).out, /waiting for a worker of host attic/);
    const logs = await run('logs', started);
    assert.match(logs.notes, /No worker of host attic answers/);
    assert.equal(logs.exit, 4);
    await cancelled(started);
  });

  test('logs asks the host when this machine has none', async () => {
    const [row] = await rowsOf('fine');
    assert.deepEqual((await run('logs', row?.run ?? '', '--lines', '7')).out, `7 lines of ${row?.run}`);
  });

  test('init-store follows to the end and refuses a store that is there', async () => {
    assert.match((await run('init-store', 'disk', '--host', 'nas')).out, /disk created/);
    assert.equal((await run('init-store', 'there', '--host', 'nas')).exit, 5);
  });

  describe('a restore', () => {
    const restore = ['restore', 'fine', '--to', 'nas:/tmp/new folder'];

    test('with --yes is carried out and says what was verified and what not', async () => {
      const { out, exit } = await run(...restore, '--at', '2026-11-19T12:00:00Z', '--yes');
      assert.match(out, /^as of .* \(2026-11-19T12:00:00\.000Z\)$/m);
      assert.match(out, /^verified: content, owner$/m);
      assert.match(out, /^not verified: holes$/m);
      assert.equal(exit, 0);
    });

    test('without a terminal and without --yes shows its plan and is denied', async () => {
      const { out, notes, exit } = await run(...restore);
      assert.match(out, /^target {5}\/tmp\/new folder$/m);
      assert.match(out, /^digest {5}a1b2c3$/m);
      assert.match(notes, /nothing was changed\nnext: Give --yes/);
      assert.equal(exit, 5);
      assert.match((await run('show', runIn(out))).out, /HF_NOT_APPROVED/);
    });

    for (const [answer, exit] of [
      ['yes', 0],
      ['no', 5],
    ] as const) {
      test(`on a terminal ends with ${exit} after the answer ${answer}`, async () => {
        assert.equal((await runAs({ interactive: true, answer }, ...restore)).exit, exit);
      });
    }

    test('that was left unanswered is approved by its digest alone', async () => {
      const left = await runAs({ interactive: true, answer: 'interrupted' }, ...restore);
      assert.equal(left.exit, 130);
      const waiting = runIn(left.notes);
      assert.match(
        (await run('show', waiting)).out,
        new RegExp(`say yes: holdfast approve ${waiting} --digest .`),
      );
      assert.equal((await run('approve', waiting, '--digest', 'other')).exit, 5);
      assert.match((await run('approve', waiting, '--digest', 'a1b2c3')).out, /approved; see it end/);
      assert.equal((await run('show', waiting, '--follow')).exit, 0);
      assert.equal((await run('deny', waiting)).exit, 3);
    });

    for (const approval of [['--yes'], []]) {
      test(`of a copy that is not there ends with 3 ${approval.length > 0 ? 'with' : 'without'} --yes`, async () => {
        const { notes, exit } = await run(...restore, '--copy', 'beef', ...approval);
        assert.match(notes, /There is no copy beef/);
        assert.equal(exit, 3);
      });
    }
  });

  test('a run that Temporal does not know ends with 3, a namespace that it does not know with 4', async () => {
    for (const verb of ['show', 'cancel', 'approve', 'deny', 'logs'])
      assert.equal((await run(verb, 'nothing-2026-01-01T00:00:00Z')).exit, 3, verb);
    const other = join(folder, 'other.yaml');
    writeFileSync(
      other,
      `temporal: { address: "${server.address}", namespace: elsewhere }\nhosts: { nas: {} }\n`,
    );
    const { notes, exit } = await runAs({ config: other }, 'runs');
    assert.match(notes, /namespace/);
    assert.equal(exit, 4);
  });

  test('Ctrl-C ends the showing with 130 and lets the run go on', async () => {
    const following = child('run', 'slow', '--follow');
    const started = runIn(await following.waitForLine(/started/, timeoutMs));
    await following.waitForLine(/copy: started/, timeoutMs);
    const ended = await following.stop('SIGINT');
    assert.equal(ended.code, 130);
    assert.match(ended.stderr, new RegExp(`${started} goes on`));
    assert.equal((await rowsOf('slow'))[0]?.state, 'running');
    await cancelled(started);
  });

  test('a Temporal that is killed meanwhile is said once, and the following goes on', async () => {
    const following = child('run', 'slow', '--follow');
    const started = runIn(await following.waitForLine(/started/, timeoutMs));
    await following.waitForLine(/copy: started/, timeoutMs);
    await server.kill9();
    await following.waitForLine(/Temporal does not answer; the run is not lost/, 60_000);
    await server.restart();
    await following.waitForLine(/Temporal answers again/, 60_000);
    await cancelled(started);
    const ended = await following.exit;
    assert.equal(ended.stdout.match(/does not answer/g)?.length, 1);
    assert.equal(ended.code, 1);
  });
});
