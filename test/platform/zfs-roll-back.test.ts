import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { bringTreeBack, proveRolledBack, rollBack } from '../../activities/zfs/roll-back.js';
import { closeOwnHosts } from '../support/lab-zfs-host.js';
import { rollBackScene } from '../support/roll-back-scene.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** A tree that goes back to a snapshot and forth again on a real pool. */

const lab = useZfsLab();
const { skip } = lab;
after(closeOwnHosts);

test('a tree goes back with its history and its properties, what was newer stays aside, and it comes back as it was', {
  skip,
}, async () => {
  const { root, zfs, state, plan, file } = await rollBackScene(lab.din, 'whole');
  const before = await state();
  const rolled = await plan();
  assert.match(
    rolled.steps.join('\n'),
    /newer +4 newer snapshots.*\n.*left +1 datasets.*late.*\n.*disks +1 zvols.*\n.*replicas +3 destinations.*: far, late, grogu/,
  );
  await rollBack(zfs, rolled, () => undefined);
  await proveRolledBack(zfs, rolled);
  assert.equal(await file(), 'old');
  const facts = await lab.din.zfs(
    'list',
    '-Hr',
    '-o',
    'name,origin,canmount,mountpoint,quota,compression',
    root,
  );
  assert.deepEqual(
    facts.split('\n').map((line) => line.slice(root.length).split('\t')),
    [
      ['', '-', 'on', '/whole place', 'none', 'zstd'],
      ['/a b', '-', 'on', '/whole place/a b', '64M', 'zstd'],
      ['/n', '-', 'noauto', '/whole place/n', 'none', 'zstd'],
      ['/vol', '-', '-', '-', '-', 'zstd'],
    ],
  );
  assert.equal(await lab.din.sh(`zfs list -Hr -o mounted '${rolled.aside}' | sort -u | tr -d '\\\n-'`), 'no');
  assert.match(
    await lab.din.zfs('list', '-Hr', '-t', 'all', '-o', 'name', rolled.aside),
    /late@two[\s\S]*|#holdfast_grogu_1/,
  );
  // Of what is gone as a snapshot as well; that of @two is of what did not come back.
  const cursors = await lab.din.zfs('list', '-Hr', '-t', 'bookmark', '-o', 'name', root);
  assert.deepEqual(cursors.split('\n'), [`${root}#holdfast_far_7`, `${root}#holdfast_late_8`]);
  await bringTreeBack(zfs, rolled);
  assert.deepEqual((await state()).sort(), before.sort());
  assert.equal(await file(), 'new');
});

test('in use: nothing is changed, and what was unmounted is mounted again', { skip }, async () => {
  const { zfs, state, plan } = await rollBackScene(lab.din, 'used');
  const before = await state();
  const rolled = await plan();
  await lab.din.sh(`cd '/used place' && (sleep 300 >/dev/null 2>&1 </dev/null & echo $! > /tmp/used.pid)`);
  await assert.rejects(
    rollBack(zfs, rolled, () => undefined),
    /busy/,
  );
  await bringTreeBack(zfs, rolled);
  assert.deepEqual(await state(), before);
  await lab.din.sh('kill "$(cat /tmp/used.pid)"');
});
