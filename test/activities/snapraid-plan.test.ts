import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseConf } from '../../activities/snapraid/conf.js';
import { whyNotDue } from '../../activities/snapraid/due.js';
import { ignoring } from '../../activities/snapraid/ignore.js';
import { lastSyncMs } from '../../activities/snapraid/last-sync.js';
import type { ArrayDiff, Change } from '../../activities/snapraid/parse-diff.js';
import { lastPosition, parseWork } from '../../activities/snapraid/parse-work.js';
import { planSync } from '../../activities/snapraid/plan.js';
import { shareOf } from '../../activities/snapraid/scrub.js';
import { planScrub } from '../../activities/snapraid/scrub-plan.js';
import { patternsOf, relativePath } from '../../activities/snapraid/undelete.js';
import type { SnapraidArrayConfig } from '../../config/schema.js';
import { SnapraidMaintenance } from '../../config/schema-snapraid.js';

const job = (thresholds: object = {}) =>
  SnapraidMaintenance.parse({ kind: 'snapraid-maintenance', resources: ['media'], thresholds });

const changesOf = (kind: Change['kind'], count: number, disk = 'd1'): Change[] =>
  Array.from({ length: count }, (_, at) => ({ kind, disk, path: `Films/${kind} ${at}.mkv` }));

function diffOf(changes: Change[]): ArrayDiff {
  const counts = {
    equal: 1000,
    added: 0,
    removed: 0,
    updated: 0,
    moved: 0,
    copied: 0,
    restored: 0,
    relocated: 0,
  };
  for (const { kind } of changes) counts[kind] += 1;
  return { changes, counts, syncNeeded: changes.length > 0 };
}

const filesOfDisk = new Map([
  ['d1', 1000],
  ['d2', 1000],
]);
const plan = (changes: Change[], thresholds: object = {}) =>
  planSync({ diff: diffOf(changes), thresholds: job(thresholds).thresholds, filesOfDisk });

