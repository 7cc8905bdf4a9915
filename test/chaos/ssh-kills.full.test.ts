import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { compareTrees } from '../support/compare.js';
import { makeTree } from '../support/data.js';
import { type Estate, evidenceOf, startEstate } from '../support/estate.js';
import { locksOnDisk } from '../support/locks.js';
import { needs } from '../support/needs.js';
import { resticPids, runIn, underWay } from '../support/run-watch.js';
import { type SshServer, startSshServer } from '../support/ssh-server.js';
import { waitFor } from '../support/wait.js';

/** Everything of restic on a host without a worker: the worker of nas drives din over ssh, and things are killed in the middle. */

interface Snapshot {
  id: string;
}

const sourceBytes = 20_000_000;
const uploadKiBps = 2_500;

describe('a host over ssh', { skip: needs('temporal', 'restic', 'sshd') }, () => {
  let estate: Estate;
  let server: SshServer;
  let seed = 700;

  before(async () => {
    server = await startSshServer();
    const { target } = server;
    estate = await startEstate({
      databaseFile: true,
      change: (config) => {
        config.stores.vault.restic.limits = { uploadKiBps };
        const { tools, restore } = config.hosts.nas;
        const { address, port, user, keyFile: key, knownHostsFile: knownHosts, folder } = target;
        config.hosts = {
          nas: {},
          din: { tools, restore, ssh: { address, port, user, via: 'nas', key, knownHosts, folder } },
        };
        config.resources.photos.host = 'din';
      },
    });
    const made = await estate.holdfast('init-store', 'vault');
    assert.equal(made.code, 0, made.stderr);
  });
  after(async () => {
    await estate?.stop();
    await server?.stop();
  });

  const startBackup = async (): Promise<string> => {
    rmSync(estate.source, { recursive: true, force: true });
    seed += 1;
    makeTree(estate.source, { files: 60, bytes: sourceBytes, seed });
    const started = await estate.holdfast('run', 'photos-offsite');
    assert.equal(started.code, 0, started.stderr);
    const run = runIn(started.stdout);
    await underWay(estate, run, 1_000_000);
    return run;
  };

  /** One snapshot of this run, its proof on the machine of the worker, and no lock left behind. */
  const assertEndedRight = async (run: string): Promise<void> => {
    const { outcome } = await estate.client.workflow.getHandle(run).result();
    assert.equal(outcome, 'ok');
    const snapshots = (await estate.restic('snapshots', '--no-lock', '--tag', `run:${run}`)) as Snapshot[];
    assert.equal(snapshots.length, 1);
    const own = { ...estate, stateFolder: join(estate.stateFolder, 'hosts', 'din') };
    const proofs = evidenceOf(own).filter((entry) => entry.kind === 'copy' && entry.run === run);
    assert.deepEqual(
      proofs.map(({ snapshot }) => snapshot),
      snapshots.map(({ id }) => id),
    );
    assert.deepEqual(locksOnDisk(estate.repository), []);
    assert.deepEqual(resticPids('backup', estate.source), []);
  };

  test('SIGKILL of the worker: a new one finishes the run, and what is restored there is the same', async () => {
    const run = await startBackup();
    await estate.worker.stop('SIGKILL');
    await estate.startWorker();
    await assertEndedRight(run);
    const target = join(estate.folder, 'restores', "it's back");
    const restored = await estate.holdfast('restore', 'photos-offsite', '--to', `din:${target}`, '--yes');
    assert.equal(restored.code, 0, restored.stdout + restored.stderr);
    assert.deepEqual(await compareTrees(estate.source, target), []);
    assert(existsSync(join(server.target.folder, 'locks')), 'locks lie there');
    assert.deepEqual(
      readdirSync(join(estate.stateFolder)).filter((name) => name === 'evidence.jsonl'),
      [],
      'nas itself has proved nothing',
    );
  });

  test('a cut connection: the run tries again and finishes', async () => {
    const run = await startBackup();
    server.cut();
    await assertEndedRight(run);
  });

  test('a cancelled run leaves no restic and no lock', async () => {
    const run = await startBackup();
    assert.equal((await estate.holdfast('cancel', run)).code, 0);
    await waitFor(() => resticPids('backup', estate.source).length === 0, {
      timeoutMs: 60_000,
      what: 'the end of restic',
    });
    assert.deepEqual(locksOnDisk(estate.repository), []);
  });

  test('status, copies and logs show it as any other; the doctor looks through the wire', async () => {
    const copies = await estate.holdfast('copies', 'photos', '--json');
    assert.equal(copies.code, 0, copies.stderr);
    assert(JSON.parse(copies.stdout).stores[0].copies.length > 0);
    const doctor = await estate.holdfast('doctor', 'din', '--json');
    const { findings } = JSON.parse(doctor.stdout) as {
      findings: { host: string; subject: string; level: string; found: string }[];
    };
    const found = (subject: string) => findings.find((one) => one.host === 'din' && one.subject === subject);
    assert.match(found('ssh')?.found ?? '', /127\.0\.0\.1:\d+ lets us in/);
    assert.equal(found('its clock')?.level, 'ok');
    assert.equal(found('restic')?.level, 'ok');
  });

  test('a changed key is refused, with both fingerprints and what to do', async () => {
    await server.changeKey();
    const doctor = await estate.holdfast('doctor', 'din', '--json');
    assert.equal(doctor.code, 1, doctor.stdout);
    const { findings } = JSON.parse(doctor.stdout) as {
      findings: { subject: string; found: string; level: string }[];
    };
    const ssh = findings.find(({ subject }) => subject === 'ssh');
    assert.equal(ssh?.level, 'blocking');
    assert.match(
      ssh?.found ?? '',
      /key of "din".*has changed: it was SHA256:.*now it is SHA256:.*Replace line 2/,
    );
  });
});
