import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planReplication } from '../../activities/zfs/plan-replication.js';
import { openReplication } from '../../activities/zfs/replicate-job.js';
import { parseConfig } from '../../config/load.js';
import type { TransferStepInput } from '../../contracts/replication.js';
import { fakeZfs } from '../support/fake-zfs.js';
import { dataset, listingOf, snapshot } from '../support/zfs-trees.js';

const run = 'copy-2026-11-20T03:00:00Z';
const input = { job: 'copy', run, resource: 'tree', store: 'grogu', retryForMs: 0, round: 1 };

const { config } = parseConfig(
  JSON.stringify({
    hosts: { din: {} },
    resources: { tree: { host: 'din', dataset: 'fast/k' }, other: { host: 'din', dataset: 'fast/k/db' } },
    stores: {
      grogu: { zfs: { host: 'din', dataset: 'backup' } },
      usb: { restic: { repository: '/mnt/usb', password: { file: '/etc/pw' } } },
    },
    jobs: {
      copy: { kind: 'zfs-replication', resources: ['tree'], store: 'grogu' },
      files: { kind: 'restic-backup', resources: ['tree'], store: 'usb' },
      hourly: { kind: 'zfs-snapshot', resources: ['tree'] },
    },
  }),
  '/holdfast.yaml',
);
if (!config) throw new Error('the configuration of this test is wrong');
const tools = { ...fakeZfs(['fast/k'], {}).tools(run), config };

test('a replication joins what the configuration joins, and its marks are of one resource in one store', async () => {
  const { request } = await openReplication(tools, input);
  assert.deepEqual(
    [request.sourceRoot, request.targetRoot, request.policy.destination],
    ['fast/k', 'backup/tree', 'grogu.tree'],
  );
});

test('the snapshots of snapshot jobs travel, those of a backup that reads from its own do not', async () => {
  const { request } = await openReplication(tools, input);
  const taken = (name: string, createtxg: number, job: string | undefined) =>
    snapshot(name, createtxg, { run: job && `${job}-2026-11-20T03:00:00Z`, job });
  const source = dataset('fast/k', {}, [
    taken('hourly', 1, 'hourly'),
    taken('to read', 2, 'files'),
    taken('failover', 3, 'copy'),
    taken('of a job that had another name', 4, 'nightly'),
    taken('to read again', 5, 'files'),
    taken('auto-2026-11-20_03-00', 6, undefined),
  ]);
  const [plan] = planReplication({ ...request, source: listingOf([source]), target: new Map() });
  assert.deepEqual(plan?.holds, ['hourly', 'failover', 'of a job that had another name']);
  const all = { ...request.policy, snapshots: 'all' } as const;
  const [whole] = planReplication({
    ...request,
    policy: all,
    source: listingOf([source]),
    target: new Map(),
  });
  assert.equal(whole?.holds.length, 6);
});

test('what becomes part of a file name or is in no job is refused, whoever has started the workflow', async () => {
  const wrong: Partial<Record<keyof TransferStepInput, unknown>>[] = [
    { round: '../../../etc/cron' },
    { round: -1 },
    { round: 1.5 },
    { group: '../1' },
    { resource: 'other' },
    { store: 'usb' },
    { run: 'copy-2026-11-20T03:00:00Z/../x' },
  ];
  for (const one of wrong)
    await assert.rejects(
      openReplication(tools, { ...input, ...one } as TransferStepInput),
      { code: 'HF_NOT_IN_CONFIG' },
      JSON.stringify(one),
    );
});
