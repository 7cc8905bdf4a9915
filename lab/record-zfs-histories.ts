import { runIn } from '../test/support/run-watch.js';
import { waitFor } from '../test/support/wait.js';
import { startZfsEstate } from '../test/support/zfs-estate.js';
import { record } from './record.js';
import { doorOf, sharedPair, upPair } from './zfs/pair.js';
import { inGuest } from './zfs/reach.js';
import { enter, leave } from './zfs/users.js';

/** Records a history of every workflow of snapshots and scrubs from real runs on the lab's pools; see record-histories.ts. */

// Who does not say that it uses the pair, sees it turned off by the next test file that ends.
enter(sharedPair);
process.once('exit', () => leave(sharedPair));
const pair = await upPair(sharedPair);
const door = doorOf(pair, 'din');
const tree = `fast/histories-${process.pid}`;
const pool = `histories-${process.pid}`;
const image = `/var/tmp/${pool}.img`;
const repository = `/var/tmp/${pool}-repository`;
await inGuest(door, `zfs create -p '${tree}/a b'; truncate -s 200M ${image}; zpool create ${pool} ${image}`);
await inGuest(door, `RESTIC_PASSWORD=swordfish restic init -r ${repository}`);

const estate = await startZfsEstate(door, tree, (config) => {
  config.hosts.din.hooks = {
    freeze: { run: ['true'], undo: ['true'] },
    broken: { run: ['false'] },
  };
  config.jobs.hourly.keep = { last: 10 };
  config.resources.whole = { host: 'din', pool };
  config.jobs.weekly = { kind: 'zfs-scrub', resources: ['whole'], retryFor: '1m' };
  config.stores.din = { restic: { repository, password: { command: ['echo', 'swordfish'] } } };
  config.jobs.offsite = { kind: 'restic-backup', resources: ['tree'], store: 'din', retryFor: '1m' };
});
const run = async (...args: string[]): Promise<string> => {
  const { stdout } = await estate.holdfast('run', ...args);
  return runIn(stdout);
};
try {
  await record(estate, 'snapshotDatasets', 'plain', await run('hourly', '--follow'));
  await record(estate, 'backupRestic', 'from-datasets', await run('offsite', '--follow'));
  await record(estate, 'pruneSnapshots', 'nothing-to-do', await run('hourly', '--only', 'prune', '--follow'));
  estate.configure((config) => {
    config.jobs.hourly.before = ['freeze'];
    config.jobs.hourly.after = ['broken'];
  });
  await record(estate, 'snapshotDatasets', 'with-hooks', await run('hourly', '--follow'));
  estate.configure((config) => {
    config.jobs.hourly.before = ['freeze', 'broken'];
  });
  await record(estate, 'snapshotDatasets', 'hook-failed', await run('hourly', '--follow'));
  estate.configure((config) => {
    config.jobs.hourly.before = [];
    config.jobs.hourly.after = [];
  });
  for (let at = 0; at < 4; at += 1) await run('hourly', '--follow');
  estate.configure((config) => {
    config.jobs.hourly.keep = { last: 1 };
  });
  await record(estate, 'snapshotDatasets', 'retention-held', await run('hourly', '--follow'));
  const asking = await run('hourly', '--only', 'prune');
  await waitFor(async () => (await estate.holdfast('approve', asking)).code === 0, {
    timeoutMs: 120_000,
    what: 'the question to be asked',
  });
  await record(estate, 'pruneSnapshots', 'approved', asking);
  await record(estate, 'scrubPool', 'clean', await run('weekly', '--follow'));
  const hour = (plus: number): string => new Date(Date.now() + plus * 3_600_000).toISOString().slice(11, 16);
  estate.configure((config) => {
    config.jobs.weekly.window = `${hour(2)}-${hour(3)}`;
  });
  const outside = await run('weekly');
  await waitFor(async () => (await estate.holdfast('show', outside)).stdout.includes('the hours in which'), {
    timeoutMs: 120_000,
    what: 'the run to wait for its hours',
  });
  await estate.holdfast('cancel', outside);
  await record(estate, 'scrubPool', 'cancelled-outside-its-hours', outside);
} finally {
  await estate.stop();
  await inGuest(door, `zpool destroy ${pool}; zfs destroy -r ${tree}; rm -rf ${image} ${repository}`);
}
