import assert from 'node:assert/strict';
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { lookAtArray, touchFiles } from '../../activities/snapraid/look.js';
import { scrubArray } from '../../activities/snapraid/scrub.js';
import { syncArray } from '../../activities/snapraid/sync.js';
import { diff, fakeArray, fixed, note, status, worked } from '../support/fake-snapraid.js';

/** The last step before a loss is permanent, with a snapraid that answers as it is told. */

const limits = { job: { thresholds: { removed: { files: 5 }, perDisk: {} } } };
const syncsOf = (calls: string[]): string[] => calls.filter((call) => call.endsWith('sync'));

describe('files that change under a sync', () => {
  test('are taken by a second one', async () => {
    const { array, answer, calls } = fakeArray(limits);
    answer('status', status(), status({ unsynced: 3 }), status());
    answer('diff', diff({ removed: 1 }), diff({ removed: 2 }));
    answer('sync', worked('error', { files: 1 }), worked('ok'));
    const { state, interrupted } = await syncArray(array, array.input);
    assert.deepEqual([state, interrupted], ['complete', 0]);
    assert.equal(syncsOf(calls()).length, 2);
  });

  test('are asked about before a second one, when meanwhile more was lost than was approved', async () => {
    const { array, answer, calls } = fakeArray(limits);
    answer('status', status());
    answer('diff', diff({ removed: 6 }));
    const asked = await syncArray(array, array.input);
    assert.equal(asked.state, 'asks');
    assert.deepEqual(syncsOf(calls()), []);

    answer('diff', diff({ removed: 6 }), diff({ removed: 900 }));
    answer('sync', worked('error', { files: 1 }), worked('ok'));
    const again = await syncArray(array, { ...array.input, digest: asked.plan.digest });
    assert.equal(again.state, 'asks');
    assert.match(again.plan.reasons.join(), /900 files of the array removed/);
    assert.equal(syncsOf(calls()).length, 1);
  });
});

describe('an array without any content file', () => {
  const emptyArray = () => {
    const fake = fakeArray(limits);
    rmSync(join(fake.folder, 'p/parity'));
    fake.answer('status', status({ files: 0, blocks: 0 }));
    fake.answer('diff', diff({ added: 3 }));
    fake.answer('sync', worked('ok'));
    return fake;
  };

  test('is new when nothing speaks against it', async () => {
    const { array } = emptyArray();
    assert.equal((await syncArray(array, array.input)).state, 'complete');
  });

  test('is not written over without a yes when its parity is there', async () => {
    const { array, folder, calls } = emptyArray();
    writeFileSync(join(folder, 'p/parity'), 'parity of years');
    const { state, plan } = await syncArray(array, array.input);
    assert.equal(state, 'asks');
    assert.match(plan.reasons.join(), /no content file of the array is found although .*p\/parity is there/);
    assert.deepEqual(syncsOf(calls()), []);
    assert.equal((await syncArray(array, { ...array.input, digest: plan.digest })).state, 'complete');
  });

  test('nor when it was synced before', async () => {
    const { array } = emptyArray();
    note(array, { kind: 'array-synced', run: 'nightly-earlier', restorePoint: '2026-11-20T00:00:00Z' });
    const { state, plan } = await syncArray(array, array.input);
    assert.equal(state, 'asks');
    assert.match(plan.reasons.join(), /although it was synced before/);
  });
});

describe('a parity that is gone or was cut', () => {
  const guarded = (cut: (parity: string) => void, facts: Parameters<typeof status>[0] = {}) => {
    const fake = fakeArray(limits);
    cut(join(fake.folder, 'p/parity'));
    fake.answer('status', status(facts));
    fake.answer('diff', diff());
    fake.answer('sync', worked('ok'));
    return fake;
  };
  const refused = {
    code: 'HF_ARRAY_DISK_MISSING',
    message: /Do not sync "media": parity has .* bytes.*rebuild-parity --set parity=parity --plan/,
  };

  test('keeps every sync away, also where nothing has changed, and names what rebuilds it', async () => {
    for (const cut of [(file: string) => rmSync(file), (file: string) => truncateSync(file, 3999)]) {
      const { array, calls } = guarded(cut);
      await assert.rejects(syncArray(array, array.input), refused);
      await assert.rejects(syncArray(array, { ...array.input, onlyProve: true }), refused);
      await assert.rejects(lookAtArray(array), refused);
      assert.deepEqual(syncsOf(calls()), []);
    }
  });

  test('is none when the blocks that it lacks were never synced', async () => {
    const { array, answer } = guarded((file) => truncateSync(file, 3000));
    answer('status', status({ unsynced: 1000 }), status({ unsynced: 1000 }), status());
    assert.equal((await lookAtArray(array)).unsynced, 1000);
    assert.equal((await syncArray(array, { ...array.input, always: true })).state, 'complete');
  });
});

test('where it is only to be proved that nothing has changed, nothing is synced while writers may write', async () => {
  const { array, answer, calls } = fakeArray(limits);
  answer('status', status());
  answer('diff', diff());
  const prove = { ...array.input, onlyProve: true as const };
  assert.equal((await syncArray(array, prove)).state, 'complete');
  answer('diff', diff({ added: 1 }));
  assert.equal((await syncArray(array, prove)).state, 'asks');
  assert.deepEqual(syncsOf(calls()), []);
});

test('blocks that are still bad after their repair are damage, and no warning', async () => {
  const { array, answer } = fakeArray();
  answer('scrub', worked('ok'));
  answer('status', status({ bad: 2 }));
  answer('check', fixed('recoverable', { 'd1:a.mkv': 'recoverable' }, 1));
  assert.equal((await scrubArray(array, array.input)).bad, 2);
  await assert.rejects(scrubArray(array, { ...array.input, onlyBad: true }), { code: 'HF_ARRAY_DAMAGED' });
  answer('status', status());
  assert.equal((await scrubArray(array, { ...array.input, onlyBad: true })).bad, 0);
});

test('repaired blocks beside files that have changed meanwhile are a warning: only the next sync can prove them', async () => {
  const { array, answer } = fakeArray();
  answer('scrub', worked('error', { files: 1 }));
  answer('status', status({ bad: 1 }));
  answer('check', fixed('recoverable', { 'd1:a.mkv': 'recoverable' }, 1));
  const again = await scrubArray(array, { ...array.input, onlyBad: true });
  assert.equal(again.bad, 1);
  assert.match(again.warnings[0] ?? '', /1 repaired blocks are proved only after the next sync/);
  answer('scrub', worked('error', { files: 1, data: 1 }));
  await assert.rejects(scrubArray(array, { ...array.input, onlyBad: true }), { code: 'HF_ARRAY_DAMAGED' });
});

test('what the run has just seen is not asked for once more before files are touched', async () => {
  const { array, answer, calls } = fakeArray();
  answer('touch', { lines: [] });
  assert.equal((await touchFiles(array, { ...array.input, withoutSubseconds: 0 })).touched, 0);
  assert.deepEqual(calls(), []);
  assert.equal((await touchFiles(array, { ...array.input, withoutSubseconds: 3 })).touched, 3);
  assert.deepEqual(calls(), ['touch']);
  answer('status', status());
  assert.equal((await touchFiles(array)).touched, 0);
  assert.deepEqual(calls(), ['touch', 'status']);
});
