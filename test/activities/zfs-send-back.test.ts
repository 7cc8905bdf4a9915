import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { planSendBack } from '../../activities/zfs/send-back.js';
import { finishSendBack } from '../../activities/zfs/send-back-end.js';
import { parseConfig } from '../../config/load.js';
import { fakeMachine } from '../support/fake-trees.js';

/** A machine was rebuilt, and gets everything back from one of two replicas. */

const job = 'vms-copies';
const run = `${job}.restore-2026-11-20T03:00:00Z`;

function scene() {
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: {
        din: { restoreDatasets: ['fast'] },
        grogu: { ssh: { user: 'root', address: 'grogu.lan', via: 'din' } },
        attic: { ssh: { user: 'root', address: 'attic.lan', via: 'din' } },
      },
      resources: { vms: { host: 'din', dataset: 'fast/vms' } },
      stores: {
        grogu: { zfs: { host: 'grogu', dataset: 'backup' } },
        attic: { zfs: { host: 'attic', dataset: 'spare' } },
      },
      jobs: { [job]: { kind: 'zfs-replication', resources: ['vms'], stores: ['grogu', 'attic'] } },
    }),
    '/holdfast.yaml',
  );
  assert(config, JSON.stringify(mistakes));
  const machines = {
    din: fakeMachine('din', ['fast']),
    grogu: fakeMachine('grogu', ['backup/vms']),
    attic: fakeMachine('attic', ['spare/vms']),
  };
  for (const { trees } of [machines.grogu, machines.attic])
    for (const { snapshots } of trees.values()) snapshots.set('one', '4711');
  Object.assign(machines.din.trees.get('fast')?.properties ?? {}, { available: '1000000000' });
  const tools = {
    ...{ host: machines.din.host, config, run, attempt: 1 },
    machine: (name: keyof typeof machines) => machines[name].host,
    ...{ signal: new AbortController().signal, progress: () => undefined, log: () => undefined },
  } as unknown as Tools;
  const step = (target: string) => ({
    ...{ job, run, resource: 'vms', store: 'attic', retryForMs: 0, paths: [], how: 'send-back' as const },
    target,
  });
  return { ...machines, tools, step };
}

test('nothing comes back to its place from one replica while another one is in use, neither planned nor finished', async () => {
  const { grogu, tools, step } = scene();
  assert.equal((await planSendBack(tools, step('fast/vms'))).files, 1);
  const used = `promoted ${job}.failover-2026-11-19T03:00:00Z grogu`;
  Object.assign(grogu.trees.get('backup/vms')?.properties ?? {}, { 'holdfast:role': used });
  const refusal = { code: 'HF_FAILED_OVER', message: /^backup\/vms on grogu .* is the one in use since/ };
  await assert.rejects(planSendBack(tools, step('fast/vms')), refusal);
  await assert.rejects(finishSendBack(tools, step('fast/vms')), refusal);
  // Beside it there are no two sides.
  assert.equal((await planSendBack(tools, step('fast/vms-restored'))).files, 1);
});

test('a replica that cannot be looked at is left to who says yes', async () => {
  const { grogu, tools, step } = scene();
  grogu.isOff = true;
  const { steps = [] } = await planSendBack(tools, step('fast/vms'));
  assert.match(
    steps.join('\n'),
    /^make sure {2}that backup\/vms on grogu is not in use, which cannot be seen/m,
  );
});
