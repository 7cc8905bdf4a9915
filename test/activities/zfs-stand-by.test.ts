import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Zfs } from '../../activities/zfs/listing.js';
import { standBy, standsBy, standUp } from '../../activities/zfs/stand-by.js';
import type { Command, RunResult } from '../../system/host.js';
import { fakeMachine } from '../support/fake-trees.js';

/** A tree that has to stand by, and the way back from that, by what zfs is made to do. */

async function changesOf(role?: Parameters<typeof standUp>[3]): Promise<string[]> {
  const changes: string[] = [];
  const host = {
    name: 'grogu',
    async run({ file }: Command): Promise<RunResult> {
      const stdout = file === 'sh' ? '0\t0\t\n1\t0\t\n' : '';
      return { exitCode: 0, signal: undefined, stdout, stderrTail: '', durationMs: 1 };
    },
  };
  const zfs = { host, signal: new AbortController().signal, zfs: 'zfs', zpool: 'zpool' } as unknown as Zfs;
  await standUp(zfs, 'backup/k8s', (line) => changes.push(line), role);
  return changes;
}

test('a replica that is in use again says so by one command: there is no moment in which it has no role', async () => {
  assert.deepEqual(await changesOf({ kind: 'promoted', run: 'r', store: 'grogu' }), [
    'grogu: zfs set holdfast:role=promoted r grogu backup/k8s',
  ]);
  assert.deepEqual(await changesOf(), ['grogu: zfs inherit holdfast:role backup/k8s']);
});

const role = { kind: 'standby', run: 'r', store: 'grogu' } as const;

/** A root in use, a child that inherits, one that was set writable by a stream, and one that is shared by a stream. */
function tree() {
  const din = fakeMachine('din', ['fast', 'fast/k8s', 'fast/k8s/pvc', 'fast/k8s/old', 'fast/k8s/share']);
  for (const name of ['fast/k8s/pvc', 'fast/k8s/share']) delete din.trees.get(name)?.properties.readonly;
  const [old, share] = ['fast/k8s/old', 'fast/k8s/share'].map((name) => din.trees.get(name) ?? assert.fail());
  assert(old && share);
  old.sources = { readonly: 'received' };
  share.properties.sharenfs = 'on';
  share.sources = { sharenfs: 'received' };
  const { signal } = new AbortController();
  const zfs = { host: din.host, signal, zfs: 'zfs', zpool: 'zpool' } as unknown as Zfs;
  return { din, zfs, old: old.properties, share: share.properties };
}

test('what a stream made writable or shared stands by as well, and comes back as it was', async () => {
  const { din, zfs, old, share } = tree();
  const listing = await standBy(zfs, 'fast/k8s', role, () => undefined);
  assert.equal(standsBy('fast/k8s', listing), true);
  assert.deepEqual([old.readonly, share.sharenfs], ['on', 'off']);
  assert.equal(din.trees.get('fast/k8s/pvc')?.properties['holdfast:before'], undefined);
  await standUp(zfs, 'fast/k8s', () => undefined);
  assert.deepEqual([old.readonly, share.sharenfs, share['holdfast:before']], ['off', 'on', undefined]);
});

test('a dataset that no property makes writable is set readonly itself; one that stays so is said each time', async () => {
  const { din, zfs, old } = tree();
  // A mount that was made writable by hand.
  (din.trees.get('fast/k8s/old') ?? assert.fail()).sources = { readonly: 'temporary' };
  din.refuse = (words) => (words[0] === 'set' && words.at(-1) === 'fast/k8s/old' ? 'busy' : undefined);
  for (const _ of [1, 2])
    await assert.rejects(
      standBy(zfs, 'fast/k8s', role, () => undefined),
      /fast\/k8s\/old.*busy/,
    );
  din.refuse = () => undefined;
  await standBy(zfs, 'fast/k8s', role, () => undefined);
  assert.equal(old.readonly, 'on');
});

test('cut at any command, it does not stand by yet and the next attempt ends it, with what was before still known', async () => {
  let cuts = 0;
  for (let at = 0; ; at += 1) {
    const { din, zfs, old } = tree();
    const { properties: top } = din.trees.get('fast/k8s') ?? assert.fail();
    din.refuse = () => (din.changes.length > at ? 'the link is down' : undefined);
    const isWhole = await standBy(zfs, 'fast/k8s', role, () => undefined).then(
      () => true,
      () => false,
    );
    if (isWhole) break;
    cuts += 1;
    din.refuse = () => undefined;
    const listing = await standBy(zfs, 'fast/k8s', role, () => undefined);
    assert.deepEqual(
      [standsBy('fast/k8s', listing), top.readonly, old.readonly],
      [true, 'on', 'on'],
      `${at}`,
    );
    await standUp(zfs, 'fast/k8s', () => undefined);
    assert.deepEqual([top.readonly, old.readonly], ['off', 'off'], `${at}`);
  }
  assert.equal(cuts, 7);
});