describe('what a sync would make permanent', () => {
  test('additions alone are never asked about', () => {
    assert.deepEqual(plan(changesOf('added', 5000)).reasons, []);
  });

  test('the limit itself is allowed, one more is asked about', () => {
    assert.deepEqual(plan(changesOf('removed', 50)).reasons, []);
    assert.match(
      plan(changesOf('removed', 51)).reasons.join(),
      /51 files of the array removed, more than 50/,
    );
  });

  test('shares are of the files before, in all and of each disk', () => {
    const limits = { removed: { percent: 10 }, perDisk: { removed: { percent: 5 } } };
    assert.deepEqual(plan(changesOf('removed', 50), limits).reasons, []);
    assert.match(plan(changesOf('removed', 51), limits).reasons.join(), /of disk d1 removed, more than 5 %/);
    const both = [...changesOf('removed', 101), ...changesOf('removed', 100, 'd2')];
    assert.match(plan(both, limits).reasons.join(), /of the array removed, more than 10 % of 2000/);
  });

  test('a single disk may have limits of its own', () => {
    const limits = { disks: { d2: { updated: { files: 0 } } } };
    assert.deepEqual(plan(changesOf('updated', 3), limits).reasons, []);
    assert.match(plan(changesOf('updated', 1, 'd2'), limits).reasons.join(), /of disk d2 updated/);
  });

  test('a disk whose files have gone to another one is empty: snapraid 14 names them at their new place alone', () => {
    const gone = changesOf('relocated', 990, 'd2').map((one) => ({ ...one, from: `d1:${one.path}` }));
    const moved = plan([...gone, ...changesOf('removed', 10)]);
    assert.match(moved.reasons.join(), /disk d1 looks empty: none of its 1000 files/);
    assert.equal(moved.forceEmpty, true);
    assert.equal(plan([...gone, ...changesOf('removed', 9)]).forceEmpty, false);
  });

  test('every kind of loss has its limit: updated, moved, restored and relocated too', () => {
    for (const kind of ['updated', 'moved', 'restored', 'relocated'] as const)
      assert.equal(plan(changesOf(kind, 4), { [kind]: { files: 3 } }).reasons.length, 1, kind);
  });

  test('ignored files do not count, but a disk without files and files without bytes always do', () => {
    const limits = { ignore: ['*.mkv'] };
    assert.deepEqual(plan(changesOf('removed', 500), limits).reasons, []);
    assert.match(plan(changesOf('removed', 1000), limits).reasons.join(), /disk d1 looks empty/);
    const empty: Change = { kind: 'updated', disk: 'd1', path: 'a.mkv', emptied: true };
    const emptied = plan([empty], limits);
    assert.match(emptied.reasons.join(), /1 file shrank to nothing/);
    assert.deepEqual([emptied.forceZero, emptied.forceEmpty], [true, false]);
  });

  test('the digest changes with every loss and not with additions', () => {
    const lost = changesOf('removed', 60);
    const { digest } = plan(lost);
    assert.equal(plan([...lost].reverse()).digest, digest);
    assert.equal(plan([...lost, ...changesOf('added', 3)]).digest, digest);
    assert.notEqual(plan(lost.slice(1)).digest, digest);
    assert.notEqual(plan([...lost, ...changesOf('moved', 1)]).digest, digest);
  });

  test('the digest stays while a file that was shown is written again, and changes when it is emptied or another one is written', () => {
    const lost = changesOf('removed', 60);
    const update = (how: string, path = 'x', emptied?: true): Change => ({
      kind: 'updated',
      disk: 'd1',
      path,
      how,
      ...(emptied && { emptied }),
    });
    const { digest } = plan([...lost, update('1')]);
    assert.equal(plan([...lost, update('2')]).digest, digest);
    assert.notEqual(plan([...lost, update('1', 'x', true)]).digest, digest);
    assert.notEqual(plan([...lost, update('1'), update('1', 'y')]).digest, digest);
  });

  test('losses are shown first, by folder, a hundred of them, each on one line', () => {
    const odd: Change = { kind: 'removed', disk: 'd1', path: 'Films/\u001b[2Jline\nbreak' };
    const { lines } = plan([...changesOf('added', 300), odd, ...changesOf('removed', 20)]);
    assert.equal(lines[0], 'd1:Films/:');
    assert.match(lines[1] ?? '', /^ {2}removed \?\[2Jline\?break$/);
    assert.equal(lines.filter((line) => line.startsWith('  ')).length, 100);
    assert.equal(lines.at(-1), 'and 221 more');
    const long = Array.from(
      { length: 100 },
      (_, at): Change => ({ kind: 'removed', disk: 'd1', path: `${at}`.padEnd(250, 'x') }),
    );
    assert(plan(long).lines.join('\n').length < 7_000);
  });
});

test('patterns without a slash are of the name, others of the whole path', () => {
  const ignored = ignoring(['*.nfo', 'Downloads/**', '/a/*/c', '.Trash-[0]']);
  for (const path of ['x.nfo', 'deep/er/x.nfo', 'Downloads/a/b', 'a/b/c', 'k/.Trash-[0]'])
    assert(ignored(path), path);
  for (const path of ['x.nfo.mkv', 'My Downloads/a', 'a/b/b/c', '.Trash-0']) assert(!ignored(path), path);
});

test('snapraid.conf is read as snapraid reads it', () => {
  const conf = parseConf(
    '# data d0 /no\n parity /mnt/p 1/snapraid.parity,/mnt/p2/more.parity\n2-parity /mnt/q/x\ncontent /var/snapraid.content\n' +
      'data d1 /mnt/disk 1/\ndisk d2 /mnt/disk2\ndata d3 /\nexclude /data d4\nz-parity /mnt/z/x\n',
  );
  assert.deepEqual(conf.data, [
    { name: 'd1', folder: '/mnt/disk 1' },
    { name: 'd2', folder: '/mnt/disk2' },
    { name: 'd3', folder: '/' },
  ]);
  assert.deepEqual(conf.parity[0]?.files, ['/mnt/p 1/snapraid.parity', '/mnt/p2/more.parity']);
  assert.deepEqual(
    conf.parity.map(({ name }) => name),
    ['parity', '2-parity', 'z-parity'],
  );
  assert.deepEqual(conf.content, ['/var/snapraid.content']);
});

describe('how much is read tonight', () => {
  const nowMs = Date.parse('2026-11-27T00:00:00Z');
  const daysAgo = (days: number) => nowMs / 1000 - days * 86_400;
  const scrub = (more: object) =>
    SnapraidMaintenance.parse({ kind: 'snapraid-maintenance', resources: ['media'], scrub: more }).scrub;
  const interval = { nowMs, betweenMs: 86_400_000 };

  test('without a promise it is what the job says', () => {
    const status = { blocks: 100, readAt: [{ seconds: daysAgo(900), blocks: 100 }] };
    assert.deepEqual(planScrub(status, scrub({ percent: 3, olderThan: '7d' }), interval), {
      percent: 3,
      olderThanDays: 7,
    });
  });

  test('it is said how much was read, not how much was asked for', () => {
    const readAt = [
      { seconds: 1, blocks: 150 },
      { seconds: 2, blocks: 50 },
    ];
    assert.equal(shareOf(16, { readAt }), 8);
    assert.equal(shareOf(0, { readAt }), 0);
    assert.equal(shareOf(0, { readAt: [] }), 0);
    assert.equal(
      parseWork('scrub', ['version:12.4', 'command:scrub', 'run:begin:0:137:15']).blocksChosen,
      15,
    );
  });

  test('what would be too old by the next time is read now, however much it is', () => {
    const status = {
      blocks: 100,
      readAt: [
        { seconds: daysAgo(99), blocks: 40 },
        { seconds: daysAgo(1), blocks: 60 },
      ],
    };
    const plan = planScrub(status, scrub({ percent: 1, everyBlockWithin: '100d' }), interval);
    assert.equal(plan.percent, 40);
  });

  test('each night has its share, and simulated nights never let a block grow too old', () => {
    const ages: number[] = Array.from({ length: 1000 }, () => 0);
    for (let night = 0; night < 200; night += 1) {
      const readAt = ages.map((age) => ({ seconds: daysAgo(age), blocks: 1 }));
      const { percent, olderThanDays } = planScrub(
        { blocks: 1000, readAt },
        scrub({ percent: 1, olderThan: '10d', everyBlockWithin: '50d' }),
        interval,
      );
      assert(night < 5 || percent <= 4, `${percent} % in night ${night}`);
      const oldest = ages.map((age, at) => ({ age, at })).filter(({ age }) => age > olderThanDays);
      oldest.sort((a, b) => b.age - a.age);
      for (const { at } of oldest.slice(0, percent * 10)) ages[at] = 0;
      for (let at = 0; at < ages.length; at += 1) ages[at] = (ages[at] ?? 0) + 1;
      assert(Math.max(...ages) <= 50, `a block of ${Math.max(...ages)} days in night ${night}`);
    }
  });
});

test('progress is read from the last whole line of a log', () => {
  assert.deepEqual(lastPosition('run:begin:0:9:9\nrun:pos:3:4:8000:40:12:100:3:7\nrun:pos:4'), {
    phase: '40 %',
    bytesDone: 8000,
    bytesTotal: 20000,
    bytesPerSecond: 100e6,
    secondsLeft: 12,
  });
  assert.equal(lastPosition('run:pos:3:4:8000:40:::3:7')?.bytesPerSecond, 0);
  assert.equal(lastPosition('nothing'), undefined);
});

describe('whether a sync is worth it yet', () => {
  const { due } = SnapraidMaintenance.parse({
    kind: 'snapraid-maintenance',
    resources: ['media'],
    due: { files: 100, bytes: '1GiB', quietFor: '10m' },
  });
  assert(due);
  const nowMs = 1e12;
  const longAgo = nowMs - 3_600_000;

  test('so many files or so many bytes are enough, when nobody has written for a while', () => {
    assert.match(whyNotDue(due, 99, { bytes: 1e6, newestMs: longAgo }, nowMs) ?? '', /too little/);
    assert.equal(whyNotDue(due, 100, { bytes: 1e6, newestMs: longAgo }, nowMs), undefined);
    assert.equal(whyNotDue(due, 1, { bytes: 2 ** 30, newestMs: longAgo }, nowMs), undefined);
    assert.match(whyNotDue(due, 100, { bytes: 0, newestMs: nowMs - 60_000 }, nowMs) ?? '', /still writes/);
  });

  test('without a complete sync that is known it is always due', () => {
    assert.equal(lastSyncMs([], 'media'), 0);
  });
});

describe('what is to be brought back', () => {
  const array = {
    conf: { data: [{ name: 'd1', folder: '/mnt/disk1' }], parity: [], content: [], smartctl: new Map() },
    config: { pool: '/mnt/pool' } as SnapraidArrayConfig,
  };

  test('is named as it lay in the array, on its disk or in the pool', () => {
    for (const path of ['Films/a b', '/Films/a b/', '/mnt/disk1/Films/a b', '/mnt/pool/Films/a b'])
      assert.equal(relativePath(array, path), 'Films/a b');
  });

  test('never leads out of the array', () => {
    for (const path of ['', '/', '../etc', 'a/../../b', 'a//b', '/mnt/disk1/', 'line\nbreak'])
      assert.throws(() => relativePath(array, path), { code: 'HF_PATH_NOT_FOUND' });
  });

  test('what snapraid takes for patterns stands for itself', () => {
    const literal = '/a[*]b[?][[]c][\\\\]d';
    assert.deepEqual(patternsOf('a*b?[c]\\d'), [literal, `${literal}/`]);
  });
});
