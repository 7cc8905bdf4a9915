import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Ends } from '../../activities/zfs/replicate-ends.js';
import { occupiedScript, setProperties } from '../../activities/zfs/send-back-give.js';
import { giftFacts, giftFor, giftWords } from '../../activities/zfs/send-back-properties.js';
import { ownPlaces, type SavedSharing } from '../../activities/zfs/sharing.js';
import { parseSharing } from '../../activities/zfs/sharing-read.js';
import { temporaryFolder } from '../support/temp.js';
import { dataset, listingOf } from '../support/zfs-trees.js';

/** What was set on datasets comes back with them, and nothing that would open or hide something unasked. */

const savedWith = (
  properties: SavedSharing['properties'],
  more: Partial<SavedSharing> = {},
): SavedSharing => ({
  v: 1,
  resource: 'k',
  at: '2026-11-20T03:00:00Z',
  mountpoints: {},
  problems: [],
  allProperties: true,
  properties,
  ...more,
});
const all = {
  mountpoint: "/srv/it's k",
  canmount: 'on',
  sharenfs: 'rw=@10.0.0.0/8',
  quota: '10737418240',
  compression: 'zstd',
  readonly: 'on',
  keylocation: 'file:///etc/key',
  encryption: 'aes-256-gcm',
  volsize: '1048576',
  'democratic-csi:volume': 'pvc-1',
};
const k = dataset('fast/k');

test('a dataset that returns to its place gets what was set on it, but neither readonly nor keys nor what its stream carried', () => {
  const gift = giftFor(k, { saved: savedWith({ 'old/k': all }), source: 'old/k', isOwn: true });
  assert.deepEqual(gift, {
    dataset: 'fast/k',
    set: {
      mountpoint: "/srv/it's k",
      sharenfs: 'rw=@10.0.0.0/8',
      quota: '10737418240',
      compression: 'zstd',
      'democratic-csi:volume': 'pvc-1',
    },
    canmount: 'on',
    byHand: ['readonly=on'],
  });
});

test('a copy beside the original takes neither its place nor its shares nor the words of other programs', () => {
  const gift = giftFor(k, { saved: savedWith({ 'old/k': all }), source: 'old/k', isOwn: false });
  assert.deepEqual(Object.keys(gift.set), ['quota', 'compression']);
});

test('noauto is never set, off is, a volume has none, and TrueNAS keeps its mount points to itself', () => {
  const of = (own: Record<string, string>, more: Partial<SavedSharing> = {}, what = k) =>
    giftFor(what, { saved: savedWith({ s: own }, more), source: 's', isOwn: true });
  assert.deepEqual(
    [of({ canmount: 'noauto' }).canmount, of({ canmount: 'noauto' }).byHand],
    [undefined, ['canmount=noauto']],
  );
  assert.equal(of({ canmount: 'off' }).canmount, 'off');
  assert.equal(of({}).canmount, 'on');
  assert.equal(of({ refreservation: '9' }, {}, dataset('v', { type: 'volume' })).canmount, undefined);
  const nas = of({ mountpoint: '/mnt/fast/k' }, { middleware: {} });
  assert.deepEqual([nas.set, nas.byHand], [{}, ['mountpoint=/mnt/fast/k']]);
  assert.deepEqual(of({ mountpoint: 'legacy' }, { middleware: {} }).set, { mountpoint: 'legacy' });
});

