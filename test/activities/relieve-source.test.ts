import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { listTrees } from '../../activities/zfs/listing.js';
import { relieveSource, relieveWhileAway } from '../../activities/zfs/relieve-source.js';
import { lookAtReplicas } from '../../activities/zfs/replicate-look.js';
import { zfsOn } from '../../activities/zfs/zfs-on.js';
import { parseConfig } from '../../config/load.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Host } from '../../system/host.js';
import { type FakeZfs, fakeZfs } from '../support/fake-zfs.js';

/** The source of a copy whose target is gone for weeks: another tool takes the snapshots, and what we hold of them nobody can remove. */

const job = 'copy';
const run = 'copy-2026-11-28T03:00:00Z';
const died = 'copy-2026-11-20T03:00:00Z';
const input = { job, run, resource: 'tree', store: 'grogu', retryForMs: 0, round: 1 };
const tag = `holdfast_grogu.tree_${died}`;

const { config, mistakes } = parseConfig(
  JSON.stringify({
    hosts: { din: {}, grogu: { ssh: { user: 'root', address: 'grogu.lan', via: 'din' } } },
    resources: { tree: { host: 'din', dataset: 'bulk/photos' } },
    stores: { grogu: { zfs: { host: 'grogu', dataset: 'backup' } } },
    jobs: { [job]: { kind: 'zfs-replication', resources: ['tree'], store: 'grogu', snapshots: 'all' } },
  }),
  '/holdfast.yaml',
);

/** auto-0 has arrived; the run that sent the rest died with its target, in the middle. */
function scene(freePercent: number) {
  assert(config, JSON.stringify(mistakes));
  const din = fakeZfs(['bulk/photos'], {});
  din.usedBytes = 1e12 - freePercent * 1e10;
  for (let at = 0; at < 6; at++) din.add('bulk/photos', `auto-${at}`);
  const at = (name: string) => din.datasets.get('bulk/photos')?.get(name);
  const { guid = '', txg = 0 } = at('auto-0') ?? {};
  din.bookmarks.set(`bulk/photos#holdfast_grogu.tree_${guid}`, { guid, txg });
  for (let one = 1; one < 6; one++) at(`auto-${one}`)?.holds.add(tag);
  const lines: string[] = [];
  const away = async () => {
    throw new HoldfastError('HF_SSH_UNREACHABLE', '"grogu" cannot be reached over ssh (no route)');
  };
  const tools: Tools = {
    ...din.tools(run),
    config,
    machine: () => ({ name: 'grogu', run: away }) as unknown as Host,
    log: (line) => void lines.push(line),
  };
  const held = () =>
    [...(din.datasets.get('bulk/photos') ?? [])]
      .filter(([, { holds }]) => holds.size > 0)
      .map(([name]) => name);
  return { din, tools, lines, held, at };
}

const all = ['auto-1', 'auto-2', 'auto-3', 'auto-4', 'auto-5'];

const failureOf = async (tools: Tools): Promise<HoldfastError> => {
  try {
    await lookAtReplicas(tools, input);
  } catch (error) {
    assert(error instanceof HoldfastError);
    return error;
  }
  assert.fail('a target that does not answer was taken for one');
};

const destroyed = (din: FakeZfs) => din.commands.filter(([verb]) => verb === 'destroy');

describe('the target does not answer', () => {
  test('and the pool of the source is below its floor: what is held is let go down to the newest, a bookmark stands for each, nothing is destroyed', async () => {
    const { din, tools, held } = scene(1);
    const { code, message } = await failureOf(tools);
    assert.equal(code, 'HF_SSH_UNREACHABLE');
    assert.match(
      message,
      /^"grogu" cannot be reached .*\. Meanwhile on "din": 1 % of bulk is free, its floor is 2 %; kept for copies that lag: grogu\.tree 4 snapshots, .*; bookmarks take their place now$/,
    );
    assert.deepEqual(held(), ['auto-5']);
    const guids = all.slice(0, 4).map((name) => din.datasets.get('bulk/photos')?.get(name)?.guid);
    for (const guid of guids) assert(din.bookmarks.has(`bulk/photos#holdfast_grogu.tree_${guid}`), guid);
    assert.deepEqual([din.datasets.get('bulk/photos')?.size, destroyed(din)], [6, []]);
  });

  test('and the pool is nearly full: it is said who keeps what, and all stays held', async () => {
    const { tools, held } = scene(3);
    assert.match(
      (await failureOf(tools)).message,
      /Meanwhile on "din": 3 % of bulk is free.*grogu\.tree 4 snap/,
    );
    assert.deepEqual(held(), all);
  });

  test('and there is room enough: the failure is as ever', async () => {
    const { tools, held } = scene(50);
    assert.equal((await failureOf(tools)).message, '"grogu" cannot be reached over ssh (no route)');
    assert.deepEqual(held(), all);
  });

  test('what others hold, and what a run may be sending to another store, stays', async () => {
    const { tools, held, at } = scene(1);
    at('auto-1')?.holds.add('keep me');
    at('auto-2')?.holds.add(`holdfast_usb.tree_${died}`);
    await failureOf(tools);
    assert.deepEqual(held(), ['auto-1', 'auto-2', 'auto-5']);
  });

  test('a first copy, which no bookmark could go on with, stays', async () => {
    const { din, tools, held } = scene(1);
    din.bookmarks.clear();
    await failureOf(tools);
    assert.deepEqual(held(), all);
  });

  test('and the source cannot be asked: the failure is as ever', async () => {
    for (const refused of ['name,used,available', '-c']) {
      const { din, tools, held, lines } = scene(1);
      din.before = (args) =>
        args.includes(refused) ? { exitCode: 1, stderrTail: 'cannot open: no answer\n' } : undefined;
      assert.equal((await failureOf(tools)).message, '"grogu" cannot be reached over ssh (no route)');
      assert.deepEqual(held(), all);
      assert.match(lines.join('\n'), /how full the source is could not be seen/);
    }
  });
});

test('both answer, and it stays behind: what has half arrived keeps its base, and where nothing is held nothing is asked', async () => {
  const { din, tools, held, at } = scene(1);
  const zfs = zfsOn(tools, 'din');
  const source = await listTrees(zfs, { roots: ['bulk/photos'] });
  const copy = { destination: 'grogu.tree', half: new Set(['bulk/photos']) };
  const { warnings } = await relieveSource(tools, zfs, source, copy);
  assert.match(warnings.join(), /what is being transferred stays: half of it has arrived/);
  assert.deepEqual(held(), all);
  for (const name of all) at(name)?.holds.clear();
  const free = await listTrees(zfs, { roots: ['bulk/photos'] });
  const before = din.commands.length;
  assert.deepEqual(await relieveSource(tools, zfs, free, copy), { warnings: [] });
  assert.equal(din.commands.length, before);
});

test('a target that is known to be away: holds of a run go only when it is known to have ended', async () => {
  const { din, tools, held } = scene(1);
  const step = { job, run, resource: 'tree', store: 'grogu', retryForMs: 0 };
  const first = await relieveWhileAway(tools, step);
  assert.deepEqual([first.holdingRuns, held()], [[died], all]);
  const second = await relieveWhileAway(tools, { ...step, endedRuns: [died] });
  assert.match(second.warnings.join(), /1 % of bulk is free.*bookmarks take their place now/);
  assert.deepEqual([second.holdingRuns, held(), destroyed(din)], [undefined, ['auto-5'], []]);
});
