import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import pc from 'picocolors';
import type { Temporal } from '../../cli/context.js';
import { statusRow } from '../../cli/status-model.js';
import { readOperations } from '../../cli/status-read.js';
import { leftRow } from '../../cli/status-schedules.js';
import { statusText } from '../../cli/status-view.js';
import { compileRun } from '../../schedules/compile.js';
import { configOf } from '../schedules/example.js';

/** What status reads, from a server that is played: pages of runs as its queries ask for them, and its schedules. */

const now = new Date('2026-11-20T12:00:00Z');
const config = configOf(`
hosts: { nas: {} }
resources: { photos: { host: nas, directory: /srv/photos } }
stores: { usb: { restic: { repository: /mnt/usb, password: { file: /etc/key } } } }
jobs:
  busy: { kind: restic-backup, resources: [photos], store: usb, schedule: { cron: "*/10 * * * *" } }
  rare: { kind: restic-backup, resources: [photos], store: usb, schedule: { cron: "0 3 1 * *" } }
  plain: { kind: restic-backup, resources: [photos], store: usb }
`);

const encoded = (value: unknown) => ({ data: Buffer.from(JSON.stringify(value)) });

interface PlayedRun {
  name: string;
  job: string;
  outcome: string;
  daysAgo: number;
  status?: number;
}

function played({ name, job, outcome, daysAgo, status = 2 }: PlayedRun): object {
  const at = new Date(now.getTime() - daysAgo * 86_400_000);
  const seconds = { seconds: Math.floor(at.getTime() / 1000) };
  const { HfCovers } = compileRun(config, job, 'backup').searchAttributes;
  const indexedFields = {
    HfOperation: encoded('backup'),
    HfOutcome: encoded(outcome),
    HfCovers: encoded(HfCovers),
    ...(outcome === 'ok' && { HfRestorePoint: encoded(at.toISOString()) }),
  };
  const execution = { workflowId: `${name}-${at.toISOString().slice(0, 19)}Z` };
  return {
    execution,
    status,
    startTime: seconds,
    closeTime: seconds,
    searchAttributes: { indexedFields },
    job,
    outcome,
  };
}

interface Served {
  runs?: PlayedRun[];
  schedules?: object[];
}

/** As much of the query as these tests need: the job, the outcome and whether it goes on. */
function serverWith({ runs = [], schedules = [] }: Served): Temporal {
  const all = runs.map(played) as { job: string; outcome: string }[];
  const listWorkflowExecutions = async (asked: {
    query: string;
    pageSize: number;
    nextPageToken?: Uint8Array;
  }) => {
    const { query, pageSize, nextPageToken } = asked;
    if (query.includes("= 'Running'") && !query.includes('!=')) return { executions: [] };
    const job = /HfJob = '([^']+)'/.exec(query)?.[1];
    const fits = all.filter((run) => job === undefined || run.job === job);
    const found = query.includes('HfOutcome') ? fits.filter(({ outcome }) => outcome === 'ok') : fits;
    const from = nextPageToken?.length ? Number(Buffer.from(nextPageToken).toString()) : 0;
    const next = from + pageSize < found.length ? Buffer.from(String(from + pageSize)) : undefined;
    return { executions: found.slice(from, from + pageSize), nextPageToken: next };
  };
  const workflowService = { listWorkflowExecutions, listSchedules: async () => ({ schedules }) };
  return { namespace: 'holdfast', client: { workflowService } } as unknown as Temporal;
}

const schedule = (scheduleId: string, workflow = 'pruneRestic', more: object = {}): object => ({
  scheduleId,
  info: {
    workflowType: { name: workflow },
    futureActionTimes: [{ seconds: Math.floor(now.getTime() / 1000) + 3600 }],
    ...more,
  },
});

