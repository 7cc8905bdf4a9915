import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Zfs } from '../../activities/zfs/listing.js';
import { bringTreeBack, proveRolledBack, rollBack } from '../../activities/zfs/roll-back.js';
import type { RunResult } from '../../system/host.js';
import { closeOwnHosts } from '../support/lab-zfs-host.js';
import { rollBackScene } from '../support/roll-back-scene.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** A roll-back that is killed at one of its commands: one of both states comes whole. */

const lab = useZfsLab();
const { skip } = lab;
after(closeOwnHosts);

class Killed extends Error {}

/** Dies instead of the command of this number. */
function dyingAt(zfs: Zfs, left: number): Zfs {
  const counter = { left };
  const host = {
    ...zfs.host,
    run(...args: Parameters<Zfs['host']['run']>): Promise<RunResult> {
      const changes = !['list', 'get'].includes(args[0].args[0] ?? '');
      if (changes && counter.left-- === 0) throw new Killed();
      return zfs.host.run(...args);
    },
  };
  return { ...zfs, host };
}

test('killed at any command of it: the same steps again end it, and the way back ends as it was', {
  skip,
}, async () => {
  const { root, zfs, state, plan, file } = await rollBackScene(lab.din, 'killed');
  const before = (await state()).sort();
  const rolled = await plan();
  // In the unmounting, after the rename, among the clones, among the promotions.
  for (const [turn, at] of [2, 5, 10, 14].entries()) {
    await assert.rejects(
      rollBack(dyingAt(zfs, at), rolled, () => undefined),
      Killed,
    );
    if (turn % 2 === 1) {
      await rollBack(zfs, rolled, () => undefined);
      await proveRolledBack(zfs, rolled);
      assert.equal(await file(), 'old');
    }
    await bringTreeBack(dyingAt(zfs, 3), rolled).catch((error: unknown) => assert(error instanceof Killed));
    await bringTreeBack(zfs, rolled);
    assert.deepEqual((await state()).sort(), before, `killed at command ${at}`);
    await lab.din.sh(
      `zfs list -Ho name '${rolled.back}' >/dev/null 2>&1 && zfs destroy -r '${rolled.back}' || true`,
    );
    assert.equal(await lab.din.zfs('get', '-Ho', 'value', 'origin', `${root}/a b`), '-');
  }
});
