import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { planFailbackStep } from '../../activities/zfs/failback-look.js';
import { readyReturned } from '../../activities/zfs/failback-ready.js';
import { parseConfig } from '../../config/load.js';
import { fakeMachine } from '../support/fake-trees.js';

/** What a failback does first: nobody writes any more to the side that receives. */

const job = 'vms-to-grogu';
const run = `${job}.failback-2026-11-20T03:00:00Z`;

function scene() {
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: {
        din: { ssh: { user: 'root', address: 'din.lan' } },
        grogu: { ssh: { user: 'root', address: 'grogu.lan' } },
      },
      resources: { web: { host: 'din', dataset: 'fast/web' } },
      stores: { grogu: { zfs: { host: 'grogu', dataset: 'backup' } } },
      jobs: { [job]: { kind: 'zfs-replication', resources: ['web'], store: 'grogu', snapshots: 'all' } },
    }),
    '/holdfast.yaml',
  );
  assert(config, JSON.stringify(mistakes));
  const din = fakeMachine('din', ['fast/web']);
  const grogu = fakeMachine('grogu', ['backup', 'backup/web']);
  for (const { trees } of [din, grogu])
    for (const { snapshots } of trees.values()) snapshots.set('one', '4711');
  const roleOn = (machine: typeof din, name: string, role: string) =>
    Object.assign(machine.trees.get(name)?.properties ?? {}, { 'holdfast:role': role });
  roleOn(grogu, 'backup/web', 'promoted r grogu');
  roleOn(din, 'fast/web', 'standby r grogu');
  const tools = {
    ...{ host: grogu.host, config, run, attempt: 1, signal: new AbortController().signal },
    ...{ machine: (name: string) => (name === 'din' ? din : grogu).host },
    ...{ progress: () => undefined, log: () => undefined },
  } as unknown as Tools;
  return { din, tools, input: { job, run, resource: 'web', store: 'grogu', retryForMs: 0, settings: {} } };
}

test('a returned side that only says that it stands by is made readonly before anything is brought back', async () => {
  const { din, tools, input } = scene();
  const { digest } = await planFailbackStep(tools, input);
  assert.equal(din.trees.get('fast/web')?.properties.readonly, 'off');
  await readyReturned(tools, { ...input, digest });
  const { properties } = din.trees.get('fast/web') ?? assert.fail();
  assert.deepEqual([properties.readonly, properties['holdfast:role']], ['on', 'standby r grogu']);
});
