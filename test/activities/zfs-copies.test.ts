import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { listDatasetCopies } from '../../activities/zfs/copies.js';
import { copiesQuestions } from '../../cli/copies.js';
import { parseConfig } from '../../config/load.js';
import { fakeZfs } from '../support/fake-zfs.js';
import { repositoryRoot } from '../support/root.js';

const run = 'hourly-2026-11-20T03:00:00Z';

test('the snapshots of a job are listed newest first, and only those that its runs have proved count as proved', async () => {
  const fake = fakeZfs(['fast/k', 'fast/k/a'], {});
  fake.add('fast/k', 'one', { 'holdfast:run': run, 'holdfast:job': 'hourly' });
  fake.add('fast/k', 'auto-2026-11-20_04-00', {});
  fake.add('fast/k', 'two', { 'holdfast:run': `${run}2`, 'holdfast:job': 'hourly' });
  const { host, config, signal } = fake.tools(run);
  const fact = { v: 1, at: '2026-11-20T03:00:09Z', kind: 'snapshots', run, job: 'hourly', resource: 'tree' };
  await host.appendLine('/state/evidence.jsonl', JSON.stringify({ ...fact, snapshot: 'one', datasets: 2 }));
  const asked = { host, config, signal, machine: () => host };
  const step = { job: 'hourly', resource: 'tree', limit: 10, maxCharacters: 10_000 };
  const { store, copies, more } = await listDatasetCopies(asked, step);
  assert.deepEqual(
    [store, more, copies.map(({ snapshot, proof }) => [snapshot, proof])],
    [
      'on din',
      0,
      [
        ['two', 'not proved'],
        ['one', 'proved'],
      ],
    ],
  );
  assert.equal((await listDatasetCopies(asked, { ...step, limit: 1 })).more, 1);
  for (const wrong of [{ job: 'other' }, { resource: 'other' }, { store: 'grogu' }])
    await assert.rejects(listDatasetCopies(asked, { ...step, ...wrong }), { code: 'HF_NOT_IN_CONFIG' });
});

test('snapshots and replicas are asked of the worker of the resource; with a store only what lies there', () => {
  const text = readFileSync(join(repositoryRoot, 'config/examples/zfs-replication.yaml'), 'utf8');
  const { config } = parseConfig(text, '/holdfast.yaml');
  assert(config);
  const words = { resource: 'kubernetes', store: undefined, host: undefined, limit: 5 };
  const [question, ...others] = copiesQuestions(config, words);
  assert.deepEqual(others, []);
  assert.equal(question?.host, 'din');
  assert.deepEqual(question?.datasets, [
    { job: 'kubernetes-hourly', resource: 'kubernetes' },
    { job: 'kubernetes-to-grogu', resource: 'kubernetes', store: 'grogu' },
  ]);
  const there = copiesQuestions(config, { ...words, store: 'grogu', host: 'grogu' });
  assert.deepEqual(
    there.map(({ host, datasets }) => [host, datasets?.map(({ job }) => job)]),
    [['grogu', ['kubernetes-to-grogu']]],
  );
});
