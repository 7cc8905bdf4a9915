import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedOn, othersOn } from '../../activities/doctor/zfs-actors.js';
import { planReplication } from '../../activities/zfs/plan-replication.js';
import { actorNotes, actorsOn, setBacks } from '../../activities/zfs/replicate-actors.js';
import { replicaStates } from '../../activities/zfs/replicate-lag.js';
import {
  driftOf,
  forgottenTokens,
  keyNote,
  keyPlaces,
  strangersIn,
} from '../../activities/zfs/replicate-proof.js';
import type { PlanInput } from '../../activities/zfs/replicate-types.js';
import type { Dataset } from '../../activities/zfs/types.js';
import { bookmark, dataset, listingOf, snapshot, wholePolicy } from '../support/zfs-trees.js';

const [one, two] = [snapshot('one', 11), snapshot('two', 12)];
const ours = { readonly: 'on', canmount: 'noauto', mounted: false };

const inputOf = (source: Dataset[], target: Dataset[]): PlanInput => ({
  source: listingOf(source),
  sourceRoot: 'fast/k',
  target: listingOf(target),
  targetRoot: 'backup/k',
  policy: wholePolicy,
});

test('other tools are known by what they leave in a replica, and not by what came with our own streams', () => {
  const replica = dataset('backup/k', {}, [
    one,
    snapshot('auto-2026-11-20_03-00', 20),
    snapshot('syncoid_din_2026-11-20:03:00:00-GMT00:00', 21),
    snapshot('pyznap_2026-11-20_03:00:00_hourly', 22),
    snapshot('monday', 23),
  ]);
  replica.bookmarks.push(bookmark('zrepl_CURSOR_G_8d3b_J_push', 24, '5'));
  const source = dataset('fast/k', {}, [one, snapshot('auto-2026-11-20_03-00', 20)]);
  assert.deepEqual([...actorsOn(replica, source).keys()].sort(), ['pyznap', 'syncoid', 'zrepl']);
  const input = inputOf([source], [replica]);
  const notes = actorNotes(input, planReplication(input));
  assert(notes.some((note) => note.startsWith('syncoid works on 1 replica too: backup/k@syncoid_din_')));
});

