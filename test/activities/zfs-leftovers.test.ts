import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { leftoverFacts } from '../../activities/doctor/zfs-leftovers.js';
import { goneOnByNobody, halfReceived } from '../../activities/zfs/half-received.js';
import { commandToRelease, rootsOfJob } from '../../activities/zfs/leftover-groups.js';
import { claimsOn, leftoversIn, type Remembered } from '../../activities/zfs/leftovers.js';
import { lookAtMarks, type Mark, marksIn, type Row, withoutOpen } from '../../activities/zfs/marks.js';
import { judge } from '../../activities/zfs/release-leftovers.js';
import {
  cursorName,
  destinationOf,
  holdTag,
  shortOf,
  wayBackOf,
} from '../../activities/zfs/replicate-names.js';
import { about } from '../../cli/doctor/findings.js';
import { judgeLeftovers } from '../../cli/doctor/judge-leftovers.js';
import { parseConfig } from '../../config/load.js';
import type { Config } from '../../config/schema.js';
import type { Host } from '../../system/host.js';

const run = 'copy-2026-11-20T03:00:00Z';
const ssh = { ssh: { address: '192.0.2.1', user: 'root', via: 'din' } };

function configWith(change: { stores?: string[]; exclude?: string[]; jobs?: object } = {}): Config {
  const { stores = ['grogu'], exclude, jobs } = change;
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: { din: {}, grogu: ssh },
      resources: { photos: { host: 'din', dataset: 'fast/photos', ...(exclude && { exclude }) } },
      stores: Object.fromEntries(
        stores.map((store) => [store, { zfs: { host: 'grogu', dataset: `backup/${store}` } }]),
      ),
      jobs: jobs ?? { copy: { kind: 'zfs-replication', resources: ['photos'], stores } },
    }),
    '/holdfast.yaml',
  );
  assert(config, JSON.stringify(mistakes));
  return config;
}

const row = (name: string, guid: string, more: Partial<Row> = {}): Row => ({
  ...{ name, guid, createtxg: Number(guid), creationS: 1_795_000_000, usedBytes: 0, holds: 0 },
  ...more,
});
const named = (store: string, resource = 'photos'): string => destinationOf({ store, resource });
const cursorOn = (dataset: string, destination: string, guid = '7'): Row =>
  row(`${dataset}#${cursorName(destination, guid)}`, guid);
const bookmarks = (...rows: Row[]): Mark[] => marksIn(rows, new Map());
/** `said`: datasets with a role, or that are replicas, where that was asked. */
const fence = (dataset: string, said?: string[]): Mark[] =>
  marksIn(
    [row(`${dataset}@s`, '5', { holds: 1, usedBytes: 2 ** 30 })],
    new Map([[`${dataset}@s`, ['holdfast_fence']]]),
    said && new Map(said.map((name) => [name, {}])),
  );
const hold = (dataset: string, destination: string): Mark[] =>
  marksIn(
    [row(`${dataset}@s`, '5', { holds: 1, usedBytes: 2 ** 31 })],
    new Map([[`${dataset}@s`, [holdTag(destination, run)]]]),
  );
const left = (config: Config, marks: Mark[], host = 'din'): string[] =>
  leftoversIn(marks, claimsOn(config, host)).map(({ dataset, at }) => `${dataset} ${at}`);
const knows = (...stores: string[]): Remembered =>
  new Map(
    stores.map((store) => [
      shortOf(named(store)),
      { resource: 'photos', store, root: `backup/${store}/photos` },
    ]),
  );

describe('what is ours', () => {
  const strangers = [
    row('fast/photos#holdfast_grogu.photos_8', '7'),
    row('fast/photos#holdfast_grogu.photos_', '7'),
    row('fast/photos#holdfast_GROGU_7', '7'),
    row('fast/photos#holdfast_a b_7', '7'),
    row('fast/photos#syncoid_7', '7'),
  ];
  test('a bookmark only with its own guid in its name', () => {
    assert.deepEqual(bookmarks(...strangers), []);
    assert.equal(bookmarks(cursorOn('fast/photos', named('grogu'))).length, 1);
  });
  test('a hold only with a run of ours', () => {
    const tags = [
      'keep',
      'zrepl_x',
      'holdfast:x',
      `holdfast:${run}x`,
      `xholdfast:${run}`,
      'holdfast_grogu.photos_x',
      `holdfast_a b_${run}`,
      'holdfast_fence2',
    ];
    assert.deepEqual(
      marksIn([row('fast/photos@s', '5', { holds: 8 })], new Map([['fast/photos@s', tags]])),
      [],
    );
  });
});

