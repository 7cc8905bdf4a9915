import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlainConfig } from '../support/plain-config.js';
import { waitFor } from '../support/wait.js';
import { overSsh, useLabEstate } from '../support/zfs-estate.js';

/** A store goes out of the file: what its replication has left on two real hosts is found, shown, and let go of. */

const { lab, skip, start } = useLabEstate();

const hold = 'holdfast_far.tree_replica-2026-11-20T03:00:00Z';
const reading = 'holdfast:tree-to-cloud-2026-11-20T03:00:00Z';

test('the holds, bookmarks and fences of a store that was taken out are told by doctor and released after a yes, and nothing else', {
  skip,
}, async () => {
  const [tree, place] = [`${lab.din.parents.fast}/what is left`, `${lab.grogu.parents.backup}/left`];
  await lab.din.sh(`zfs create '${tree}'; zfs create '${tree}/a b'; zfs snapshot -r '${tree}@one'`);
  await lab.grogu.sh(`zfs create '${place}'; zfs create '${place}/near'; zfs create '${place}/far'`);
  const withStores = (config: PlainConfig, stores: string[]): void => {
    delete config.stores.far;
    for (const store of stores)
      config.stores[store] = { zfs: { host: 'grogu', dataset: `${place}/${store}` } };
    config.jobs.replica = {
      kind: 'zfs-replication',
      resources: ['tree'],
      stores,
      snapshots: 'all',
      retryFor: '2m',
    };
  };
  const running = await start({
    change(config) {
      config.hosts.din = { ssh: overSsh(lab.din) };
      config.hosts.grogu = { ssh: overSsh(lab.grogu) };
      config.resources.tree = { host: 'din', dataset: tree };
      withStores(config, ['near', 'far']);
    },
  });
  const marks = async (): Promise<{ bookmarks: string[]; held: number; fences: number }> => {
    const listed = await lab.din.zfs('list', '-H', '-r', '-t', 'bookmark', '-o', 'name', tree);
    const held = await lab.din.sh(`zfs holds -H '${tree}/a b@one'`);
    const fences = await lab.grogu.sh(`zfs list -Hro userrefs -t snapshot '${place}'`);
    return {
      bookmarks: listed
        .split('\n')
        .flatMap((name) => /#holdfast_([a-z]+)/.exec(name)?.[1] ?? [])
        .sort(),
      held: held.split('\n').filter((line) => line.includes(hold)).length,
      fences: fences.split('\n').filter((count) => count === '1').length,
    };
  };
  const first = await running.holdfast('run', 'replica', '--follow');
  assert.equal(first.code, 0, first.stdout + first.stderr);
  // As a run that was cut in the middle leaves it.
  await lab.din.sh(`zfs hold '${hold}' '${tree}/a b@one'`);
  assert.deepEqual(await marks(), { bookmarks: ['far', 'far', 'near', 'near'], held: 1, fences: 4 });
  const whole = await running.holdfast('doctor', 'din');
  assert.doesNotMatch(whole.stdout, /far\.tree/);

  running.configure((config) => withStores(config, ['near']));
  const doctor = await running.holdfast('doctor', 'din');
  assert.match(
    doctor.stdout,
    /leftovers: copies to far\.tree: 1 hold and 2 bookmarks by replica on 2 datasets below/,
  );
  assert.match(doctor.stdout, /next: holdfast do replica release-leftovers/);
  const there = await running.holdfast('doctor', 'grogu');
  assert.match(there.stdout, /leftovers: the replica .*\/far\/tree: 2 fences on 2 datasets/);
  assert.match(there.stdout, /zfs release holdfast_fence '?.*\/far\/tree@one/);

  const planned = await running.holdfast('do', 'replica', 'release-leftovers', '--plan');
  assert.match(planned.stdout, /would release 3 holds and bookmarks/);
  assert.match(planned.stdout, /hold holdfast_far\.tree_replica-.* on .*a b@one/);
  const denied = await running.holdfast('do', 'replica', 'release-leftovers');
  assert.equal(denied.code, 5, denied.stdout + denied.stderr);
  assert.equal((await marks()).held, 1);
  const release = () => running.holdfast('do', 'replica', 'release-leftovers', '--yes');
  // The one that got no yes may still be ending.
  const done = await waitFor(
    async () => {
      const ended = await release();
      return ended.stderr.includes('is running already') ? undefined : ended;
    },
    { timeoutMs: 60_000, what: 'the end of the run that got no yes' },
  );
  assert.equal(done.code, 0, done.stdout + done.stderr);
  assert.match(done.stdout, /3 released/);
  // The place of "far" is no job's any more: its fences go by the lines of doctor.
  assert.deepEqual(await marks(), { bookmarks: ['near', 'near'], held: 0, fences: 4 });
  const again = await running.holdfast('do', 'replica', 'release-leftovers', '--yes');
  assert.match(again.stdout, /nothing had to be released/);

  await lab.din.sh(`zfs snapshot -r '${tree}@two'`);
  const next = await running.holdfast('run', 'replica', '--follow');
  assert.equal(next.code, 0, next.stdout + next.stderr);

  // As a backup leaves it that read from the snapshot, and whose host has lost its state folder.
  await lab.din.sh(`zfs hold -r '${reading}' '${tree}@two'`);
  const readers = async (): Promise<number> =>
    (await lab.din.sh(`zfs holds -rH '${tree}@two'`)).split('\n').filter((row) => row.includes(reading))
      .length;
  const told = await running.holdfast('doctor', 'din');
  assert.match(
    told.stdout,
    /leftovers: backups and restores that read there: 2 holds by tree-to-cloud on 2 datasets/,
  );
  const kept = await running.holdfast('do', 'replica', 'release-leftovers', '--yes');
  assert.match(
    kept.stdout + kept.stderr,
    /2 stay \(hold holdfast:tree-to-cloud-.*unknown=release it goes too/,
  );
  assert.equal(await readers(), 2);
  const unknown = ['--set', 'unknown=release', '--yes'];
  const gone = await running.holdfast('do', 'replica', 'release-leftovers', ...unknown);
  assert.match(gone.stdout, /2 released/);
  assert.equal(await readers(), 0);
});
