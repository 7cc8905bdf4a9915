import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planReplication } from '../../activities/zfs/plan-replication.js';
import { neverRead, unreadOnceMore } from '../../activities/zfs/replicate-rounds.js';
import type { DatasetPlan, PlanInput, TokenReading } from '../../activities/zfs/replicate-types.js';
import { readToken } from '../../activities/zfs/resume-token.js';
import { dataset, listingOf, snapshot, wholePolicy } from '../support/zfs-trees.js';

/** What an interrupted receive has left: gone on with where that is possible, else given up, each with its reason. */

const [one, two, three] = [snapshot('one', 11), snapshot('two', 12), snapshot('three', 13)];
const other = snapshot('two', 40);

const plan = (reading: TokenReading, more: Partial<PlanInput> = {}, held = [one]) => {
  const source = [
    dataset('fast/k', {}, [one, { ...two, holds: 1 }, three]),
    dataset('fast/k/other', { encryption: 'aes-256-gcm' }, [other]),
  ];
  const target = [
    dataset('backup/k', { replicaOf: source[0]?.guid, resumeToken: '1-token' }, held),
    dataset('backup', {}),
  ];
  const input: PlanInput = {
    source: listingOf(source),
    sourceRoot: 'fast/k',
    target: listingOf(target),
    targetRoot: 'backup/k',
    policy: wholePolicy,
    tokens: new Map([['backup/k', reading]]),
    ...more,
  };
  return planReplication(input).find(({ target: name }) => name === 'backup/k');
};

const half = {
  toGuid: two.guid,
  toName: 'fast/k@two',
  fromGuid: one.guid,
  raw: false,
  bytesDone: 4096,
};

test('what can be gone on with is, and the rest of the backlog follows it', () => {
  const found = plan({ facts: half });
  assert.equal(found?.kind, 'resume');
  assert.deepEqual(found?.resume, { token: '1-token', toName: 'two', toGuid: two.guid, bytesDone: 4096 });
  assert.deepEqual(
    found?.segments.map(({ to }) => to),
    ['three'],
  );
  assert.deepEqual([found?.abandon, found?.behind], [undefined, 2]);
});

const givenUp: [string, TokenReading, Partial<PlanInput>, RegExp][] = [
  [
    'that is corrupt, as zfs says',
    { hopeless: 'cannot resume send: resume token is corrupt (incorrect checksum)' },
    {},
    /corrupt/,
  ],
  [
    'whose snapshot has vanished',
    { facts: { ...half, toGuid: '99', toName: 'fast/k@gone' } },
    {},
    /fast\/k@gone is no longer on the source/,
  ],
  [
    'of another dataset',
    { facts: { ...half, toGuid: other.guid, toName: 'fast/k/other@two' } },
    {},
    /no longer on the source/,
  ],
  ['in another encryption mode', { facts: { ...half, raw: true } }, {}, /another encryption mode/],
  [
    'whose base has vanished, as zfs says',
    { facts: half, hopeless: 'cannot resume send: incremental source 0xb no longer exists' },
    {},
    /incremental source 0xb no longer exists/,
  ],
  ['of a replica that has moved on', { facts: { ...half, fromGuid: three.guid } }, {}, /moved on/],
  [
    'that was tried and did not move',
    { facts: half },
    { givenUp: new Set(['1-token']) },
    /tried several times/,
  ],
];
for (const [what, reading, more, reason] of givenUp)
  test(`a token ${what} is given up, and the dataset is sent from its base again`, () => {
    const found = plan(reading, more);
    assert.equal(found?.kind, 'incremental');
    assert.match(found?.abandon ?? '', reason);
    assert.equal(found?.resume, undefined);
    assert.equal(found?.segments[0]?.from?.guid, one.guid, 'what has arrived before stays the base');
  });

test('a first copy whose token is of no use begins anew, and one that nothing would be missing of is only cleared', () => {
  const first = plan({ facts: { ...half, toGuid: '99' } }, {}, []);
  assert.deepEqual([first?.kind, first?.segments[0]?.from], ['full', undefined]);
  assert.match(first?.abandon ?? '', /given up/);
  const current = plan({ facts: { ...half, toGuid: '99' } }, {}, [one, two, three]);
  assert.deepEqual([current?.kind, current?.segments], ['nothing', []]);
  assert.match(current?.abandon ?? '', /given up/);
});