describe('what is left over', () => {
  test('what a store left that the job has no more, and nothing of the stores that it has', () => {
    const marks = [
      ...bookmarks(
        cursorOn('fast/photos/a', named('grogu')),
        cursorOn('fast/photos/a', named('offsite'), '9'),
      ),
      ...hold('fast/photos', named('offsite')),
      ...hold('fast/photos/b', named('grogu')),
    ];
    assert.deepEqual(left(configWith(), marks), [
      `fast/photos/a ${cursorName(named('offsite'), '9')}`,
      'fast/photos s',
    ]);
  });
  test('long names stand shortened in both, and the way back of a failback belongs to its job', () => {
    const store = 'a-store-with-a-very-long-name';
    const config = configWith({ stores: [store] });
    const back = wayBackOf({ store, resource: 'photos' });
    assert.deepEqual(left(config, bookmarks(cursorOn('fast/photos', named(store)))), []);
    assert.deepEqual(
      left(config, bookmarks(cursorOn('backup/a-store-with-a-very-long-name/photos', back)), 'grogu'),
      [],
    );
    assert.equal(left(configWith(), bookmarks(cursorOn('fast/photos', named(store)))).length, 1);
  });
  test('the same name on a dataset that the resource does not mean any more', () => {
    assert.deepEqual(left(configWith(), bookmarks(cursorOn('fast/photos2', named('grogu')))).length, 1);
    assert.deepEqual(
      left(configWith(), bookmarks(cursorOn('fast/photos', named('grogu'))), 'grogu').length,
      1,
    );
  });
  test('what a job does not send any more: nothing goes on from there, and it holds a snapshot for ever', () => {
    const excluding = configWith({ exclude: ['tmp'] });
    const on = (dataset: string) => left(excluding, bookmarks(cursorOn(dataset, named('grogu'))));
    assert.equal(on('fast/photos/tmp').length, 1);
    assert.deepEqual(on('fast/photos/other'), []);
    assert.deepEqual(left(excluding, fence('fast/photos/tmp')), []);
  });
  test('fences below a replica of the file stay, and those on the source of a failback; what was parked needs none', () => {
    const config = configWith();
    const parked = 'backup/grogu/photos.parked-2026-11-20T030000Z/a';
    assert.equal(left(config, fence(parked), 'grogu').length, 1);
    for (const dataset of ['backup/grogu/photos', 'backup/grogu/photos/a b'])
      assert.deepEqual(left(config, fence(dataset), 'grogu'), []);
    assert.deepEqual(left(config, fence('fast/photos')), []);
    for (const dataset of ['backup/grogu/photos2', 'backup/grogu', 'backup/old/photos'])
      assert.equal(left(config, fence(dataset), 'grogu').length, 1, dataset);
  });
});

