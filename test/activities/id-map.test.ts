import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shiftedCapability, shiftedEntry, shiftedList } from '../../activities/restic/id-shift.js';
import { mappedId, parseIdMap, rangeNotAllowed } from '../../contracts/id-map.js';
import { failsWith } from '../platform/restic-bench.js';

const up = parseIdMap(['0:100000:65536']);
const down = parseIdMap(['100000:0:65536']);

test('ids move with their range, and a side without ranges stays', () => {
  assert.deepEqual(
    [0, 65_535, 65_536].map((id) => mappedId(up.uid, id)),
    [100_000, 165_535, undefined],
  );
  const one = parseIdMap(['uid=1000:0:1', 'uid=0:1000:1', 'gid=5:6:2']);
  assert.deepEqual([mappedId(one.uid, 1000), mappedId(one.uid, 0), mappedId(one.gid, 6)], [0, 1000, 7]);
  assert.equal(mappedId(parseIdMap(['uid=0:1:1']).gid, 12), 12);
});

test('maps that are no maps, leave the ids there are, or make one owner of two, are refused with what is wrong', () => {
  const wrong: [string[], RegExp][] = [
    [['a:b:c'], /FROM:TO:COUNT.*not "a:b:c"/],
    [['0:100000'], /FROM:TO:COUNT/],
    [['-1:5:1'], /FROM:TO:COUNT/],
    [['pid=0:5:1'], /FROM:TO:COUNT/],
    [['0:100000:0'], /COUNT is 0/],
    [['0:4294967290:6'], /goes beyond 4294967294/],
    [['4294967295:0:1'], /goes beyond/],
    [['0:100000:10', '9:200000:10'], /uid 9 is named by two ranges, in the copy/],
    [['uid=0:100:10', 'uid=50:109:1'], /uid 109 is named by two ranges, after mapping/],
    [['0:100000:10', 'gid=20:100009:1'], /gid 100009 is named by two ranges/],
    [Array.from({ length: 400 }, (_, id) => `${id}:${id}:1`), /at most/],
  ];
  for (const [words, message] of wrong)
    assert.throws(() => parseIdMap(words), failsWith('HF_USAGE', message));
});

test('a host allows what lies within its own ranges with the same shift, and nothing else', () => {
  const asked = (word: string) => rangeNotAllowed(parseIdMap([word]), [up]);
  assert.equal(asked('0:100000:65536'), undefined);
  assert.equal(asked('uid=33:100033:1'), undefined);
  assert.equal(asked('100000:0:65536'), 'uid=100000:0:65536');
  assert.equal(asked('0:100000:65537'), 'uid=0:100000:65537');
  assert.equal(asked('gid=0:100001:1'), 'gid=0:100001:1');
  assert.equal(rangeNotAllowed(parseIdMap([]), []), undefined);
});

test('ids inside of access lists are mapped, owners in them and masks are not', () => {
  assert.equal(shiftedEntry(up, 'user:33:r-x'), 'user:100033:r-x');
  assert.equal(shiftedEntry(up, 'default:group:44:rwx'), 'default:group:100044:rwx');
  assert.equal(shiftedEntry(up, 'user::rwx'), 'user::rwx');
  const list = Buffer.from('0200000001000600ffffffff020004002100000010000400ffffffff', 'hex');
  const mapped = shiftedList(up, list);
  assert.equal(mapped.toString('hex'), '0200000001000600ffffffff02000400c186010010000400ffffffff');
  assert.deepEqual(shiftedList(down, mapped), list);
});

test('capabilities of a container name its root; those of the machine name none', () => {
  const ofMachine = Buffer.from('0100000200200000000000000000000000000000', 'hex');
  const ofContainer = Buffer.from('0100000300200000000000000000000000000000a0860100', 'hex');
  assert.deepEqual(shiftedCapability(up, ofMachine), ofMachine);
  assert.deepEqual(shiftedCapability(down, ofContainer), ofMachine);
  const other = shiftedCapability(parseIdMap(['100000:200000:65536']), ofContainer);
  assert.equal(other.toString('hex'), '0100000300200000000000000000000000000000400d0300');
  assert.throws(() => shiftedCapability(up, ofContainer), failsWith('HF_TARGET_REFUSED', /uid 100000/));
});
