import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { SnapArray } from '../../activities/snapraid/array.js';
import { lookAtArray } from '../../activities/snapraid/look.js';
import { poolWarnings } from '../../activities/snapraid/pool.js';
import { diff, fakeArray, status } from '../support/fake-snapraid.js';
import { needs } from '../support/needs.js';
import { beforeRemoval } from '../support/temp.js';

/** The pool over the disks of an array, on a real mergerfs. */

describe('the mergerfs pool of an array', { skip: needs('mergerfs') }, () => {
  function pooled(...branches: string[]): SnapArray & { mount(): void; unmount(): void } {
    const { array, folder, answer } = fakeArray();
    answer('status', status());
    answer('diff', diff());
    const pool = join(folder, "pool 'é");
    for (const name of ['d1/media', 'other']) mkdirSync(join(folder, name), { recursive: true });
    mkdirSync(pool);
    const unmount = (): void => void execFileSync('umount', [pool]);
    const mount = (): void => {
      execFileSync('mergerfs', [
        '-o',
        'defaults',
        branches.map((name) => join(folder, name)).join(':'),
        pool,
      ]);
      beforeRemoval(() => {
        try {
          unmount();
        } catch {
          // It is unmounted already.
        }
      });
    };
    return { ...array, config: { ...array.config, pool }, mount, unmount };
  }
  const refusal = (words: RegExp) => ({ code: 'HF_SOURCE_MISSING', message: words });

  test('with all disks in it is fine, whole or by a folder of theirs', async () => {
    for (const branches of [
      ['d1', 'd2'],
      ['d1/media', 'd2', 'other'],
    ]) {
      const array = pooled(...branches);
      array.mount();
      assert.deepEqual(await poolWarnings(array, {}), []);
      assert.deepEqual((await lookAtArray(array)).warnings, []);
    }
  });

  test('without one of them keeps everything away; afterwards it is a warning, and what was done stays done', async () => {
    const array = pooled('d1', 'other');
    await assert.rejects(lookAtArray(array), refusal(/nothing is mounted at .*Nothing was begun/));
    array.mount();
    await assert.rejects(lookAtArray(array), refusal(/d2 is no branch of it\. Nothing was begun/));
    const after = await lookAtArray(array, { ...array.input, after: true });
    assert.deepEqual(after.warnings, ['the pool of "media" is not whole any more: d2 is no branch of it']);
    array.unmount();
    const gone = await lookAtArray(array, { ...array.input, after: true });
    assert.match(gone.warnings.join(), /not whole any more: nothing is mounted at /);
  });

  test('whose branches cannot be asked for is not taken for whole', async () => {
    const array = pooled('d1', 'd2');
    array.mount();
    const host = {
      ...array.tools.host,
      findProgram: async (file: string) =>
        file === 'getfattr' ? undefined : array.tools.host.findProgram(file),
    };
    const [warning] = await poolWarnings({ ...array, tools: { ...array.tools, host } }, {});
    assert.match(
      warning ?? '',
      /whether all disks are in the pool .* is not known: getfattr is not on "nas"/,
    );
  });
});
