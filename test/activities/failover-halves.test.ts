import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { markUndone, openUndos } from '../../activities/host/undo.js';
import { putBackFailback, resumeReplica, stopReplica } from '../../activities/zfs/failback-stop.js';
import {
  planFailoverStep,
  putBackFailover,
  putSourceBack,
  stopSource,
  whatOf,
} from '../../activities/zfs/failover-stop.js';
import { parseConfig } from '../../config/load.js';
import { fakeMachine } from '../support/fake-trees.js';

/** A failover of a job with two resources, whose programs are stopped once for both, and which ends half done. */

const job = 'vms-to-grogu';
const run = `${job}.failover-2026-11-20T03:00:00Z`;
const resources = ['web', 'db'] as const;

function scene() {
  const hook = (name: string) => ({ run: ['apps', name], undo: ['apps', `undo-${name}`] });
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: {
        din: { ssh: { user: 'root', address: 'din.lan' }, hooks: { stop: hook('stop') } },
        grogu: { ssh: { user: 'root', address: 'grogu.lan' }, hooks: { start: hook('start') } },
      },
      resources: { web: { host: 'din', dataset: 'fast/web' }, db: { host: 'din', dataset: 'fast/db' } },
      stores: { grogu: { zfs: { host: 'grogu', dataset: 'backup' } } },
      jobs: {
        [job]: {
          kind: 'zfs-replication',
          ...{ resources: [...resources], store: 'grogu', snapshots: 'all' },
          failover: { stop: ['stop'], start: ['start'] },
        },
      },
    }),
    '/holdfast.yaml',
  );
  assert(config, JSON.stringify(mistakes));
  const din = fakeMachine('din', ['fast/web', 'fast/db']);
  const grogu = fakeMachine('grogu', ['backup/web', 'backup/db']);
  for (const { trees } of [din, grogu])
    for (const { snapshots } of trees.values()) snapshots.set('one', '4711');
  const machine = (name: string) => (name === 'din' ? din : grogu).host;
  const tools = {
    ...{ host: grogu.host, machine, config, run, attempt: 1 },
    ...{ signal: new AbortController().signal, progress: () => undefined, log: () => undefined },
  } as unknown as Tools;
  const step = (resource: string) => ({ job, run, resource, store: 'grogu', retryForMs: 0, settings: {} });
  return { config, din, grogu, machine, tools, step };
}

type Scene = ReturnType<typeof scene>;

/** As the workflow does it: all are planned first, the hooks run with the first. */
async function stopBoth({ tools, step }: Scene): Promise<void> {
  const digests = await Promise.all(
    resources.map(async (resource) => (await planFailoverStep(tools, step(resource))).digest),
  );
  for (const [at, resource] of resources.entries())
    await stopSource(tools, {
      ...step(resource),
      ...{ digest: digests[at] ?? '', source: 'answers' as const },
      ...(at === 0 && { withHooks: true as const }),
    });
}

test('undone as a whole, the programs start once, when all of it can be written to again', async () => {
  const made = scene();
  await stopBoth(made);
  assert.deepEqual(made.din.ran, ['apps stop']);
  for (const resource of [...resources].reverse()) {
    assert.deepEqual(made.din.ran, ['apps stop'], resource);
    await putSourceBack(made.tools, made.step(resource));
  }
  assert.deepEqual(made.din.ran, ['apps stop', 'apps undo-stop']);
  for (const { properties } of made.din.trees.values())
    assert.deepEqual([properties.readonly, properties['holdfast:role']], ['off', undefined]);
});

test('with the first in use over there and the rest put back, the programs are given back as well', async () => {
  const made = scene();
  await stopBoth(made);
  // What promoting does first of all.
  await markUndone(made.grogu.host, run, whatOf(made.step('web')));
  await putSourceBack(made.tools, made.step('db'));
  assert.deepEqual(made.din.ran, ['apps stop', 'apps undo-stop']);
  const roleOf = (name: string) => made.din.trees.get(name)?.properties['holdfast:role'] ?? '';
  assert.match(roleOf('fast/web'), /^standby /, 'that side stays shut');
  assert.equal(roleOf('fast/db'), '');
});

test('the journal gives the same back after a kill, in any order and twice', async () => {
  const made = scene();
  await stopBoth(made);
  const open = await openUndos(made.grogu.host, run);
  assert.equal(open.length, 2);
  const putBack = putBackFailover(() => made.config, made.machine);
  for (const { what, former } of [...open].reverse()) {
    await putBack(made.grogu.host, what, former, run);
    await markUndone(made.grogu.host, run, what);
  }
  const last = open[0];
  assert(last);
  await putBack(made.grogu.host, last.what, last.former, run);
  assert.deepEqual(made.din.ran, ['apps stop', 'apps undo-stop', 'apps undo-stop']);
  for (const { properties } of made.din.trees.values()) assert.equal(properties.readonly, 'off');
});

test('of a failback that ends half done, the programs on the replica are started again with what is put back last', async () => {
  const made = scene();
  const { grogu, tools, step } = made;
  for (const { properties } of grogu.trees.values()) properties['holdfast:role'] = 'promoted before grogu';
  await stopReplica(tools, { ...step('web'), withHooks: true });
  await stopReplica(tools, step('db'));
  assert.deepEqual(grogu.ran, ['apps undo-start']);
  const open = await openUndos(grogu.host, run);
  await markUndone(grogu.host, run, open.find(({ former }) => former.resource === 'web')?.what ?? '');
  await resumeReplica(tools, step('db'));
  assert.deepEqual(grogu.ran, ['apps undo-start', 'apps start']);
  assert.equal(grogu.trees.get('backup/db')?.properties['holdfast:role'], 'promoted before grogu');
  await putBackFailback(() => made.config, made.machine)(
    grogu.host,
    open[0]?.what ?? '',
    open[0]?.former ?? {},
    run,
  );
  assert.equal(grogu.ran.length, 3);
});

test('a replica takes over none of its mount points over files, however many it has', async () => {
  const { grogu, tools, step } = scene();
  const places = Array.from({ length: 70 }, (_, at) => [`fast/web/${at}`, `/srv/${at}`] as const);
  for (const [name] of places)
    grogu.trees.set(name.replace('fast', 'backup'), {
      properties: { readonly: 'on' },
      snapshots: new Map([['one', '4711']]),
    });
  const properties = Object.fromEntries(places.map(([name, mountpoint]) => [name, { mountpoint }]));
  const record = {
    v: 1,
    resource: 'web',
    at: '2026-11-20T00:00:00Z',
    mountpoints: {},
    problems: [],
    properties,
  };
  const known = '/state/sharing/web.json';
  Object.assign(grogu.host, {
    exists: async (path: string) => path === known || path === '/srv/69',
    readFile: async (path: string) => (path === known ? JSON.stringify(record) : ''),
    list: async () => ['a file'],
  });
  await assert.rejects(planFailoverStep(tools, step('web')), {
    code: 'HF_FAILOVER_REFUSED',
    message: /\/srv\/69 on grogu is not empty/,
  });
});
