import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { addEvidence } from '../../activities/host/evidence.js';
import { openUndos, recordFormerState } from '../../activities/host/undo.js';
import type { Zfs } from '../../activities/zfs/listing.js';
import { proveRolledBack } from '../../activities/zfs/roll-back.js';
import type { RollBack } from '../../activities/zfs/roll-back-plan.js';
import { planRollBackStep, putBackRollBack, undoRollBackStep } from '../../activities/zfs/roll-back-steps.js';
import { parseConfig } from '../../config/load.js';
import { fakeMachine } from '../support/fake-trees.js';

/** What is refused on the way back from a roll-back in place, and what is left then. */

const root = 'fast/k';
const run = 'hourly.restore-2026-11-20T03:00:00Z';
const undoing = 'hourly.restore-2026-11-22T03:00:00Z';
const aside = `${root}.before-${run.replaceAll(':', '')}`;
const former: RollBack = {
  ...{ root, aside, back: `${root}.restored-${run.replaceAll(':', '')}`, snapshot: 'one' },
  datasets: ['', '/a', '/b'].map((below) => ({ below, guid: '4711', type: 'filesystem' as const })),
  ...{ mounted: ['', '/a', '/b'], mounting: ['', '/a', '/b'] },
};

/** Rolled back and proved: the tree of before lies aside. */
async function scene() {
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: { din: {} },
      resources: { k: { host: 'din', dataset: root, restoreInPlace: true } },
      jobs: { hourly: { kind: 'zfs-snapshot', resources: ['k'] } },
    }),
    '/holdfast.yaml',
  );
  assert(config, JSON.stringify(mistakes));
  const below = [root, `${root}/a`, `${root}/b`];
  const din = fakeMachine('din', ['fast', ...below, ...below.map((name) => name.replace(root, aside))]);
  for (const [name, tree] of din.trees) {
    const isAside = name.startsWith(aside);
    Object.assign(tree.properties, { mounted: isAside ? 'no' : 'yes', canmount: isAside ? 'noauto' : 'on' });
    tree.snapshots.set('one', '4711');
  }
  await addEvidence(din.host, {
    ...{ kind: 'rolled-back', run, job: 'hourly', resource: 'k' },
    former: { ...former },
  });
  const { signal } = new AbortController();
  const quiet = () => undefined;
  const tools = { host: din.host, config, run: undoing, attempt: 1, signal, progress: quiet, log: quiet };
  const input = { job: 'hourly', run: undoing, resource: 'k', how: 'roll-back', target: '', paths: [] };
  const zfs = { host: din.host, signal, zfs: 'zfs', zpool: 'zpool' } as Zfs;
  const undo = () =>
    undoRollBackStep(tools as Tools, { ...input, how: 'roll-back', undo: run, retryForMs: 0 });
  const plan = () => planRollBackStep(tools as Tools, { ...input, how: 'roll-back', retryForMs: 0 });
  const mounted = () =>
    below.filter((name) => din.trees.get(name)?.properties.mounted === 'yes').map((name) => name.slice(6));
  return { din, config, zfs, undo, plan, mounted };
}

const busy = (name: string) => (words: readonly string[]) =>
  words.join(' ') === name ? "cannot unmount '/k': pool or dataset is busy" : undefined;

test('the tree of before comes back mounted, and what came to its place is kept beside, unmounted', async () => {
  const { din, undo, mounted } = await scene();
  const { movedAside = '' } = await undo();
  assert.deepEqual(mounted(), ['', '/a', '/b']);
  assert.equal(din.trees.has(aside), false);
  for (const name of [movedAside, `${movedAside}/a`])
    assert.deepEqual(
      [din.trees.get(name)?.properties.mounted, din.trees.get(name)?.properties.canmount],
      ['no', 'noauto'],
    );
});

test('in use: what was unmounted is mounted again, nothing is tried for hours, and nothing is done on another day', async () => {
  for (const refused of [
    `unmount ${root}`,
    `rename ${root} ${root}.restored-${undoing.replaceAll(':', '')}`,
  ]) {
    const { din, undo, mounted } = await scene();
    din.refuse = busy(refused);
    await assert.rejects(undo(), { code: 'HF_ROLL_BACK_FAILED', message: /busy/ });
    assert.deepEqual(mounted(), ['', '/a', '/b'], refused);
    assert.equal(din.trees.get(root)?.properties.canmount, 'on');
    assert.deepEqual(await openUndos(din.host), []);
  }
});

test('cut before anything was renamed, the worker that starts later mounts again and swaps nothing', async () => {
  const { din, config, undo, mounted } = await scene();
  din.refuse = (words) => {
    din.isOff = words[0] === 'unmount' && words[1] === `${root}/a`;
    return undefined;
  };
  await assert.rejects(undo(), { code: 'HF_SSH_UNREACHABLE' });
  din.isOff = false;
  const [open] = await openUndos(din.host);
  assert(open);
  await putBackRollBack(() => config)(din.host, open.what, open.former, undoing);
  assert.deepEqual(mounted(), ['', '/a', '/b']);
  assert.equal(din.trees.has(aside), true);
});

test('a roll-back that was cut half way is brought back by the worker that starts later', async () => {
  const { din, config, mounted } = await scene();
  await recordFormerState(din.host, run, 'zfs-roll-back:k', { ...former });
  await putBackRollBack(() => config)(din.host, 'zfs-roll-back:k', { ...former }, run);
  assert.deepEqual([din.trees.has(aside), din.trees.has(former.back)], [false, true]);
  assert.deepEqual(mounted(), ['', '/a', '/b']);
});

test('a tree that stands by is not exchanged for a writable one of before, nor rolled back', async () => {
  const { din, undo, plan } = await scene();
  const { properties } = din.trees.get(root) ?? assert.fail();
  Object.assign(properties, { readonly: 'on', 'holdfast:role': 'standby r grogu' });
  await assert.rejects(undo(), { code: 'HF_FAILED_OVER', message: /stands by since r.*writable/ });
  await assert.rejects(plan(), { code: 'HF_FAILED_OVER', message: /stands by since r/ });
  assert.deepEqual([din.changes, await openUndos(din.host)], [[], []]);
});

test('a dataset that was a clone before is one again, of the same origin; one that hangs on the tree aside is not proved', async () => {
  const { din, zfs } = await scene();
  const { properties } = din.trees.get(`${root}/b`) ?? assert.fail();
  for (const origin of [`${root}/a@one`, 'fast/template@one']) {
    properties.origin = origin;
    await proveRolledBack(zfs, former);
  }
  properties.origin = `${aside}/b@one`;
  await assert.rejects(proveRolledBack(zfs, former), { code: 'HF_COPY_NOT_PROVED', message: /fast\/k\/b/ });
});
