import { rmSync } from 'node:fs';
import { startEstate } from '../test/support/estate.js';
import { runIn } from '../test/support/run-watch.js';
import { record } from './record.js';
import { doorOf, sharedPair, upPair } from './zfs/pair.js';
import { type Door, inGuest } from './zfs/reach.js';

/** Records histories of restores of datasets from real runs on the lab's pools; see record-histories.ts. */

const pair = await upPair(sharedPair);
const [din, grogu] = [doorOf(pair, 'din'), doorOf(pair, 'grogu')];
const tree = `fast/histories-b${process.pid}`;
const place = `backup/histories-b${process.pid}`;
await inGuest(
  din,
  `zfs create -p '${tree}/a b'; echo x > '/${tree}/a b/file'; zfs snapshot -r '${tree}@one'`,
);
await inGuest(grogu, `zfs create '${place}'`);

const ssh = ({ host, port, key, knownHosts }: Door) => ({
  ssh: { address: host, port, user: 'root', via: 'nas', key, knownHosts },
});
const estate = await startEstate({
  change: (config) => {
    Object.assign(config.hosts, { din: ssh(din), grogu: ssh(grogu) });
    config.resources.tree = { host: 'din', dataset: tree, restoreInPlace: true };
    config.jobs.hourly = { kind: 'zfs-snapshot', resources: ['tree'], retryFor: '1m' };
    config.stores.grogu = { zfs: { host: 'grogu', dataset: place } };
    const plain = { kind: 'zfs-replication', resources: ['tree'], store: 'grogu', retryFor: '1m' };
    config.jobs.replica = { ...plain, snapshots: 'all' };
  },
});
const restore = async (...args: string[]): Promise<string> =>
  runIn((await estate.holdfast('restore', ...args)).stdout);
try {
  await estate.holdfast('run', 'replica', '--follow');
  const files = ['replica', '--path', 'a b/file', '--to', 'nas:/tmp/holdfast-record', '--yes'];
  await record(estate, 'restoreDatasets', 'files', await restore(...files));
  await record(estate, 'restoreDatasets', 'files-not-empty', await restore(...files));
  rmSync('/tmp/holdfast-record', { recursive: true });
  const clone = ['replica', '--clone', '--to', `grogu:${place}/tree-restored`, '--yes'];
  await record(estate, 'restoreDatasets', 'clone', await restore(...clone));
  const inPlace = ['hourly', '--in-place', '--copy', 'one', '--yes'];
  const rolled = await restore(...inPlace);
  await record(estate, 'restoreDatasets', 'roll-back', rolled);
  await record(estate, 'restoreDatasets', 'roll-back-undone', await restore('hourly', '--undo', rolled));
  await inGuest(din, `zfs destroy -R '${tree}'`);
  const back = ['replica', '--to', `din:${tree}`];
  await record(estate, 'restoreDatasets', 'send-back-denied', await restore(...back));
  await record(estate, 'restoreDatasets', 'send-back', await restore(...back, '--yes'));
  await record(estate, 'restoreDatasets', 'nothing-to-send', await restore(...back, '--yes'));
} finally {
  await estate.stop();
  const release = `zfs list -Hro name -t snapshot '${place}' | while read -r s; do zfs release holdfast_fence "$s"; done 2>/dev/null`;
  await inGuest(grogu, `${release}; zfs destroy -r '${place}'`);
  await inGuest(din, `zfs list -Ho name -d 1 fast | grep '^${tree}' | xargs -n 1 zfs destroy -R`);
}
