import { startEstate } from '../test/support/estate.js';
import { labHost } from '../test/support/lab-host.js';
import { makeParents, removeParents } from '../test/support/lab-parents.js';
import { runIn, saysItWaitsFor } from '../test/support/run-watch.js';
import { overSsh } from '../test/support/zfs-estate.js';
import { record } from './record.js';
import { sharedPair, upPair } from './zfs/pair.js';

/** Records histories of replications to several targets, and of streams whose number a pool limits; see record-histories.ts. */

const pair = await upPair(sharedPair);
const suffix = `histories-s${process.pid}`;
const [din, grogu] = [labHost(pair, 'din', suffix, false), labHost(pair, 'grogu', suffix, false)];
const all = [din, grogu];
for (const host of all) await host.sh(makeParents(Object.values(host.parents)));
const place = String(grogu.parents.backup);
const trees = { slow: `${din.parents.fast}/slow`, tree: `${din.parents.fast}/tree` };
const children = ['a b', 'b', 'c'];
for (const tree of Object.values(trees)) {
  const made = children.map((name) => `zfs create '${tree}/${name}'`).join('; ');
  await din.sh(`set -e; zfs create '${tree}'; ${made}; zfs snapshot -r '${tree}@one'`);
}
await grogu.sh(`zfs create '${place}/near'; zfs create '${place}/far'`);

const change = async (tree: string, snapshot: string): Promise<void> => {
  const files = children.map(
    (name) => `dd if=/dev/urandom of='/${tree}/${name}/data' bs=1M count=4 2>/dev/null`,
  );
  await din.sh(`set -e; ${files.join('; ')}; zfs snapshot -r '${tree}@${snapshot}'`);
};
const estate = await startEstate({
  change: (config) => {
    Object.assign(config.hosts, { din: { ssh: overSsh(din) }, grogu: { ssh: overSsh(grogu) } });
    const plain = { kind: 'zfs-replication', snapshots: 'all', retryFor: '1m' };
    for (const [name, dataset] of Object.entries(trees)) config.resources[name] = { host: 'din', dataset };
    for (const name of ['near', 'far'])
      config.stores[name] = { zfs: { host: 'grogu', dataset: `${place}/${name}` } };
    config.jobs.slow = { ...plain, resources: ['slow'], store: 'near', limit: '1MiB' };
    config.jobs.tree = { ...plain, resources: ['tree'], stores: ['near', 'far'] };
  },
});
const run = async (job: string, ...args: string[]): Promise<string> => {
  const ended = await estate.holdfast('run', job, ...args);
  process.stdout.write(ended.stdout + ended.stderr);
  return runIn(ended.stdout);
};
try {
  await record(estate, 'replicateDatasets', 'several-targets', await run('tree', '--follow'));
  await run('slow', '--follow');
  estate.configure((config) => {
    config.hosts.grogu.pools = { backup: { streams: 3 } };
    config.jobs.tree.parallel = 3;
  });
  await Promise.all(Object.values(trees).map((tree) => change(tree, 'two')));
  const slow = await run('slow');
  const tree = await run('tree');
  await saysItWaitsFor(estate, tree, /stream-grogu\S+, used by slow-2/);
  await record(estate, 'replicateDatasets', 'with-streams', slow);
  await record(estate, 'replicateDatasets', 'several-targets-waited-for-streams', tree);
} finally {
  await estate.stop();
  for (const host of all) await host.sh(removeParents(Object.values(host.parents)));
}
