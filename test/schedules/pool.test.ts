import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { mapBounded } from '../../schedules/pool.js';

describe('work done so many at a time', () => {
  test('never more at once than allowed, and results in the order of the items', async () => {
    let running = 0;
    let most = 0;
    const results = await mapBounded([5, 1, 4, 2, 3, 0], 3, async (turns) => {
      most = Math.max(most, ++running);
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      running--;
      return turns * 2;
    });
    assert.deepEqual(results, [10, 2, 8, 4, 6, 0]);
    assert.equal(most, 3);
  });

  test('the first failure is handed on and nothing new is begun', async () => {
    const begun: number[] = [];
    const work = async (item: number) => {
      begun.push(item);
      await nextTurn();
      if (item === 1) throw new Error('broken');
    };
    await assert.rejects(mapBounded([0, 1, 2, 3, 4, 5, 6, 7], 2, work), /broken/);
    assert.ok(begun.length <= 3, `began ${begun.join(', ')}`);
  });

  test('nothing to do is done at once', async () => {
    assert.deepEqual(await mapBounded([], 8, async () => assert.fail()), []);
  });
});
