import { runIn } from '../test/support/run-watch.js';
import { overSsh, startZfsEstate } from '../test/support/zfs-estate.js';
import { record } from './record.js';
import { doorOf, sharedPair, upPair } from './zfs/pair.js';
import { inGuest } from './zfs/reach.js';
import { enter, leave } from './zfs/users.js';

/** Records histories of letting go of what a removed store has left, from real runs on the lab's pools; see record-histories.ts. */

enter(sharedPair);
process.once('exit', () => leave(sharedPair));
const pair = await upPair(sharedPair);
const [din, grogu] = [doorOf(pair, 'din'), doorOf(pair, 'grogu')];
const tree = `fast/leftover-histories-${process.pid}`;
const place = `backup/leftover-histories-${process.pid}`;
await inGuest(din, `zfs create -p '${tree}/a b'; zfs snapshot -r '${tree}@one'`);
await inGuest(grogu, `zfs create '${place}'; zfs create '${place}/near'; zfs create '${place}/far'`);

const withStores = (
  config: Parameters<NonNullable<Parameters<typeof startZfsEstate>[2]>>[0],
  stores: string[],
): void => {
  delete config.stores.far;
  for (const store of stores) config.stores[store] = { zfs: { host: 'grogu', dataset: `${place}/${store}` } };
  config.jobs.replica = {
    kind: 'zfs-replication',
    resources: ['tree'],
    stores,
    snapshots: 'all',
    retryFor: '1m',
  };
};
const estate = await startZfsEstate(din, tree, (config) => {
  config.hosts.grogu = { ssh: overSsh(grogu) };
  withStores(config, ['near', 'far']);
});
const run = async (...args: string[]): Promise<string> => runIn((await estate.holdfast(...args)).stdout);
const release = (): Promise<string> => run('do', 'replica', 'release-leftovers', '--yes');
try {
  await run('run', 'replica', '--follow');
  await record(estate, 'releaseLeftovers', 'nothing-left', await release());
  // As a run that was cut in the middle leaves it.
  await inGuest(din, `zfs hold 'holdfast_far.tree_replica-2026-11-20T03:00:00Z' '${tree}/a b@one'`);
  estate.configure((config) => withStores(config, ['near']));
  await record(estate, 'releaseLeftovers', 'approved', await release());
} finally {
  await estate.stop();
  const letGo = `zfs list -Hro name -t snapshot '${place}' | while read -r s; do zfs release holdfast_fence "$s"; done 2>/dev/null`;
  await inGuest(grogu, `${letGo}; zfs destroy -r '${place}'`);
  await inGuest(din, `zfs destroy -r '${tree}'`);
}
