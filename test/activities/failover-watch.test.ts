import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { watchReturned } from '../../activities/zfs/failover-watch.js';
import { parseConfig } from '../../config/load.js';
import type { Config } from '../../config/schema.js';
import type { WatchReport } from '../../contracts/failover.js';
import { fakeMachine } from '../support/fake-trees.js';
import { waitFor } from '../support/wait.js';

/** After a failover from a dead machine somebody waits for it, whether replication runs or not. */

const job = 'k8s-to-grogu';
const run = `${job}.returned-2026-11-20T03:00:00Z`;
const parse = (resources: string[]): Config => {
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: {
        din: { ssh: { user: 'root', address: 'din.lan' } },
        grogu: { ssh: { user: 'root', address: 'grogu.lan' } },
      },
      resources: Object.fromEntries(
        resources.map((name) => [name, { host: 'din', dataset: `fast/${name}` }]),
      ),
      stores: { grogu: { zfs: { host: 'grogu', dataset: 'backup' } } },
      jobs: { [job]: { kind: 'zfs-replication', resources, store: 'grogu' } },
    }),
    '/holdfast.yaml',
  );
  assert(config, JSON.stringify(mistakes));
  return config;
};
const inUse = { 'holdfast:role': 'promoted r grogu' };

/** din is off, and all replicas on grogu are in use. */
function afterFailover(resources = ['k8s'], config = parse(resources)) {
  const din = fakeMachine(
    'din',
    resources.flatMap((name) => [`fast/${name}`, `fast/${name}/pvc 1`]),
  );
  const grogu = fakeMachine(
    'grogu',
    resources.map((name) => `backup/${name}`),
  );
  for (const { properties } of grogu.trees.values()) Object.assign(properties, inUse);
  din.isOff = true;
  const ending = new AbortController();
  const lines: string[] = [];
  const tools = {
    ...{ host: grogu.host, machine: () => din.host, config, run, attempt: 1, signal: ending.signal },
    ...{ progress: () => undefined, log: (line: string) => void lines.push(line) },
  } as unknown as Tools;
  const watch = (told: string[] = [], anewAfterMs = 60_000): Promise<WatchReport> =>
    watchReturned(
      tools,
      { job, run, store: 'grogu', resources, told, retryForMs: 0 },
      { everyMs: 5, anewAfterMs },
    );
  const readonly = () => [...din.trees.values()].map(({ properties }) => properties.readonly);
  return { din, grogu, ending, lines, watch, readonly };
}

test('what comes back is made readonly as a whole, and told; then it is over', async () => {
  const { din, watch, readonly } = afterFailover();
  const watching = watch();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual(din.changes, []);
  din.isOff = false;
  const { found, isOver } = await watching;
  assert.match(
    found.join(),
    /fast\/k8s on din answers while backup\/k8s .* two sides.*was made readonly just now/,
  );
  assert.equal(isOver, true);
  assert.deepEqual(readonly(), ['on', 'on']);
  assert.deepEqual(await watch(), { found: [], open: [], isOver: true }, 'a second one finds it standing by');
});

test('what answers and cannot be made readonly is told once, and tried until it is', async () => {
  const { din, lines, watch, readonly } = afterFailover();
  din.isOff = false;
  din.refuse = (words) => (words.includes('readonly=on') ? 'the link is down' : undefined);
  const first = await watch();
  assert.match(first.found.join(), /answers while .* could not be made readonly: .*link is down/);
  assert.deepEqual([first.open, first.isOver], [['k8s'], false]);
  const watching = watch(first.open);
  const tries = () => din.changes.filter((words) => words.includes('readonly=on')).length;
  await waitFor(async () => tries() > 4, { timeoutMs: 5_000, what: 'it to be tried again' });
  din.refuse = () => undefined;
  const second = await watching;
  assert.match(second.found.join(), /was made readonly just now/);
  assert.equal(second.isOver, true);
  assert.deepEqual(readonly(), ['on', 'on']);
  assert.equal(
    lines.filter((line) => line.startsWith('k8s: open')).length,
    2,
    'a log of changes, not of looks',
  );
});

