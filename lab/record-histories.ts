import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { leaseId, storeLease } from '../contracts/names.js';
import { makeTree } from '../test/support/data.js';
import { type Estate, startEstate } from '../test/support/estate.js';
import { resticPids, runIn, underWay } from '../test/support/run-watch.js';
import { firstOf, folder, record } from './record.js';

/**
 * Records a history of every workflow type from real runs, for the replay tests. Recorded again only when a workflow is new: an old history
 * that no longer replays is a change that would break runs in progress, and is what the tests are for.
 */

async function runToEnd(estate: Estate, ...args: string[]): Promise<string> {
  const ended = await estate.holdfast(...args);
  process.stdout.write(`holdfast ${args.join(' ')}: ${ended.code}\n${ended.stdout}${ended.stderr}`);
  return runIn(ended.stdout);
}

/** A first upload in three portions; its store is taken out of the file again. */
async function recordSeeding(estate: Estate): Promise<void> {
  estate.configure((config) => {
    const { vault } = config.stores;
    config.stores.cellar = { restic: { ...vault.restic, repository: `${vault.restic.repository} three` } };
    config.jobs.seeding = {
      kind: 'restic-backup',
      resources: ['photos'],
      store: 'cellar',
      seeding: { portion: '15MB' },
    };
  });
  await estate.holdfast('init-store', 'cellar');
  await record(estate, 'backupRestic', 'seeded', await runToEnd(estate, 'run', 'seeding', '--follow'));
  estate.configure((config) => {
    delete config.stores.cellar;
    delete config.jobs.seeding;
  });
}

rmSync(folder, { recursive: true, force: true });
const estate = await startEstate({
  change: (config) => {
    config.stores.vault.restic.limits = { uploadKiBps: 2_500 };
  },
});
try {
  makeTree(estate.source, { files: 40, bytes: 20_000_000, seed: 7 });
  await record(
    estate,
    'backupRestic',
    'no-repository',
    await runToEnd(estate, 'run', 'photos-offsite', '--follow'),
  );
  await record(estate, 'initialiseStore', 'first', await runToEnd(estate, 'init-store', 'vault'));

  const killed = runIn((await estate.holdfast('run', 'photos-offsite')).stdout);
  await underWay(estate, killed, 1_000_000);
  for (const pid of resticPids('backup', estate.source)) process.kill(pid, 'SIGKILL');
  const waiting = runIn((await estate.holdfast('run', 'photos-offsite', '--only', 'check')).stdout);
  await record(estate, 'backupRestic', 'restic-killed-and-lease-wanted', killed);
  await record(estate, 'checkRestic', 'waited-for-a-lease', waiting);

  makeTree(join(estate.source, 'more'), { files: 10, bytes: 20_000_000, seed: 8, odd: false });
  const cancelled = runIn((await estate.holdfast('run', 'photos-offsite')).stdout);
  await underWay(estate, cancelled, 1_000_000);
  await estate.holdfast('cancel', cancelled);
  await record(estate, 'backupRestic', 'cancelled', cancelled);

  await record(
    estate,
    'pruneRestic',
    'all-kept',
    await runToEnd(estate, 'run', 'photos-offsite', '--only', 'prune', '--follow'),
  );
  const target = `nas:${join(estate.folder, 'restores/one')}`;
  await record(
    estate,
    'restoreRestic',
    'approved-beforehand',
    await runToEnd(estate, 'restore', 'photos-offsite', '--to', target, '--yes'),
  );
  await record(
    estate,
    'restoreRestic',
    'target-not-empty',
    await runToEnd(estate, 'restore', 'photos-offsite', '--to', target, '--yes'),
  );
  const early = `nas:${join(estate.folder, 'restores/early')}`;
  const [firstFile = ''] = readdirSync(estate.source);
  await record(
    estate,
    'restoreRestic',
    'first-before-the-rest',
    await runToEnd(estate, 'restore', 'photos-offsite', '--to', early, '--first', firstFile, '--yes'),
  );
  const denied = `nas:${join(estate.folder, 'restores/two')}`;
  await record(
    estate,
    'restoreRestic',
    'denied',
    await runToEnd(estate, 'restore', 'photos-offsite', '--to', denied),
  );
  estate.configure((config) => {
    config.resources.photos.restoreInPlace = true;
  });
  const placed = await runToEnd(estate, 'restore', 'photos-offsite', '--in-place', '--yes');
  await record(estate, 'restoreRestic', 'in-place', placed);
  await record(
    estate,
    'restoreRestic',
    'in-place-undone',
    await runToEnd(estate, 'restore', 'photos-offsite', '--undo', placed),
  );
  await estate.holdfast('copies');
  await estate.holdfast('doctor', 'nas');
  await record(estate, 'probeHost', 'answered', await firstOf(estate, 'probeHost'));
  await estate.holdfast('doctor', '--drill', 'photos-offsite');
  await record(estate, 'drillFailures', 'all-came', await firstOf(estate, 'drillFailures'));
  await record(estate, 'listCopies', 'one-store', await firstOf(estate, 'listCopies'));
  estate.configure((config) => {
    config.resources.tree = { host: 'nas', dataset: 'fast/k' };
    config.stores.grogu = { zfs: { host: 'nas', dataset: 'backup' } };
    config.jobs.replica = { kind: 'zfs-replication', resources: ['tree'], store: 'grogu' };
  });
  await estate.holdfast('status', 'replica');
  await record(estate, 'listReplicas', 'nobody-has-looked', await firstOf(estate, 'listReplicas'));
  estate.configure((config) => {
    delete config.jobs.replica;
    const { vault } = config.stores;
    config.stores.attic = { restic: { ...vault.restic, repository: `${vault.restic.repository} two` } };
    delete config.jobs['photos-offsite'].store;
    config.jobs['photos-offsite'].stores = ['vault', 'attic'];
  });
  await estate.holdfast('init-store', 'attic');
  await recordSeeding(estate);
  for (const [type, ...only] of [
    ['backupRestic'],
    ['pruneRestic', '--only', 'prune'],
    ['checkRestic', '--only', 'check'],
  ] as const) {
    const run = await runToEnd(estate, 'run', 'photos-offsite', ...only, '--follow');
    await record(estate, type, 'two-stores', run);
  }
  await record(estate, 'holdLease', 'released', leaseId(storeLease('vault')));
  await record(estate, 'undoLeftovers', 'nothing-left', 'undo-nas');
  // The log is read in place on this machine: asking the host for it is done with another state folder.
  estate.env.HOLDFAST_STATE = join(estate.folder, 'elsewhere');
  await estate.holdfast('logs', killed);
  await record(estate, 'readRunLog', 'asked', await firstOf(estate, 'readRunLog'));
} finally {
  await estate.stop();
}
