import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { askStatus } from '../../activities/snapraid/ask.js';
import { planRepair, repairBad } from '../../activities/snapraid/repair-bad.js';
import { scrubArray } from '../../activities/snapraid/scrub.js';
import { type Answer, fakeArray, fixed, status, worked } from '../support/fake-snapraid.js';

/** The yes to a repair of bad blocks, with a snapraid that answers as it is told. */

/** As version 12 says it: with a line for each block. */
const withBlocks = (...bad: number[]): Answer => {
  const { lines } = status({ bad: bad.length });
  const blocks = bad.map((number) => `block:${number}:1795000000:used::bad:`);
  return { lines: [...lines, 'block:9:1795000000:used:::', ...blocks] };
};
const found = (files: Record<string, string>): Answer => fixed('recoverable', files, 1);
const two = found({ 'd1:a.mkv': 'recoverable', 'd2:b.mkv': 'unrecoverable' });

async function digestOf(blocks: Answer, files: Answer): Promise<string> {
  const { array, answer } = fakeArray();
  answer('status', blocks);
  answer('check', files);
  return (await planRepair(array, await askStatus(array))).digest;
}

describe('a repair of bad blocks', () => {
  test('is planned with the names of its files, those that are lost first', async () => {
    const { array, answer, calls } = fakeArray();
    answer('status', status(), status({ bad: 2 }));
    answer('scrub', worked('error', { data: 2 }));
    answer('check', two);
    const { bad, files, digest } = await scrubArray(array, array.input);
    assert.deepEqual([bad, files], [2, ['cannot be repaired: d2:b.mkv', 'can be repaired: d1:a.mkv']]);
    assert.match(digest, /^[0-9a-f]{64}$/);
    assert(calls().includes('--verbose --filter-error check'));
  });

  test('needs another yes for the same number of other blocks, also within the same files', async () => {
    const approved = await digestOf(withBlocks(3, 5, 9), two);
    assert.equal(await digestOf(withBlocks(3, 5, 9), two), approved);
    // The first, the last and the number are the same.
    assert.notEqual(await digestOf(withBlocks(3, 6, 9), two), approved);
    assert.notEqual(await digestOf(withBlocks(3, 5, 9, 10), two), approved);
  });

  test('needs another yes for other files, where a version does not say which blocks are bad', async () => {
    const approved = await digestOf(status({ bad: 2 }), two);
    const other = found({ 'd1:a.mkv': 'recoverable', 'd2:c.mkv': 'unrecoverable' });
    assert.notEqual(await digestOf(status({ bad: 2 }), other), approved);
  });

  test('goes on after a kill half way, when some of it is right already', async () => {
    const half = found({ 'd1:a.mkv': 'correct', 'd2:b.mkv': 'unrecoverable' });
    assert.equal(await digestOf(status({ bad: 2 }), half), await digestOf(status({ bad: 2 }), two));
  });

  test('writes nothing when other blocks are bad than those that were approved, and asks for those', async () => {
    const { array, answer, calls } = fakeArray();
    answer('status', withBlocks(3, 6));
    answer('check', two);
    const digest = await digestOf(withBlocks(3, 5), two);
    const { changed, repaired } = await repairBad(array, { ...array.input, digest });
    assert.deepEqual([repaired, changed?.bad], [0, 2]);
    assert.equal(changed?.digest, await digestOf(withBlocks(3, 6), two));
    assert(!calls().some((call) => call.endsWith('fix')));
    answer('fix', fixed('recovered', { 'd1:a.mkv': 'recovered', 'd2:b.mkv': 'recovered' }));
    const done = await repairBad(array, { ...array.input, digest: changed?.digest ?? '' });
    assert.deepEqual([done.repaired, done.changed], [2, undefined]);
  });

  test('is not planned from a check that does not say how it ended', async () => {
    const { array, answer } = fakeArray();
    answer('status', status({ bad: 2 }));
    answer('check', { lines: [], code: 1, stderr: 'no parity' });
    await assert.rejects(repairBad(array, { ...array.input, digest: '' }), { code: 'HF_ARRAY_REFUSED' });
    answer('check', {
      lines: ['error_io:3:d1:a.mkv: Read error', ...worked('error', { io: 1 }).lines],
      code: 1,
    });
    await assert.rejects(repairBad(array, { ...array.input, digest: '' }), { code: 'HF_ARRAY_DISK_MISSING' });
  });

  test('is not begun without a parity: snapraid would make an empty one, as long as it must be', async () => {
    const { array, answer, calls, folder } = fakeArray();
    answer('status', status({ bad: 2 }));
    answer('check', two);
    const digest = await digestOf(status({ bad: 2 }), two);
    rmSync(join(folder, 'p/parity'));
    const lost = { code: 'HF_ARRAY_DISK_MISSING', message: /parity has 0 of at least 4000 bytes/ };
    await assert.rejects(repairBad(array, { ...array.input, digest }), lost);
    await assert.rejects(scrubArray(array, array.input), lost);
    assert.deepEqual([...new Set(calls())], ['status']);
  });
});