const said = `resume token contents:
nvlist version: 0
	object = 0x2
	offset = 0x1e0000
	bytes = 0x1f2a40
	toguid = 0x7f2b7f0a5a1f1d33
	toname = fast/t/large one@one
	fromguid = 0xb
	rawok = 1
full send of fast/t/large one@one estimated size is 10.1M
total estimated size is 10.1M
`;

test('what zfs says of a token is read', () => {
  assert.deepEqual(readToken({ exitCode: 0, text: said }), {
    facts: {
      toGuid: BigInt('0x7f2b7f0a5a1f1d33').toString(),
      toName: 'fast/t/large one@one',
      fromGuid: '11',
      raw: true,
      bytesDone: 0x1f2a40,
    },
  });
});

for (const words of [
  'resume token is corrupt (invalid format)',
  'resume token is corrupt (incorrect checksum)',
  'resume token is corrupt (nvlist is bad)',
  'resume token is corrupt',
  "'fast/t/large one@one' used in the initial send no longer exists",
  "'fast/t/large one@one' is no longer the same snapshot used in the initial send",
  'incremental source 0xb no longer exists',
])
  test(`zfs says that a token is of no use: ${words}`, () => {
    const { hopeless, unread } = readToken({ exitCode: 255, text: `${said}cannot resume send: ${words}\n` });
    assert.deepEqual([hopeless, unread], [`cannot resume send: ${words}`, undefined]);
  });

const unclear: [what: string, exitCode: number, text: string, words: RegExp][] = [
  ['it was killed before it said anything', 137, '', /ended with 137: nothing was said of it/],
  ['it was killed after it had decoded it', 137, said, /ended with 137/],
  ['it may not be run', 126, 'sudo: a password is required\n', /a password is required/],
  ['its module is away', 1, 'The ZFS modules cannot be auto-loaded.\n', /auto-loaded/],
  ['a pool is suspended', 1, `${said}warning: cannot estimate space for 'fast/t': I/O error\n`, /I\/O error/],
  ['it ended well and said nothing', 0, '', /ended with 0/],
  [
    'it complains of a dataset that is called like a complaint',
    1,
    "cannot resume send: unable to access 'fast/resume token is corrupt'\n",
    /unable to access/,
  ],
];
for (const [what, exitCode, text, words] of unclear)
  test(`zfs has not judged a token, because ${what}: what has arrived waits, and its snapshots stay held`, () => {
    const reading = readToken({
      exitCode,
      text: text.replace('0x7f2b7f0a5a1f1d33', `0x${BigInt(two.guid).toString(16)}`),
    });
    assert.match(reading.unread ?? '', words);
    for (const held of [[one], []]) {
      const found = plan(reading, {}, held);
      assert.equal(found?.kind, 'wait');
      assert.deepEqual([found?.abandon, found?.resume, found?.segments], [undefined, undefined, []]);
      assert.match(found?.reason ?? '', words);
      assert.deepEqual(found?.holds, ['two']);
      assert.equal(found?.behind, held.length === 0 ? 3 : 2);
    }
  });

test('zfs was not asked, or its answer was lost on the way: the same', () => {
  assert.equal(plan(readToken(undefined))?.kind, 'wait');
  assert.equal(plan({}, { tokens: new Map() })?.kind, 'wait');
});

test('nothing waits for ever: a token that ten runs in a row could not read is given up by the next', () => {
  const waiting = plan(readToken(undefined)) as DatasetPlan;
  const target = listingOf([dataset('backup/k', { resumeToken: '1-token' }, [one])]);
  let unread: [string, number][] = [];
  for (let run = 1; run <= 10; run += 1) {
    assert.deepEqual(neverRead(unread), [], `before run ${run}`);
    unread = unreadOnceMore([waiting], { target } as unknown as PlanInput, unread);
  }
  const end = plan(readToken(undefined), { givenUp: new Set(neverRead(unread)) });
  assert.match(end?.abandon ?? '', /tried several times/);
  const { unread: _, ...read } = waiting;
  assert.deepEqual(unreadOnceMore([read], { target } as unknown as PlanInput, unread), [], 'read once: anew');
});
