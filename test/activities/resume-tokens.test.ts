import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planReplication } from '../../activities/zfs/plan-replication.js';
import type { PlanInput, TokenFacts } from '../../activities/zfs/replicate-types.js';
import { parseToken } from '../../activities/zfs/resume-token.js';
import { dataset, listingOf, snapshot, wholePolicy } from '../support/zfs-trees.js';

/** What an interrupted receive has left: gone on with where that is possible, else given up, each with its reason. */

const [one, two, three] = [snapshot('one', 11), snapshot('two', 12), snapshot('three', 13)];
const other = snapshot('two', 40);

const plan = (facts: TokenFacts | undefined, more: Partial<PlanInput> = {}, held = [one]) => {
  const source = [
    dataset('fast/k', {}, [one, two, three]),
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
    tokens: facts ? new Map([['backup/k', facts]]) : new Map(),
    ...more,
  };
  return planReplication(input).find(({ target: name }) => name === 'backup/k');
};

const half: TokenFacts = {
  toGuid: two.guid,
  toName: 'fast/k@two',
  fromGuid: one.guid,
  raw: false,
  bytesDone: 4096,
};

test('what can be gone on with is, and the rest of the backlog follows it', () => {
  const found = plan(half);
  assert.equal(found?.kind, 'resume');
  assert.deepEqual(found?.resume, { token: '1-token', toName: 'two', toGuid: two.guid, bytesDone: 4096 });
  assert.deepEqual(
    found?.segments.map(({ to }) => to),
    ['three'],
  );
  assert.deepEqual([found?.abandon, found?.behind], [undefined, 2]);
});

const givenUp: [string, TokenFacts | undefined, Partial<PlanInput>, RegExp][] = [
  ['that nobody can read', undefined, {}, /it cannot be read/],
  [
    'whose snapshot has vanished',
    { ...half, toGuid: '99', toName: 'fast/k@gone' },
    {},
    /fast\/k@gone is no longer on the source/,
  ],
  [
    'of another dataset',
    { ...half, toGuid: other.guid, toName: 'fast/k/other@two' },
    {},
    /no longer on the source/,
  ],
  ['in another encryption mode', { ...half, raw: true }, {}, /another encryption mode/],
  [
    'whose base has vanished, as zfs says',
    { ...half, problem: 'cannot resume send: incremental source 0xb no longer exists' },
    {},
    /incremental source 0xb no longer exists/,
  ],
  ['of a replica that has moved on', { ...half, fromGuid: three.guid }, {}, /moved on/],
  ['that was tried and did not move', half, { givenUp: new Set(['1-token']) }, /tried several times/],
];
for (const [what, facts, more, reason] of givenUp)
  test(`a token ${what} is given up, and the dataset is sent from its base again`, () => {
    const found = plan(facts, more);
    assert.equal(found?.kind, 'incremental');
    assert.match(found?.abandon ?? '', reason);
    assert.equal(found?.resume, undefined);
    assert.equal(found?.segments[0]?.from?.guid, one.guid, 'what has arrived before stays the base');
  });

test('a first copy whose token is of no use begins anew, and one that nothing would be missing of is only cleared', () => {
  const first = plan({ ...half, toGuid: '99' }, {}, []);
  assert.deepEqual([first?.kind, first?.segments[0]?.from], ['full', undefined]);
  assert.match(first?.abandon ?? '', /given up/);
  const current = plan({ ...half, toGuid: '99' }, {}, [one, two, three]);
  assert.deepEqual([current?.kind, current?.segments], ['nothing', []]);
  assert.match(current?.abandon ?? '', /given up/);
});

test('what zfs says of a token is read; of a corrupt one or one of another format nothing is', () => {
  const said = `resume token contents:
nvlist version: 0
\tobject = 0x2
\toffset = 0x1e0000
\tbytes = 0x1f2a40
\ttoguid = 0x7f2b7f0a5a1f1d33
\ttoname = fast/t/large one@one
\tfromguid = 0xb
\trawok = 1
full send of fast/t/large one@one estimated size is 10.1M
`;
  assert.deepEqual(parseToken(said), {
    toGuid: BigInt('0x7f2b7f0a5a1f1d33').toString(),
    toName: 'fast/t/large one@one',
    fromGuid: '11',
    raw: true,
    bytesDone: 0x1f2a40,
  });
  for (const bad of [
    'cannot resume send: resume token is corrupt (incorrect checksum)\n',
    'cannot resume send: resume token is corrupt (nvlist is bad)\n',
    'cannot resume send: resume token is corrupt (feature unsupported)\n',
    '',
  ])
    assert.equal(parseToken(bad), undefined);
  const gone = parseToken(
    `${said}cannot resume send: 'fast/t/large one@one' used in the initial send no longer exists\n`,
  );
  assert.match(gone?.problem ?? '', /no longer exists/);
});