test('who has taken a replica away from us is named in the reason', () => {
  const zrepl = snapshot('zrepl_20261120_030000_000', 30, { writtenBytes: 5 });
  const input = inputOf([dataset('fast/k', {}, [one, two])], [dataset('backup/k', ours, [one, zrepl])]);
  const [plan] = planReplication(input);
  assert.equal(plan?.kind, 'diverged');
  assert.match(plan?.reason ?? '', /zrepl_20261120_030000_000, made by zrepl/);
  const wrote = dataset('backup/k', { ...ours, writtenBytes: 7 }, [one]);
  wrote.bookmarks.push(bookmark('syncoid_din', 24, '5'));
  const [other] = planReplication(inputOf([dataset('fast/k', {}, [one, two])], [wrote]));
  assert.match(other?.reason ?? '', /wrote 7 bytes .*; syncoid works on it too \(#syncoid_din\)/);
});

const source = [
  dataset('fast/k', {}, [one, two]),
  dataset('fast/k/a', {}, [one, two]),
  dataset('fast/k/b', {}, [one, two]),
];
const whole = inputOf(source, [
  dataset('backup', {}),
  dataset('backup/k', ours, [one, two]),
  dataset('backup/k/a', ours, [one, two]),
  dataset('backup/k/b', ours, [one, two]),
]);
const proved = replicaStates(planReplication(whole), whole);

test('a replica that was rolled back or destroyed since the last look is told, with the tool that did it', () => {
  assert.deepEqual(setBacks(whole, proved), []);
  const syncoid = snapshot('syncoid_x', 40);
  const now = inputOf(source, [
    dataset('backup', {}),
    dataset('backup/k', ours, [one, two]),
    dataset('backup/k/a', ours, [one, syncoid]),
  ]);
  const [back, lost, ...more] = setBacks(now, proved);
  assert.equal(
    back,
    'backup/k/a: syncoid has rolled it back (@syncoid_x): it held @two at the last look, now @one',
  );
  assert.match(lost ?? '', /^backup\/k\/b: it was there at the last look, with @two, and is gone/);
  assert.deepEqual(more, []);
});

test('what was parked by an approval, or made anew at the source, was set back by nobody', () => {
  const anew = dataset('fast/k/a', { createtxg: 50 }, [snapshot('three', 51)]);
  const now = inputOf(
    [dataset('fast/k', {}, [one, two]), anew, dataset('fast/k/b', {}, [one, two])],
    [
      dataset('backup/k', ours, [one, two]),
      dataset('backup/k/a', ours, [one, two]),
      dataset('backup/k/b.parked-2026-11-20T030000Z', ours, [one, two]),
    ],
  );
  assert.deepEqual(setBacks(now, proved), []);
});

const drifts = (more: Partial<Dataset>): string[] => {
  const input = inputOf(
    [
      dataset('fast/k', { mountpoint: '/mnt/k' }, [one]),
      dataset('fast/k/a', { mountpoint: '/mnt/k/a' }, [one]),
    ],
    [
      dataset('backup/k', { ...ours, mountpoint: '/backup/k' }, [one]),
      dataset('backup/k/a', { ...ours, mountpoint: '/backup/k/a', ...more }, [one]),
    ],
  );
  return driftOf(planReplication(input), input).map((line) => line.replace(/^backup\/k\/a: /, ''));
};

test('a mount point that would cover something is told, one that is inherited is not', () => {
  assert.deepEqual(drifts({}), []);
  for (const mountpoint of ['none', 'legacy', undefined]) assert.deepEqual(drifts({ mountpoint }), []);
  assert.deepEqual(drifts({ mountpoint: '/usr/local' }), [
    'its mountpoint is /usr/local, a place of the system',
  ]);
  assert.deepEqual(drifts({ mountpoint: '/' }), ['its mountpoint is /, a place of the system']);
  assert.deepEqual(drifts({ mountpoint: '/mnt/k/a' }), [
    'its mountpoint is /mnt/k/a, where its source is mounted',
  ]);
  assert.deepEqual(drifts({ mountpoint: '/data' }), ["its mountpoint is /data and not below its parent's"]);
  assert.deepEqual(drifts({ canmount: 'on', readonly: 'off' }), ['readonly is not on, canmount is on']);
});

test('a replica without a source is kept for ever, and what becomes of it is told as of any other', () => {
  const own = { ...ours, mountpoint: '/backup/k/a', replicaOf: '77' };
  const told = (more: Partial<Dataset>, excluded = false): string[] => {
    const source = [dataset('fast/k', {}, [one]), ...(excluded ? [dataset('fast/k/a', {}, [one])] : [])];
    const target = [
      dataset('backup/k', { ...ours, mountpoint: '/backup/k', replicaOf: '66' }, [one]),
      dataset('backup/k/a', { ...own, ...more }, [one]),
    ];
    const input = inputOf(source, target);
    const policy = { ...wholePolicy, excludes: (below: string) => excluded && below === 'a' };
    return driftOf(planReplication({ ...input, policy }), input);
  };
  for (const excluded of [false, true]) {
    assert.deepEqual(told({}, excluded), []);
    assert.deepEqual(told({ readonly: 'off', mounted: true, writtenBytes: 7 }, excluded), [
      'backup/k/a: readonly is not on, it is mounted at /backup/k/a, 7 bytes were written after @one',
    ]);
  }
  assert.deepEqual(told({ readonly: 'off', replicaOf: '66' }), [], 'what others made there is theirs');
  const parked = inputOf([], [dataset('backup/k/a.parked-2026-11-20T030000Z', { replicaOf: '77' }, [one])]);
  assert.deepEqual(driftOf(planReplication(parked), parked), []);
});

test('encryption roots are told by where their key is looked for', () => {
  const secret = { encryption: 'aes-256-gcm', encryptionRoot: 'fast/k' };
  const there = { ...ours, ...secret, encryptionRoot: 'backup/k' };
  const placesFor = (keyLocation: string) => {
    const input = inputOf(
      [dataset('fast/k', secret, [one])],
      [dataset('backup/k', { ...there, keyLocation }, [one])],
    );
    return keyPlaces(planReplication(input), input);
  };
  assert.match(
    keyNote(placesFor('prompt').prompts)[0] ?? '',
    /as backup\/k: keep it where the source is not/,
  );
  assert.deepEqual([...placesFor('file:///root/k y.key').files], [['/root/k y.key', ['backup/k']]]);
});

test('what is odd about a replica is told in the look, too, in which something above it is renamed', () => {
  const [parents, own] = [snapshot('one', 21), snapshot('one', 31)];
  const secret = { encryption: 'aes-256-gcm', encryptionRoot: 'fast/k/new/a' };
  const there = { encryption: 'aes-256-gcm', encryptionRoot: 'backup/k/old/a', keyLocation: 'prompt' };
  const input = inputOf(
    [
      dataset('fast/k', {}, [one]),
      dataset('fast/k/new', {}, [parents]),
      dataset('fast/k/new/a', secret, [own]),
      dataset('fast/k/new/b', {}, [snapshot('one', 41)]),
    ],
    [
      dataset('backup/k', ours, [one]),
      dataset('backup/k/old', ours, [parents]),
      dataset('backup/k/old/a', { ...ours, ...there, readonly: 'off' }, [own]),
      dataset('backup/k/old/b', ours, [snapshot('monday', 51)]),
    ],
  );
  const plans = planReplication(input);
  assert.deepEqual(driftOf(plans, input), ['backup/k/new/a: readonly is not on']);
  assert.deepEqual(keyPlaces(plans, input).prompts, ['backup/k/new/a']);
  assert.deepEqual(strangersIn({ plans, input }), ['fast/k/new/b']);
});

test('partially received state that nobody goes on with is told', () => {
  const left = { ...ours, resumeToken: '1-abc' };
  const input = inputOf(
    [dataset('fast/k', {}, [one])],
    [
      dataset('backup/k', left, [one]),
      dataset('backup/k/gone', left, [one]),
      dataset('backup/k/x.parked-2026-11-20T030000Z', left, [one]),
    ],
  );
  assert.deepEqual(
    forgottenTokens(planReplication(input), input).map((line) => line.split(':')[0]),
    ['backup/k/gone (gone)', 'backup/k/x.parked-2026-11-20T030000Z (parked)'],
    'that of the root is given up by the run itself',
  );
});

test('the doctor names other tools by snapshots, bookmarks, properties and holds of a root', () => {
  const seen = {
    names: ['backup/k@auto-2026-11-20_03-00', 'backup/k#zrepl_CURSOR_G_1_J_x', 'backup/k@holdfast_hourly_x'],
    properties: ['readonly', 'org.znapzend:enabled', 'holdfast:replica-of'],
    tags: ['backup/k@x\tsyncoid_grogu\tFri Nov 20 03:00 2026', 'backup/k@x\tholdfast_fence\tFri Nov 20'],
  };
  const of = (travelled: boolean) =>
    othersOn({ dataset: 'backup/k', side: 'target', travelled }, seen).map(({ who, by }) => `${who} ${by}`);
  assert.deepEqual(of(false), [
    'znapzend org.znapzend:enabled',
    'TrueNAS @auto-2026-11-20_03-00',
    'zrepl #zrepl_CURSOR_G_1_J_x',
    'syncoid hold syncoid_grogu',
  ]);
  assert(!of(true).some((line) => line.startsWith('TrueNAS')), 'it may have come with our own streams');
});

test("where everybody's snapshots travel, the doctor is told the newest names of a root with their guids", () => {
  const rows = [
    ['backup/k@auto-2026-11-20_03-00', '0', '11'],
    ['backup/k@holdfast_hourly_x', '1', '12'],
    ['backup/k@monday', '0', '13'],
    ['backup/k#auto-2026-11-20_03-00', '-', '14'],
  ];
  const root = { dataset: 'backup/k', side: 'target', travelled: true } as const;
  assert.deepEqual(namedOn(root, rows), []);
  const compared = { job: 'copy', resource: 'k' };
  const [named] = namedOn({ ...root, compared }, rows);
  assert.deepEqual(named?.snapshots, [
    ['auto-2026-11-20_03-00', '11', 'TrueNAS'],
    ['monday', '13'],
  ]);
  assert.deepEqual(namedOn({ ...root, compared }, rows, 1)[0]?.snapshots, [['monday', '13']]);
});