test('the plan lists what is set, what is left to a human, and says when nothing was written down', () => {
  const saved = savedWith({ s: all });
  const isOwn = true;
  const gifts = [giftFor(k, { saved, source: 's', isOwn: true })];
  const words = giftWords({ gifts, saved, isOwn }).join('\n');
  assert.match(words, /^set {8}fast\/k: mountpoint=\/srv\/it's k sharenfs=.* compression=zstd/m);
  assert.match(words, /^by hand {4}fast\/k: readonly=on \(not set\)$/m);
  assert.match(words, /2026-11-20T03:00:00Z/);
  const long = { ...saved, problems: ['org:note of old/k has several lines', 'lio: no JSON came'] };
  assert.match(
    giftWords({ gifts, saved: long, isOwn }).join('\n'),
    /^by hand {4}not written down: org:note of old\/k has several lines$(?![\s\S]*lio)/m,
  );
  const none = [giftFor(k, { saved: undefined, source: 's', isOwn: true })];
  assert.match(
    giftWords({ gifts: none, saved: undefined, isOwn }).join('\n'),
    /by hand .*never written down.*mountpoint, sharenfs.*quota/,
  );
  const { allProperties: _, ...old } = saved;
  assert.match(giftWords({ gifts, saved: old, isOwn }).join('\n'), /not written down in full[\s\S]*^set /m);
  assert.deepEqual(giftWords({ gifts: [], saved: undefined, isOwn }), []);
  const many = Array.from({ length: 40 }, (_, at) => ({ ...(gifts[0] ?? assert.fail()), dataset: `d${at}` }));
  assert.match(giftWords({ gifts: many, saved, isOwn }).join('\n'), /^set {8}and 28 more datasets$/m);
  assert.match(giftWords({ gifts, saved, isOwn: false }).join('\n'), /^beside {5}mount points/m);
  assert.notDeepEqual(giftFacts({ gifts }), giftFacts({ gifts: none }));
});

test('a word that a dataset does not take costs that word alone, and is told', async () => {
  const asked: (readonly string[])[] = [];
  const ends = {
    async change(_side: string, commands: readonly (readonly string[])[]) {
      asked.push(...commands);
      return commands.map((words) =>
        words.some((word) => word.startsWith('quota='))
          ? { ok: false, words: 'too small' }
          : { ok: true, words: '' },
      );
    },
  } as unknown as Ends;
  const gift = { dataset: 'd', set: { quota: '1', atime: 'off' }, canmount: 'on', byHand: [] } as const;
  const fine = { ...gift, dataset: 'e', set: { atime: 'on' } };
  const gifts = [gift, fine, { ...gift, dataset: 'f', set: {} }];
  assert.deepEqual(await setProperties(ends, gifts, new Map()), ['d: quota=1 was not set: too small']);
  assert.deepEqual(asked, [
    ['set', 'quota=1', 'atime=off', 'd'],
    ['set', 'atime=on', 'e'],
    ['set', 'quota=1', 'd'],
    ['set', 'atime=off', 'd'],
  ]);
});

test('an attempt that goes on sets nothing that would mount a dataset which may mount by itself already', async () => {
  const asked: (readonly string[])[] = [];
  const ends = {
    change: async (_side: string, first: readonly string[][]) => {
      asked.push(...first);
      return first.map(() => ({ ok: true, words: '' }));
    },
  } as unknown as Ends;
  const set = { mountpoint: '/srv/k', sharenfs: 'on', sharesmb: 'on', quota: '1' };
  const gifts = ['d', 'e'].map((name) => ({ dataset: name, set, canmount: 'on', byHand: [] }) as const);
  const now = listingOf([dataset('d', { canmount: 'on' }), dataset('e', { canmount: 'noauto' })]);
  assert.deepEqual(await setProperties(ends, gifts, now), []);
  assert.deepEqual(asked, [
    ['set', 'quota=1', 'd'],
    ['set', 'mountpoint=/srv/k', 'sharenfs=on', 'sharesmb=on', 'quota=1', 'e'],
  ]);
});

test('a mount point in which something lies is seen, whatever it is called', () => {
  const folder = temporaryFolder('places');
  const at = (name: string): string => join(folder, name);
  for (const name of ['empty', "it's full", 'hidden\nfile', '-dash']) mkdirSync(at(name));
  writeFileSync(join(at("it's full"), 'x'), '');
  writeFileSync(join(at('hidden\nfile'), '.x'), '');
  writeFileSync(at('a file'), '');
  symlinkSync(at("it's full"), at('link'));
  const places = ['empty', "it's full", 'missing', 'hidden\nfile', 'a file', 'link', '-dash'].map(at);
  const out = execFileSync('sh', ['-c', occupiedScript(places)], { encoding: 'utf8' });
  assert.deepEqual(out.trim().split('\n'), ['1', '3', '4', '5']);
});

test('all that is set on a dataset is written down, but for our own marks and for passwords', () => {
  const lines = [
    'fast/k\tmountpoint\t/srv/k',
    'fast/k\tholdfast:role\tpromoted x y',
    'fast/k\torg.example:password\thunter2',
    'fast/k\torg.example:owner\ta\tb',
    'fast/k\tkeylocation\tprompt',
    'fast/x\tholdfast:run\tr',
  ];
  const read = parseSharing(`\u001eproperties\t0\n${lines.join('\n')}\n`);
  assert.equal(read.allProperties, true);
  assert.deepEqual(read.properties, {
    'fast/k': { mountpoint: '/srv/k', 'org.example:owner': 'a\tb', keylocation: 'prompt' },
  });
  assert.equal(parseSharing('\u001eproperties\t1\nno\n').allProperties, undefined);
  // A failover gives back places and shares alone, as ever.
  assert.deepEqual(ownPlaces(savedWith({ s: all }), 's'), {
    mountpoint: "/srv/it's k",
    canmount: 'on',
    sharenfs: 'rw=@10.0.0.0/8',
  });
});
