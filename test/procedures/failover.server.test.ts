import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Estate } from '../support/estate.js';
import {
  act,
  assertOneSide,
  assertOwnPlaces,
  fileIn,
  guids,
  jobName,
  makeTree,
  property,
  replicate,
  startFailoverEstate,
  treesOf,
  writeIn,
} from '../support/failover-estate.js';
import { needs } from '../support/needs.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** A failover whose source lives, and the way back, on two real ZFS hosts; a dead source is in failover-plug.full.test.ts. */

const lab = useZfsLab();
const skip = lab.skip || needs('temporal', 'restic');
let estate: Estate | undefined;
after(() => estate?.stop());

test('with a source that lives nothing is lost: one last catch-up, the replica is in use, and back again incrementally', {
  skip,
}, async () => {
  const trees = treesOf(lab);
  const { source, target } = trees;
  await makeTree(lab, trees);
  await lab.grogu.sh('rm -f /var/tmp/hooks');
  estate = await startFailoverEstate(lab);
  const first = await replicate(estate);
  assert.equal(first.code, 0, first.text);
  await lab.din.sh(`echo second > '/${source}/pvc 1/data'`);

  const plan = await estate.holdfast('do', jobName, 'failover', '--plan');
  assert.equal(plan.code, 0, plan.stdout + plan.stderr);
  assert.match(
    plan.stdout,
    /is made readonly and unshared \(6 datasets\), its last state is sent: nothing is lost/,
  );
  assert.match(plan.stdout, /Not on the replica, and readonly with the rest: .*scratch/);
  const lie = await act(estate, 'failover', '--set', 'source=off');
  assert.equal(lie.code, 5, lie.text);
  assert.match(lie.text, /answers over ssh/);

  const over = await act(estate, 'failover');
  assert.equal(over.code, 0, over.text);
  await assertOneSide(lab, trees);
  assert.equal(await fileIn(lab.grogu, `${target}/pvc 1`, 'data'), 'second');
  const [here, there] = [
    { host: lab.din, root: source },
    { host: lab.grogu, root: target },
  ];
  await assertOwnPlaces(there, here, trees);
  assert.deepEqual(await guids(lab.grogu, target), await guids(lab.din, source));
  assert.match(
    await property(lab.grogu, target, 'holdfast:role'),
    new RegExp(`^promoted ${over.run} grogu$`),
  );
  assert.match(await property(lab.din, source, 'holdfast:role'), /^standby /);
  assert.equal(await property(lab.grogu, `${target}/pvc-2`, 'canmount'), 'noauto');
  assert.equal(await lab.din.sh('cat /var/tmp/hooks'), 'stop-apps');
  assert.equal(await lab.grogu.sh('cat /var/tmp/hooks'), 'start-apps');

  await writeIn(lab.grogu, `${target}/pvc 1`, 'data', 'third');
  await lab.grogu.sh(`zfs create '${target}/new'; echo new > '/${target}/new/data'`);
  const refused = await replicate(estate);
  assert.equal(refused.code, 5, refused.text);
  assert.match(refused.text, /is the one in use since/);
  const parks = await estate.holdfast('do', jobName, 'park', '--yes');
  assert.equal(parks.code, 5, 'a replica in use is never parked');
  const stale = await estate.holdfast('run', 'hourly', '--follow');
  assert.equal(stale.code, 5, stale.stdout + stale.stderr);
  assert.equal((await act(estate, 'failover')).code, 5, 'it is in use already');

  const back = await act(estate, 'failback');
  assert.equal(back.code, 0, back.text);
  await assertOneSide(lab, trees);
  assert.equal(await fileIn(lab.din, `${source}/pvc 1`, 'data'), 'third');
  await assertOwnPlaces(here, there, trees);
  assert.equal(await fileIn(lab.din, `${source}/new`, 'data'), 'new');
  assert.equal(await lab.din.sh('cat /var/tmp/hooks'), 'stop-apps\nundo-stop-apps');
  assert.equal(await lab.grogu.sh('cat /var/tmp/hooks'), 'start-apps\nundo-start-apps');
  assert.deepEqual(await guids(lab.grogu, target), await guids(lab.din, source));
  const own = 'holdfast:role,holdfast:before';
  for (const [host, root] of [
    [lab.din, source],
    [lab.grogu, target],
  ] as const)
    assert.equal(await host.sh(`zfs get -H -r -t filesystem,volume -s local -o name '${own}' '${root}'`), '');
  const log = (await estate.holdfast('logs', back.run)).stdout;
  assert.doesNotMatch(
    log,
    /zfs send -vP -L -c [^|]*(pvc|vol)[^|]*@one \|/,
    'nothing that is there is sent whole',
  );

  await writeIn(lab.din, `${source}/pvc 1`, 'data', 'fourth');
  await lab.din.sh(`zfs snapshot -r '${source}@after'`);
  const forward = await replicate(estate);
  assert.equal(forward.code, 0, forward.text);
  assert.deepEqual(await guids(lab.grogu, target), await guids(lab.din, source));
});