describe('the last run of an operation', () => {
  const busy = Array.from(
    { length: 5000 },
    (_, index): PlayedRun => ({ name: 'busy', job: 'busy', outcome: 'failed', daysAgo: index / 1000 }),
  );
  const rowOf = async (runs: PlayedRun[]) => {
    const { operations } = await readOperations(serverWith({ runs }), config, undefined, now);
    const facts = operations.find(({ operation }) => operation.name === 'rare');
    assert.ok(facts);
    return statusRow(facts, now);
  };

  test('is the newest one however it ended, also when it lies below five thousand others', async () => {
    const rare = [30, 60].map(
      (daysAgo): PlayedRun => ({
        name: 'rare',
        job: 'rare',
        outcome: daysAgo === 30 ? 'failed' : 'ok',
        daysAgo,
      }),
    );
    const row = await rowOf([...busy, ...rare]);
    assert.equal(row.lastState, 'failed');
    assert.match(row.goodRun ?? '', /^rare-2026-09-21/);
    assert.equal(row.level, 'yellow');
  });

  test('is never an upload to a new store, which goes beside those of the job', async () => {
    const rare: PlayedRun[] = [
      { name: 'rare.seed-usb', job: 'rare', outcome: 'ok', daysAgo: 20 },
      { name: 'rare', job: 'rare', outcome: 'failed', daysAgo: 30 },
      { name: 'rare', job: 'rare', outcome: 'ok', daysAgo: 60 },
    ];
    assert.equal((await rowOf([...busy, ...rare])).lastState, 'failed');
  });
});

describe('a schedule that the file does not name any more', () => {
  const view = { colours: pc.createColors(false), terminal: false, columns: 100 } as Parameters<
    typeof statusText
  >[0];
  const read = (schedules: object[], job?: string) =>
    readOperations(serverWith({ schedules }), config, job, now);
  const linesOf = async (schedules: object[], job?: string): Promise<string[]> => {
    const { operations, left } = await read(schedules, job);
    const rows = operations.map((facts) => statusRow(facts, now));
    return statusText(view, rows, now, left)
      .split('\n')
      .filter((line) => line.startsWith('hf-'));
  };

  test('is named below the table, with the command that takes it away', async () => {
    const schedules = [schedule('hf-busy', 'backupRestic'), schedule('hf-busy.prune'), schedule('hf-gone')];
    assert.deepEqual(await linesOf(schedules), [
      'hf-busy.prune is not in the file any more and still starts runs: holdfast apply --prune',
      'hf-gone is not in the file any more and still starts runs: holdfast apply --prune',
    ]);
    assert.deepEqual(await linesOf(schedules, 'rare'), []);
    assert.equal((await linesOf(schedules, 'busy')).length, 1);
  });

  test('that is paused is not said to start anything', async () => {
    const paused = schedule('hf-gone', 'backupRestic', { paused: true });
    assert.deepEqual(await linesOf([paused]), [
      'hf-gone is not in the file any more and is paused: holdfast apply --prune',
    ]);
  });

  test('of a job that has lost only its times is said in the row of the job too', async () => {
    const { operations } = await read([schedule('hf-plain', 'backupRestic')]);
    const facts = operations.find(({ operation }) => operation.name === 'plain');
    assert.ok(facts);
    assert.equal(statusRow(facts, now).schedule, 'not in the file');
  });

  test('is a row of --json that nobody takes for one that is well', async () => {
    const { left } = await read([schedule('hf-gone.prune')]);
    const [row] = left.map(leftRow);
    const { name, job, operation, level, overdue, next } = row ?? {};
    assert.deepEqual(
      { name, job, operation, level, overdue },
      { name: 'gone.prune', job: 'gone', operation: 'prune', level: 'yellow', overdue: false },
    );
    assert.equal(row?.schedule, 'not in the file');
    assert.ok(next);
  });

  test('is ours: a stranger with our prefix is not', async () => {
    const strangers = [schedule('hf-other', 'SomethingElse'), schedule('nightly', 'backupRestic')];
    assert.deepEqual(await linesOf(strangers), []);
  });
});
