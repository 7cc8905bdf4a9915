import { startEstate } from '../test/support/estate.js';
import { runIn } from '../test/support/run-watch.js';
import { waitFor } from '../test/support/wait.js';
import { overSsh } from '../test/support/zfs-estate.js';
import { record } from './record.js';
import { doorOf, sharedPair, upPair } from './zfs/pair.js';
import { inGuest } from './zfs/reach.js';

/** Records histories of retention on the target of a replication; see record-histories.ts. */

const pair = await upPair(sharedPair);
const [din, grogu] = [doorOf(pair, 'din'), doorOf(pair, 'grogu')];
const tree = `fast/histories-k${process.pid}`;
const place = `backup/histories-k${process.pid}`;
const snap = (...names: string[]): Promise<unknown> =>
  inGuest(din, names.map((name) => `zfs snapshot -r '${tree}@${name}'`).join('; '));
await inGuest(din, `zfs create -p '${tree}/a b'`);
await inGuest(grogu, `zfs create '${place}'`);
await snap('1');
const estate = await startEstate({
  change: (config) => {
    Object.assign(config.hosts, { din: { ssh: overSsh(din) }, grogu: { ssh: overSsh(grogu) } });
    config.resources.tree = { host: 'din', dataset: tree };
    config.stores.grogu = { zfs: { host: 'grogu', dataset: place } };
    const plain = { kind: 'zfs-replication', resources: ['tree'], store: 'grogu', retryFor: '1m' };
    config.jobs.replica = { ...plain, snapshots: 'all', keep: { last: 2 } };
  },
});
const keep = (rules: object | undefined): void =>
  estate.configure((config) => {
    config.jobs.replica.keep = rules;
  });
const run = async (...args: string[]): Promise<string> =>
  runIn((await estate.holdfast('run', 'replica', ...args)).stdout);
try {
  await run('--follow');
  await snap('2', '3');
  await record(estate, 'replicateDatasets', 'with-retention', await run('--follow'));
  await record(estate, 'pruneReplicas', 'nothing-to-do', await run('--only', 'prune', '--follow'));
  keep(undefined);
  await snap('4', '5', '6', '7', '8');
  await run('--follow');
  keep({ last: 1 });
  await record(estate, 'replicateDatasets', 'retention-held', await run('--follow'));
  const asking = await run('--only', 'prune');
  await waitFor(async () => (await estate.holdfast('approve', asking)).code === 0, {
    timeoutMs: 120_000,
    what: 'the question to be asked',
  });
  await record(estate, 'pruneReplicas', 'approved', asking);
} finally {
  await estate.stop();
  const release = `zfs list -Hro name -t snapshot '${place}' | while read -r s; do zfs release holdfast_fence "$s"; done 2>/dev/null`;
  await inGuest(grogu, `${release}; zfs destroy -r '${place}'`);
  await inGuest(din, `zfs destroy -r '${tree}'`);
}
