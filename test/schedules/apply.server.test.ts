import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { Config } from '../../config/schema.js';
import { parseRunId, searchAttributes } from '../../contracts/names.js';
import { applySchedules } from '../../schedules/apply.js';
import { compileSchedules } from '../../schedules/compile.js';
import { pauseJob, resumeJob } from '../../schedules/control.js';
import { ensureNamespaceReady } from '../../schedules/namespace.js';
import { listIds, observeSchedules } from '../../schedules/observe.js';
import { planSchedules, type ScheduleChange } from '../../schedules/plan.js';
import { needs } from '../support/needs.js';
import { startTestServer, type TestServer } from '../support/temporal-server.js';
import { waitFor } from '../support/wait.js';
import { configOf, example, exampleWith } from './example.js';

const main = 'hf-photos-offsite';
const [check, prune] = [`${main}.check`, `${main}.prune`];
const changedCron = (): Config => exampleWith(['"30 3 * * *"', '"0 4 * * *"']);

describe('schedules on a real server', { skip: needs('temporal') }, () => {
  let server: TestServer;
  let connection: Connection;

  before(async () => {
    server = await startTestServer({ searchAttributes: {} });
    connection = await Connection.connect({ address: server.address });
  });
  after(async () => {
    await connection?.close();
    await server?.stop();
  });

  /** Each test has a namespace of its own, so that none sees what another has left. */
  async function freshClient(name: string): Promise<Client> {
    await ensureNamespaceReady(connection, name);
    return new Client({ connection, namespace: name });
  }

  async function plan(client: Client, config: Config): Promise<ScheduleChange[]> {
    const desired = compileSchedules(config);
    return planSchedules(
      desired,
      await observeSchedules(
        client,
        desired.map(({ id }) => id),
      ),
    );
  }

  async function apply(client: Client, config: Config, options = { prune: false }) {
    const done = await applySchedules(client, await plan(client, config), options);
    return Object.fromEntries(done.map((each) => [each.id, each.done]));
  }

  const kinds = async (client: Client, config: Config) =>
    Object.fromEntries((await plan(client, config)).map(({ id, kind }) => [id, kind]));

  const allOf = <T>(value: T) => ({ [main]: value, [check]: value, [prune]: value });

  test('a namespace is made ready once: 90 days of history and our search attributes', async () => {
    const first = await ensureNamespaceReady(connection, 'ready');
    assert.deepEqual(first.warnings, []);
    assert.match(first.done.join('\n'), /namespace ready created\nsearch attributes added: HfJob, /);
    assert.deepEqual(await ensureNamespaceReady(connection, 'ready'), { done: [], warnings: [] });
    const { config } = await connection.workflowService.describeNamespace({ namespace: 'ready' });
    assert.equal(Number(config?.workflowExecutionRetentionTtl?.seconds), 90 * 86_400);
  });

  test('a namespace that exists has its retention raised and keeps what it has', async () => {
    const { done } = await ensureNamespaceReady(connection, server.namespace);
    assert.match(done.join('\n'), /retention of namespace holdfast \(\d+[dh]\) raised to 90d/);
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: server.namespace,
    });
    for (const name of Object.keys(searchAttributes)) assert.ok(customAttributes && name in customAttributes);
  });

  test('a search attribute of another type is refused by name', async () => {
    await connection.workflowService.registerNamespace({
      namespace: 'wrong-type',
      workflowExecutionRetentionPeriod: (
        await connection.workflowService.describeNamespace({ namespace: server.namespace })
      ).config?.workflowExecutionRetentionTtl,
    });
    const text = { namespace: 'wrong-type', searchAttributes: { HfJob: 1 } };
    await waitFor(() => connection.operatorService.addSearchAttributes(text).then(() => true), {
      timeoutMs: 30_000,
      what: 'the namespace to take a search attribute',
    });
    const listed = () => connection.operatorService.listSearchAttributes({ namespace: 'wrong-type' });
    await waitFor(async () => Object.hasOwn((await listed()).customAttributes ?? {}, 'HfJob'), {
      timeoutMs: 30_000,
      what: 'the search attribute to be listed',
    });
    await assert.rejects(ensureNamespaceReady(connection, 'wrong-type'), {
      code: 'HF_TEMPORAL_REFUSED',
      message: /Search attribute HfJob of namespace wrong-type has another type than KEYWORD/,
    });
  });

  test('apply makes all, a second apply changes nothing', async () => {
    const client = await freshClient('twice');
    assert.deepEqual(await kinds(client, example()), allOf('add'));
    assert.deepEqual(await apply(client, example()), allOf('created'));
    assert.deepEqual(await kinds(client, example()), allOf('same'));
    assert.deepEqual(await apply(client, example()), allOf('unchanged'));
  });

  test('the server has what was sent: workflow, input, policies, nothing started', async () => {
    const client = await freshClient('sent');
    await apply(client, example());
    const { action, policies, spec, info, typedSearchAttributes } = await client.schedule
      .getHandle(main)
      .describe();
    const [desired] = compileSchedules(example());
    assert.deepEqual(action.args, desired?.action.args);
    assert.equal(action.workflowId, 'photos-offsite');
    assert.equal(action.workflowExecutionTimeout, 31 * 86_400_000);
    assert.equal(action.staticSummary, 'restic backup of photos to b2-photos');
    assert.deepEqual(policies, { overlap: 'SKIP', catchupWindow: 43_200_000, pauseOnFailure: false });
    assert.deepEqual(
      [spec.timezone, spec.jitter, spec.calendars?.[0]?.comment],
      ['Europe/Berlin', 300_000, '30 3 * * *'],
    );
    assert.equal(info.numActionsTaken, 0);
    assert.deepEqual(
      typedSearchAttributes
        .getAll()
        .map(({ key, value }) => [key.name, value])
        .sort(),
      [
        ['HfCovers', 'photos>b2-photos@89b4b519'],
        ['HfHost', 'nas'],
        ['HfJob', 'photos-offsite'],
        ['HfOperation', 'backup'],
        ['HfTool', 'restic'],
      ],
    );
  });

  test('an operator’s pause, note and limit survive an apply that changes the spec', async () => {
    const client = await freshClient('pause');
    await apply(client, example());
    const handle = client.schedule.getHandle(main);
    await handle.update((previous) => ({
      ...previous,
      state: { paused: true, note: 'disk "swap" ä', remainingActions: 3 },
    }));
    assert.deepEqual(await kinds(client, example()), allOf('same'));
    assert.deepEqual(await apply(client, changedCron()), { ...allOf('unchanged'), [main]: 'updated' });
    const { state, spec } = await handle.describe();
    assert.deepEqual(state, { paused: true, note: 'disk "swap" ä', remainingActions: 3 });
    assert.equal(spec.calendars?.[0]?.hour[0]?.start, 4);
  });

  test('an edit by hand is found and mended', async () => {
    const client = await freshClient('edited');
    await apply(client, example());
    await client.schedule.getHandle(main).update((previous) => ({
      ...previous,
      spec: { ...previous.spec, timezone: 'Asia/Tokyo', intervals: [{ every: '1h' }] },
      policies: { ...previous.policies, pauseOnFailure: true },
    }));
    await client.schedule.getHandle(check).update((previous) => ({
      ...previous,
      action: {
        ...previous.action,
        memo: undefined,
        args: [],
        staticDetails: undefined,
        retry: { maximumAttempts: 2 },
      },
    }));
    const changes = await plan(client, example());
    assert.deepEqual(
      changes.map((change) => [
        change.kind,
        'fields' in change ? change.fields.map(({ field }) => field) : [],
      ]),
      [
        ['edited', ['timezone', 'extra']],
        ['edited', ['extra', 'input', 'details']],
        ['same', []],
      ],
    );
    await apply(client, example());
    assert.deepEqual(await kinds(client, example()), allOf('same'));
  });

  test('an orphan is reported, kept, and deleted with prune; foreign schedules are left alone', async () => {
    const client = await freshClient('orphan');
    await apply(client, example());
    for (const scheduleId of ['somebody-elses', 'hf-not-ours']) {
      await client.schedule.create({
        scheduleId,
        spec: { intervals: [{ every: '1d' }] },
        action: { type: 'startWorkflow', workflowType: 'other', taskQueue: 'other' },
      });
    }
    const smaller = exampleWith(
      ['    check: { cron: "0 7 * * *", parts: 30 }\n', ''],
      ['rpo: 26h, check: 35d', 'rpo: 26h'],
    );
    await waitFor(async () => (await listIds(client)).length === 4, {
      timeoutMs: 30_000,
      what: 'the list to be whole',
    });
    assert.deepEqual(await kinds(client, smaller), { ...allOf('same'), [check]: 'orphan' });
    assert.deepEqual(await apply(client, smaller), { ...allOf('unchanged'), [check]: 'kept' });
    assert.deepEqual(await apply(client, smaller, { prune: true }), {
      ...allOf('unchanged'),
      [check]: 'deleted',
    });
    assert.deepEqual(await kinds(client, smaller), { [main]: 'same', [prune]: 'same' });
    await assert.rejects(client.schedule.getHandle(check).describe(), ScheduleNotFoundError);
    assert.equal((await client.schedule.getHandle('hf-not-ours').describe()).action.workflowType, 'other');
    assert.equal((await client.schedule.getHandle('somebody-elses').describe()).action.workflowType, 'other');
  });

  test('a cron line with both day fields starts on either day, at the hour of its zone', async () => {
    const client = await freshClient('either');
    const config = exampleWith(['"30 3 * * *"', '"0 3 15 * mon"'], ['jitter: 5m', 'jitter: 0s']);
    await apply(client, config);
    const [schedule] = await observeSchedules(client, [main]);
    const wallClock = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'Europe/Berlin',
      weekday: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
    });
    const starts = (schedule?.nextActionTimes ?? []).map((time) =>
      Object.fromEntries(wallClock.formatToParts(new Date(time)).map(({ type, value }) => [type, value])),
    );
    assert.ok(starts.length >= 5);
    for (const { hour, minute, weekday, day } of starts) {
      assert.deepEqual([hour, minute], ['03', '00']);
      assert.ok(weekday === 'Mon' || day === '15', `starts on ${weekday} ${day}`);
    }
    assert.ok(
      starts.some(({ day }) => day !== '15'),
      'every Monday counts, not only one on a 15th',
    );
    assert.equal((await kinds(client, config))[main], 'same');
  });

  test('awkward times come back as they were sent', async () => {
    const client = await freshClient('awkward');
    const crons = [
      '0 0 * * *',
      '* * * * *',
      '*/7 0-23/5 31 1,12 *',
      '59 23 29 2 0',
      '0,1,2 0 1-7 */2 6-7',
      '@yearly',
    ];
    const jobs = crons.map(
      (cron, index) =>
        `  job-${index}: { kind: restic-backup, resources: [photos], store: b2-photos, schedule: { cron: "${cron}", jitter: ${index}s, catchup: ${index + 1}h, overlap: ${index % 2 ? 'skip' : 'buffer-one'} } }\n`,
    );
    const config = exampleWith(['jobs:\n', `jobs:\n${jobs.join('')}`]);
    await apply(client, config);
    assert.deepEqual(new Set(Object.values(await kinds(client, config))), new Set(['same']));
  });

  test('a list that is behind the truth hides nothing and invents nothing', async () => {
    const client = await freshClient('behind');
    await apply(client, example());
    const stale: Client = Object.create(client, {
      workflowService: {
        value: { listSchedules: async () => ({ schedules: [{ scheduleId: 'hf-deleted' }] }) },
      },
    });
    assert.deepEqual(await kinds(stale, example()), allOf('same'));
  });

  test('a start by the schedule carries the job into its run, and is seen', async () => {
    const client = await freshClient('started');
    await apply(client, example());
    const handle = client.schedule.getHandle(main);
    await handle.trigger('SKIP');
    const started = async () => (await observeSchedules(client, [main])).find(({ id }) => id === main);
    const seen = await waitFor(
      async () => ((await started())?.runningRuns.length === 1 ? await started() : undefined),
      { timeoutMs: 30_000, what: 'the run to be started' },
    );
    const [taken] = seen.recentActions;
    assert.ok(taken);
    assert.deepEqual(seen.runningRuns, [taken.run]);
    assert.equal(parseRunId(taken.run)?.job, 'photos-offsite');
    const run = await client.workflow.getHandle(taken.run).describe();
    assert.equal(run.type, 'backupRestic');
    assert.equal(run.taskQueue, 'holdfast');
    assert.equal(await run.staticSummary(), 'restic backup of photos to b2-photos');
    assert.deepEqual(
      run.typedSearchAttributes.get(defineSearchAttributeKey('HfJob', 'KEYWORD')),
      'photos-offsite',
    );
    await handle.trigger('SKIP');
    await waitFor(async () => (await started())?.numActionsSkippedOverlap === 1, {
      timeoutMs: 30_000,
      what: 'the second start to be left out',
    });
  });

  test('two applies at the same time end in the same place', async () => {
    const client = await freshClient('race');
    const changes = await plan(client, example());
    await Promise.all([1, 2, 3].map(() => applySchedules(client, changes, { prune: false })));
    assert.deepEqual(await kinds(client, example()), allOf('same'));
  });

  test('one schedule that the server refuses does not keep the others from being applied', async () => {
    const client = await freshClient('refused');
    const changes = await plan(client, example());
    const [first] = changes;
    assert.equal(first?.kind, 'add');
    first.desired.timezone = 'Mars/Olympus';
    await assert.rejects(applySchedules(client, changes, { prune: false }), {
      code: 'HF_CONFIG_INVALID',
      message: /^Could not apply schedule hf-photos-offsite: .*Mars\/Olympus/,
      details: { failed: [main] },
    });
    assert.deepEqual(await kinds(client, example()), { ...allOf('same'), [main]: 'add' });
  });

  test('pause and resume take all schedules of a job, and leave another operator’s note alone', async () => {
    const client = await freshClient('control');
    await apply(client, example());
    await client.schedule.getHandle(check).pause('checked by hand');
    assert.deepEqual(await pauseJob(client, example(), 'photos-offsite', 'moving house'), [
      { id: main, done: 'paused', note: 'moving house' },
      { id: check, done: 'already', note: 'checked by hand' },
      { id: prune, done: 'paused', note: 'moving house' },
    ]);
    const paused = await observeSchedules(client, [main, check, prune]);
    assert.deepEqual(
      paused.map((schedule) => schedule.paused),
      [true, true, true],
    );
    const resumed = await resumeJob(client, example(), 'photos-offsite');
    assert.deepEqual(
      resumed.map(({ done }) => done),
      ['resumed', 'resumed', 'resumed'],
    );
    const active = await observeSchedules(client, [main, check, prune]);
    assert.deepEqual(
      active.map((schedule) => schedule.paused),
      [false, false, false],
    );
  });

  test('a job whose schedules were never applied cannot be paused', async () => {
    const client = await freshClient('unapplied');
    await assert.rejects(pauseJob(client, example(), 'photos-offsite', 'why not'), {
      code: 'HF_RUN_NOT_FOUND',
      message: /no schedule to pause: run "holdfast apply" first/,
    });
  });

  test('a namespace that is not there is an answer, not a stack', async () => {
    const client = new Client({ connection, namespace: 'nowhere' });
    await assert.rejects(observeSchedules(client), { code: 'HF_TEMPORAL_REFUSED', message: /nowhere/ });
  });

  test('two hundred schedules are applied, planned and changed', async (context) => {
    const client = await freshClient('many');
    const many = (minute: number) =>
      configOf(
        `hosts: { nas: {} }\nresources: { photos: { host: nas, directory: /srv/photos } }\n` +
          `stores: { usb: { restic: { repository: /mnt/usb, password: { file: /etc/key } } } }\njobs:\n` +
          Array.from(
            { length: 200 },
            (_, index) =>
              `  job-${index}: { kind: restic-backup, resources: [photos], store: usb, schedule: { cron: "${minute} 3 * * *" } }\n`,
          ).join(''),
      );
    for (const [words, minute, expected] of [
      ['created', 0, 'created'],
      ['left alone', 0, 'unchanged'],
      ['changed', 30, 'updated'],
    ] as const) {
      const startedAt = performance.now();
      const done = Object.values(await apply(client, many(minute)));
      context.diagnostic(`200 schedules ${words} in ${Math.round(performance.now() - startedAt)} ms`);
      assert.deepEqual(new Set(done), new Set([expected]));
      assert.equal(done.length, 200);
    }
  });
});
