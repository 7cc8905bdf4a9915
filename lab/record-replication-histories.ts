import { startEstate } from '../test/support/estate.js';
import { runIn } from '../test/support/run-watch.js';
import { record } from './record.js';
import { doorOf, sharedPair, upPair } from './zfs/pair.js';
import { type Door, inGuest } from './zfs/reach.js';

/** Records histories of replications from real runs on the lab's pools; see record-histories.ts. */

const pair = await upPair(sharedPair);
const [din, grogu] = [doorOf(pair, 'din'), doorOf(pair, 'grogu')];
const tree = `fast/histories-r${process.pid}`;
const place = `backup/histories-r${process.pid}`;
const target = `${place}/tree`;
await inGuest(din, `zfs create -p '${tree}/a b'; zfs create '${tree}/c'; zfs snapshot -r '${tree}@one'`);
await inGuest(grogu, `zfs create '${place}'`);

const ssh = ({ host, port, key, knownHosts }: Door) => ({
  ssh: { address: host, port, user: 'root', via: 'nas', key, knownHosts },
});
const estate = await startEstate({
  change: (config) => {
    Object.assign(config.hosts, { din: ssh(din), grogu: ssh(grogu) });
    config.resources.tree = { host: 'din', dataset: tree };
    config.stores.grogu = { zfs: { host: 'grogu', dataset: place } };
    const plain = { kind: 'zfs-replication', resources: ['tree'], store: 'grogu', retryFor: '1m' };
    config.jobs.replica = { ...plain, snapshots: 'all' };
  },
});
const run = async (...args: string[]): Promise<string> => {
  const { stdout } = await estate.holdfast('run', 'replica', ...args);
  return runIn(stdout);
};
const byHand = async (action: string): Promise<string> =>
  runIn((await estate.holdfast('do', 'replica', action, '--yes')).stdout);
const writeThere = (): Promise<unknown> =>
  inGuest(
    grogu,
    `zfs set readonly=off '${target}/c'; zfs mount '${target}/c'; echo x > '/${target}/c/x'; zfs unmount '${target}/c'`,
  );
try {
  await record(estate, 'replicateDatasets', 'first-copy', await run('--follow'));
  await record(estate, 'replicateDatasets', 'nothing-to-do', await run('--follow'));
  await record(estate, 'parkReplicas', 'nothing-to-park', await byHand('park'));
  await record(estate, 'rollBackReplicas', 'nothing-to-do', await byHand('roll-back'));
  await writeThere();
  await inGuest(din, `zfs snapshot -r '${tree}@two'`);
  await record(estate, 'replicateDatasets', 'one-diverged', await run('--follow'));
  await record(estate, 'rollBackReplicas', 'approved', await byHand('roll-back'));
  await run('--follow');
  await writeThere();
  await record(estate, 'parkReplicas', 'approved', await byHand('park'));
} finally {
  await estate.stop();
  const release = `zfs list -Hro name -t snapshot '${place}' | while read -r s; do zfs release holdfast_fence "$s"; done 2>/dev/null`;
  await inGuest(grogu, `${release}; zfs destroy -r '${place}'`);
  await inGuest(din, `zfs destroy -r '${tree}'`);
}