test('it ends without a word when the replica is not the one in use any more, or the file has no such replica', async () => {
  for (const change of ['failed back', 'in the middle of a failback', 'gone from the file'] as const) {
    const { din, grogu, watch } = afterFailover(
      ['k8s'],
      parse(change === 'gone from the file' ? ['vms'] : ['k8s']),
    );
    const properties = grogu.trees.get('backup/k8s')?.properties ?? {};
    if (change === 'failed back') properties['holdfast:role'] = '-';
    if (change === 'in the middle of a failback') properties['holdfast:role'] = 'standby r2 grogu';
    assert.deepEqual(await watch(), { found: [], open: [], isOver: true }, change);
    assert.deepEqual(din.changes, []);
  }
});

test('a failback that ends while the source is looked at is not undone by it', async () => {
  const { din, grogu, watch } = afterFailover();
  din.isOff = false;
  const { run: ask } = din.host;
  let looks = 0;
  din.host.run = (...words) => {
    looks += 1;
    // Its whole tree, after its root.
    if (looks === 2) Object.assign(grogu.trees.get('backup/k8s')?.properties ?? {}, { 'holdfast:role': '-' });
    return ask(...words);
  };
  assert.deepEqual(await watch(), { found: [], open: [], isOver: true });
  assert.deepEqual(din.changes, []);
});

test('a machine that was built anew and receives the way back is left to the failback', async () => {
  const { din, grogu, ending, watch } = afterFailover();
  din.isOff = false;
  Object.assign(grogu.trees.get('backup/k8s')?.properties ?? {}, { guid: '42' });
  for (const { properties } of din.trees.values()) properties.readonly = 'on';
  Object.assign(din.trees.get('fast/k8s')?.properties ?? {}, { 'holdfast:replica-of': '42' });
  const watching = watch();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual(din.changes, []);
  ending.abort();
  await assert.rejects(watching);
});

test('of several, one that is not taken over yet keeps nobody from waiting for the others, and each is told as it comes', async () => {
  const { din, grogu, watch } = afterFailover(['k8s', 'vms']);
  const later = grogu.trees.get('backup/vms');
  if (later) later.properties['holdfast:role'] = '-';
  const watching = watch();
  await new Promise((resolve) => setTimeout(resolve, 30));
  Object.assign(later?.properties ?? {}, inUse);
  const vms = ['fast/vms', 'fast/vms/pvc 1'].map((name) => [name, din.trees.get(name)] as const);
  for (const [name] of vms) din.trees.delete(name);
  din.isOff = false;
  const first = await watching;
  assert.match(first.found.join(), /^fast\/k8s on din answers/);
  assert.equal(first.isOver, false, 'the pool of the other is not there yet');
  for (const [name, tree] of vms) if (tree) din.trees.set(name, tree);
  const second = await watch();
  assert.match(second.found.join(), /^fast\/vms on din answers/);
  assert.equal(second.isOver, true);
});

test('trouble of any kind is waited out; the step begins anew from time to time, and ends at once with its worker', async () => {
  const { din, grogu, ending, watch } = afterFailover();
  grogu.isOff = true;
  const { run: ask } = din.host;
  din.host.run = async () => ({
    ...{
      exitCode: 1,
      signal: undefined,
      stdout: '',
      stderrTail: 'internal error: Bad exchange descriptor',
      durationMs: 1,
    },
  });
  await assert.rejects(watch([], 30), { code: 'HF_SSH_UNREACHABLE' });
  grogu.isOff = false;
  din.isOff = false;
  await assert.rejects(watch([], 30), { code: 'HF_SSH_UNREACHABLE' });
  din.host.run = ask;
  din.isOff = true;
  const watching = watch();
  ending.abort();
  await assert.rejects(watching);
});
