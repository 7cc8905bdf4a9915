import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { askStatus } from '../../activities/snapraid/ask.js';
import { planNow } from '../../activities/snapraid/diff.js';
import { withDue } from '../../activities/snapraid/due.js';
import type { SnapraidPlan } from '../../contracts/snapraid.js';
import { type Answer, fakeArray, note, status } from '../support/fake-snapraid.js';

/** Whether a sync is worth it yet, by what really lies on the disks. */

const names = ['-dash.mkv', "quo'te $(x).mkv", 'line\nbreak.mkv', 'gone.mkv'];
const escaped = (name: string): string => name.replaceAll('\n', '\\n');

/** All of them are new on d1; one is gone again before anybody looks. */
const added: Answer = {
  lines: [
    ...names.map((name) => `scan:add:d1:${escaped(name)}`),
    ...['removed', 'updated', 'moved', 'copied', 'restored'].map((kind) => `summary:${kind}:0`),
    `summary:added:${names.length}`,
    'summary:equal:9',
    'summary:exit:diff',
  ],
  code: 2,
};

const hourMs = 3_600_000;

const judged = async (...of: Parameters<typeof planned>): Promise<string | undefined> =>
  (await planned(...of)).notDue;

async function planned(due: object, { syncedMsAgo = hourMs, unsynced = 0 } = {}): Promise<SnapraidPlan> {
  const { array, folder, answer } = fakeArray({ job: { due } });
  for (const name of names.slice(0, 3)) {
    writeFileSync(join(folder, 'd1', name), '');
    truncateSync(join(folder, 'd1', name), 2 ** 30);
  }
  answer('status', status({ unsynced }));
  answer('diff', added);
  if (syncedMsAgo > 0) {
    const restorePoint = new Date(Date.now() - syncedMsAgo).toISOString();
    note(array, { kind: 'array-synced', run: 'nightly-earlier', restorePoint });
  }
  return withDue(array, await planNow(array, await askStatus(array)));
}

test('too little is not worth it; enough files or enough bytes are, by what lies there', async () => {
  assert.match((await judged({ files: 5, bytes: '4GiB', quietFor: '0s' })) ?? '', /too little has changed/);
  assert.equal(await judged({ files: 4, quietFor: '0s' }), undefined);
  assert.equal(await judged({ bytes: '3GiB', quietFor: '0s' }), undefined);
  assert.match((await judged({ bytes: '3073MiB', quietFor: '0s' })) ?? '', /too little has changed/);
});

test('where no sync is due, the plan says of which moment the last one is: it counts for the array', async () => {
  const { syncedPoint } = await planned({ files: 5, quietFor: '0s' }, { syncedMsAgo: 2 * hourMs });
  const agoMs = Date.now() - Date.parse(syncedPoint ?? '');
  assert(agoMs >= 2 * hourMs && agoMs < 3 * hourMs, syncedPoint);
  assert.equal((await planned({ files: 1, quietFor: '0s' })).syncedPoint, undefined);
});

test('who still writes is not disturbed, until the last sync is too old', async () => {
  const busy = { files: 1, quietFor: '1h', age: '20h' };
  assert.match((await judged(busy)) ?? '', /somebody still writes/);
  assert.equal(await judged(busy, { syncedMsAgo: 21 * hourMs }), undefined);
  assert.equal(await judged({ ...busy, files: 99 }, { syncedMsAgo: 0 }), undefined, 'it was never synced');
});

test('an interrupted sync is continued at once, also when other files have come since', async () => {
  const busy = { files: 99, quietFor: '1h', age: '20h' };
  assert.match((await judged(busy)) ?? '', /too little has changed/);
  assert.equal(await judged(busy, { unsynced: 7 }), undefined);
});

test('a question that something has killed is asked again, and is no refusal', async () => {
  const { array, answer } = fakeArray();
  answer('status', { lines: [], does: 'kill -TERM $$' });
  await assert.rejects(askStatus(array), { code: 'HF_TOOL_KILLED' });
  answer('status', { lines: [], code: 1 });
  await assert.rejects(askStatus(array), { code: 'HF_ARRAY_REFUSED' });
});