describe('fences on a source', () => {
  test('are left over once nothing says any more that it stands by: its replica died while it was in use, and a human freed it', () => {
    const config = configWith();
    for (const dataset of ['fast/photos', 'fast/photos/a b']) {
      assert.equal(left(config, fence(dataset, [])).length, 1, dataset);
      assert.deepEqual(left(config, fence(dataset, ['fast/photos'])), [], 'it stands by, or is sent back');
      assert.deepEqual(left(config, fence(dataset, ['fast'])), [], 'with what it lies in');
      assert.equal(left(config, fence(dataset, ['fast/pho', 'fast/photos/b'])).length, 1, 'others do');
    }
    assert.deepEqual(left(config, fence('backup/grogu/photos', []), 'grogu'), [], 'a replica keeps its own');
  });
  test('go without another word: no file can have a use for them, and the doctor says which job lets go of them', () => {
    const claims = claimsOn(configWith(), 'din');
    const rules = { claims, remembered: new Map(), endedRuns: [], alsoUnknown: false };
    const marks = fence('fast/photos', []);
    assert.equal(judge(marks, rules).goes.length, 1);
    assert.equal(judge(fence('fast/photos', ['fast/photos']), rules).goes.length, 0);
    const facts = leftoverFacts(configWith(), 'din', { marks, unasked: 0 }, new Map());
    const [finding] = judgeLeftovers(about('din'), facts, true);
    assert.equal(finding?.level, 'warning');
    assert.match(finding.found, /^a failover or replica that is over, in fast\/photos: 1 fence on 1 dataset/);
    assert.match(finding.next, /^holdfast do copy release-leftovers \(/);
  });
});

describe('what a backup or restore reads', () => {
  const reader = 'photos-to-cloud-2026-11-20T03:00:00Z';
  const reading = (dataset: string): Mark[] =>
    marksIn(
      [row(`${dataset}@s`, '5', { holds: 1, usedBytes: 2 ** 30 })],
      new Map([[`${dataset}@s`, [`holdfast:${reader}`]]]),
    );
  const marks = [...reading('fast/photos/a b'), ...reading('fast/photos')];
  const rules = { claims: claimsOn(configWith(), 'din'), remembered: new Map(), alsoUnknown: true };
  test('is left alone while the host knows that it has to let go of it', () => {
    assert.deepEqual(withoutOpen(marks, new Set([reader])), []);
    assert.deepEqual(withoutOpen(marks, new Set([run])), marks);
    const ofReplication = hold('fast/photos', named('grogu'));
    assert.deepEqual(withoutOpen(ofReplication, new Set([run])), ofReplication, 'its journal says nothing');
  });
  test('stays while its run may go on, and then until a human says that nobody else reads there', () => {
    const running = judge(marks, { ...rules, endedRuns: [] });
    assert.deepEqual(running.goes, []);
    assert.equal(running.stays[0]?.why, `${reader} may still be reading`);
    assert.deepEqual(running.holdingRuns, [reader]);
    const ended = { ...rules, endedRuns: [reader] };
    assert.equal(judge(marks, ended).goes.length, 2, 'needs no base');
    const unsaid = judge(marks, { ...ended, remembered: knows('grogu'), alsoUnknown: false });
    assert.match(unsaid.stays[0]?.why ?? '', /with --set unknown=release it goes too/);
    const [mark] = marks;
    assert(mark);
    assert.equal(commandToRelease(mark), `zfs release holdfast:${reader} 'fast/photos/a b@s'`);
  });
  test('on a replica as well, which remembers its own copies only', () => {
    const there = reading('backup/grogu/photos');
    const of = { ...rules, claims: claimsOn(configWith(), 'grogu'), remembered: knows('grogu') };
    const { goes, stays } = judge(there, { ...of, endedRuns: [reader], alsoUnknown: false });
    assert.deepEqual([goes.length, stays.length], [0, 1]);
  });
  test('the doctor says it as something to know, with the word that it takes', () => {
    const facts = leftoverFacts(configWith(), 'din', { marks, unasked: 0 }, new Map());
    const [finding, ...more] = judgeLeftovers(about('din'), facts, true);
    assert.deepEqual(more, []);
    assert.equal(finding?.level, 'note');
    assert.match(
      finding.found,
      /^backups and restores that read there: 2 holds by photos-to-cloud on 2 datasets below fast\/photos, since .*; what they hold keeps at least 2\.0 GiB; the state folder here knows of no such run$/,
    );
    assert.match(
      finding.next,
      /^If these runs are over \(holdfast status\), and no other .* reads there: holdfast do copy release-leftovers --set unknown=release/,
    );
  });
});

describe('what may go', () => {
  const [old, own] = [named('offsite'), named('grogu')];
  const judged = (marks: Mark[], more: Partial<Parameters<typeof judge>[1]> = {}, config = configWith()) =>
    judge(marks, {
      ...{
        claims: claimsOn(config, 'din'),
        remembered: knows('offsite'),
        endedRuns: [run],
        alsoUnknown: false,
      },
      ...more,
    });
  const withBase = bookmarks(cursorOn('fast/photos/a', old, '9'), cursorOn('fast/photos/a', own, '7'));
  test('of a store that this machine remembers, where the copy that is left has a base', () => {
    assert.equal(judged(withBase).goes.length, 1);
  });
  test('what nobody remembers only when a human says that no other file uses it', () => {
    const unsaid = judged(
      bookmarks(cursorOn('fast/photos/a', own, '9'), cursorOn('fast/photos/a', old, '7')),
      { remembered: new Map() },
    );
    assert.match(unsaid.stays[0]?.why ?? '', /another holdfast\.yaml may use it: with --set unknown=release/);
    const said = judged(bookmarks(cursorOn('fast/photos/a', own, '9'), cursorOn('fast/photos/a', old, '7')), {
      remembered: new Map(),
      alsoUnknown: true,
    });
    assert.equal(said.goes.length, 1);
  });
  test('a dataset that the job leaves out needs no base', () => {
    const alone = bookmarks(cursorOn('fast/photos/a', old, '9'));
    assert.deepEqual(judged(alone).goes, []);
    assert.equal(judged(alone, {}, undefined).goes.length, 0);
    assert.equal(judged(alone, { claims: claimsOn(configWith({ exclude: ['a'] }), 'din') }).goes.length, 1);
  });
});

describe('what the doctor says', () => {
  const marks = [
    ...hold('fast/photos', named('offsite')),
    ...bookmarks(cursorOn('fast/photos/a', named('offsite'))),
  ];
  const say = (config: Config, all: Mark[], remembered: Remembered, host = 'din') =>
    judgeLeftovers(about(host), leftoverFacts(config, host, { marks: all, unasked: 0 }, remembered), true);
  test('nothing when nothing is left over', () => {
    assert.deepEqual(say(configWith(), bookmarks(cursorOn('fast/photos', named('grogu'))), new Map()), []);
  });
  test('how many of what, since when, what it keeps, and the command that releases it', () => {
    const [finding, ...more] = say(configWith(), marks, knows('offsite'));
    assert.deepEqual(more, []);
    assert.equal(finding?.level, 'warning');
    assert.match(
      finding.found,
      /^copies to offsite\.photos: 1 hold and 1 bookmark by copy on 2 datasets below fast\/photos, since 2026-11-18; what they hold keeps at least 2\.0 GiB; no job/,
    );
    assert.match(finding.next, /^holdfast do copy release-leftovers \(/);
  });
  test('a snapshot job of the dataset can release it too, and what may be of another file is for knowing', () => {
    const jobs = { hourly: { kind: 'zfs-snapshot', resources: ['photos'] } };
    const [finding] = say(configWith({ jobs }), marks, new Map());
    assert.equal(finding?.level, 'note');
    assert.match(
      finding.next,
      /^If no other holdfast\.yaml replicates it: holdfast do hourly release-leftovers --set unknown=release/,
    );
  });
  test('exact lines where no job covers the dataset, those that keep most first, and never more than ten', () => {
    const many = Array.from({ length: 30 }, (_, at) =>
      bookmarks(cursorOn(`tank/it's ${at}`, 'old.photos')),
    ).flat();
    const lines = say(configWith(), [...many, ...hold("tank/it's 1", 'old.photos')], knows('old')).map(
      ({ next }) => next,
    );
    assert.equal(
      lines[1],
      `As root there, if nobody uses it: zfs release holdfast_old.photos_${run} 'tank/it'\\''s 1@s'`,
    );
    assert.equal(
      lines[2],
      `As root there, if nobody uses it: zfs destroy 'tank/it'\\''s 0#holdfast_old.photos_7'`,
    );
    assert.equal(lines.length, 12);
  });
  test('half a stream that no job goes on with, with the line that gives it up; what jobs go on with they tell themselves', async () => {
    const token = (name: string, of = '77') => `${name}\t1-abc\t${of}`;
    const rows = ['backup/old/a b', 'backup/grogu/photos/x', 'backup/grogu/photos.parked-2026-11-20T030000Z'];
    const { host } = hostWith(
      [...rows.map((name) => token(name)), token('backup/others', '-'), 'backup\t-\t-'],
      '',
    );
    const half = goneOnByNobody(await halfReceived(zfsOf(host)), claimsOn(configWith(), 'grogu'));
    assert.deepEqual(half, [rows[0], rows[2]]);
    const facts = {
      groups: [],
      groupCount: 0,
      lines: [],
      lineCount: 0,
      half: half.slice(0, 1),
      halfCount: 2,
    };
    const [finding, more] = judgeLeftovers(about('grogu'), facts, true);
    assert.match(finding?.next ?? '', /zfs receive -A 'backup\/old\/a b' \(/);
    assert.match(finding?.next ?? '', /if .* no restore into it is under way \(holdfast status shows it\)/);
    assert.match(more?.found ?? '', /1 more/);
  });
  test('a host whose zfs does not answer is told only where something lies in it', () => {
    const facts = { groups: [], groupCount: 0, lines: [], lineCount: 0, error: 'no module' };
    assert.equal(judgeLeftovers(about('din'), facts, true).length, 1);
    assert.deepEqual(judgeLeftovers(about('din'), facts, false), []);
  });
});

test('plain names stand in a line as they are', () => {
  const [mark] = bookmarks(cursorOn('fast/photos', named('offsite')));
  assert(mark);
  assert.equal(commandToRelease(mark), 'zfs destroy fast/photos#holdfast_offsite.photos_7');
});

test('a job covers its resources on a host, and all of the places of its stores there', () => {
  const config = configWith();
  assert.deepEqual(rootsOfJob(config, 'copy', 'din'), ['fast/photos']);
  assert.deepEqual(rootsOfJob(config, 'copy', 'grogu'), ['backup/grogu']);
  assert.deepEqual(rootsOfJob(config, 'none', 'din'), []);
});

/** Answers a listing, and who holds what. */
function hostWith(rows: string[], tags: string, said = ''): { host: Host; asked: string[][] } {
  const asked: string[][] = [];
  const host = {
    name: 'din',
    async run(
      { args }: { args: string[] },
      { onLine }: { onLine?: (line: string, stream: string) => void } = {},
    ) {
      asked.push(args);
      if (args[0] === 'get') return { exitCode: 0, stdout: said, stderrTail: '' };
      if (args[0] === '-c') return { exitCode: 0, stdout: tags, stderrTail: '' };
      if (args.includes('gone'))
        return { exitCode: 1, stdout: '', stderrTail: "cannot open 'gone': dataset does not exist" };
      for (const line of rows) onLine?.(line, 'stdout');
      return { exitCode: 0, stdout: '', stderrTail: '' };
    },
  };
  return { host: host as unknown as Host, asked };
}
const zfsOf = (host: Host) => ({ host, signal: new AbortController().signal, zfs: 'zfs', zpool: 'zpool' });
const listed = [
  'fast/a b@s\t5\t9\t1795000000\t100\t1',
  'fast/a b@t\t6\t10\t1795000000\t0\t0',
  'fast/a b#holdfast_x.y_5\t5\t9\t1795000000\t-\t-',
];

test('one listing, and one question for what is held alone; a root that is not there has nothing', async () => {
  const { host, asked } = hostWith(listed, `fast/a b@s\tholdfast_x.y_${run}\tThu Jan  1  0:00 1970\n`);
  const { marks } = await lookAtMarks(zfsOf(host), ['fast', 'gone']);
  assert.deepEqual(
    marks.map(({ kind, at, usedBytes }) => [kind, at, usedBytes]),
    [
      ['hold', 's', 100],
      ['cursor', 'holdfast_x.y_5', 0],
    ],
  );
  assert.equal(asked.length, 3);
  assert(!asked[2]?.[1]?.includes('a b@t'));
});

test('of fences it is asked once for each pool what stands by there or is a replica', async () => {
  for (const [said, isUseless] of [
    ['', true],
    ['fast/a b\tholdfast:role\tstandby r grogu\n', undefined],
    ['fast/a b\tholdfast:replica-of\t7\n', undefined],
  ] as const) {
    const { host, asked } = hostWith(listed, 'fast/a b@s\tholdfast_fence\tThu Jan  1  0:00 1970\n', said);
    const { marks } = await lookAtMarks(zfsOf(host), ['fast/a b']);
    const fences = marks.filter(({ kind }) => kind === 'fence');
    assert.deepEqual(
      fences.map((one) => [one.dataset, one.isUseless]),
      [['fast/a b', isUseless]],
    );
    const gets = asked.filter(([verb]) => verb === 'get');
    assert.deepEqual(
      gets.map((words) => words.slice(-2)),
      [['holdfast:role,holdfast:replica-of', 'fast']],
    );
  }
});

test('an answer that cannot be understood is an error, never "nothing"', async () => {
  const { host } = hostWith(['fast/a b@s\tx'], '');
  await assert.rejects(lookAtMarks(zfsOf(host), 'all pools'), { code: 'HF_TOOL_FAILED' });
});
