import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { RunReport, RunResult } from '../../contracts/jobs.js';
import { noise } from '../support/content.js';
import { type Estate, evidenceOf, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { resticPids } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';

/** A first upload that takes its time, and everything that happens to it meanwhile. */

const portionBytes = 2_000_000;
const portions = 5;

describe('the first upload of a job that seeds', { skip: needs('temporal', 'restic') }, () => {
  let estate: Estate;
  let run: string;
  const timeoutMs = 180_000;

  before(async () => {
    estate = await startEstate({
      change: (config) => {
        config.stores.vault.restic.limits = { uploadKiBps: 700 };
        Object.assign(config.jobs['photos-offsite'], {
          seeding: { portion: portionBytes, noProgressAfter: '1h' },
          keep: { last: 1 },
        });
      },
    });
    for (let number = 0; number < portions; number += 1) {
      const folder = join(estate.source, `-album ${number} [*]`);
      mkdirSync(folder);
      writeFileSync(join(folder, 'a "b"'), noise(portionBytes, number));
    }
    const made = await estate.holdfast('init-store', 'vault');
    assert.equal(made.code, 0, made.stderr);
  });

  after(() => estate?.stop());

  const parts = () => evidenceOf(estate).filter(({ kind }) => kind === 'seed-part');
  const snapshots = async () => (await estate.restic('snapshots')) as { tags: string[] }[];
  const tagged = async (tag: string) => (await snapshots()).filter(({ tags }) => tags.includes(tag));
  const statusRow = async () =>
    JSON.parse((await estate.holdfast('status', 'photos-offsite', '--json')).stdout)[0];
  const reportOf = (id: string): Promise<RunReport> =>
    estate.client.workflow.getHandle(id).query<RunReport>('report');
  const stored = (): number =>
    readdirSync(join(estate.repository, 'data'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);

  test('is overdue until it runs, and then says how far it is', async () => {
    const idle = await estate.holdfast('status', 'photos-offsite', '--check');
    assert.equal(idle.code, 1);
    assert.match(idle.stdout, /none, seeding, overdue/);
    const begun = await estate.holdfast('run', 'photos-offsite', '--follow');
    assert.equal(begun.code, 6, begun.stdout + begun.stderr);
    run = /photos-offsite\.seed-vault-[-:\dTZ]+/.exec(begun.stdout)?.[0] ?? '';
    await waitFor(async () => (await statusRow()).seeding?.[0]?.progressAt, { timeoutMs, what: 'progress' });
    const status = await estate.holdfast('status', 'photos-offsite');
    assert.match(status.stdout, /none, seeding\tprogress within 1 h\t/);
    assert.match(status.stdout, /seeding \d+ %, .+ of 9\.54 MiB, .*last progress \d+ s ago/);
    const row = await statusRow();
    assert.deepEqual([row.overdue, row.goodAt], [false, undefined]);
  });

  test('has no copy to restore but the part that is named', async () => {
    await waitFor(() => parts().length >= 1, { timeoutMs, what: 'the first part' });
    const copies = await estate.holdfast('copies', 'photos');
    assert.match(copies.stdout, /part of the first upload/);
    const target = `nas:${join(estate.folder, 'restores/one')}`;
    const refused = await estate.holdfast('restore', 'photos-offsite', '--to', target, '--yes');
    assert.equal(refused.code, 3, refused.stdout);
    assert.match(refused.stdout + refused.stderr, /no whole copy .+ first upload is not finished/);
    const id = parts()[0]?.snapshot ?? '';
    const named = await estate.holdfast('restore', 'photos-offsite', '--to', target, '--copy', id, '--yes');
    assert.equal(named.code, 6, named.stdout + named.stderr);
    assert.match(named.stdout, /warning: The copy is a part of an unfinished first upload/);
  });

  test('goes on after its worker and restic were killed in the middle of a portion, and sends nothing twice', async () => {
    const done = parts().length;
    await waitFor(() => resticPids('backup', estate.stateFolder).length > 0, { timeoutMs, what: 'a restic' });
    for (const pid of resticPids('backup', estate.stateFolder)) process.kill(pid, 'SIGKILL');
    await estate.worker.stop('SIGKILL');
    await estate.startWorker();
    await waitFor(() => parts().length > done, { timeoutMs, what: 'the part that was interrupted' });
    const check = await estate.holdfast('run', 'photos-offsite', '--only', 'check', '--follow');
    assert.equal(check.code, 0, check.stdout + check.stderr);
    const handle = estate.client.workflow.getHandle(run);
    assert.equal((await handle.describe()).status.name, 'RUNNING', 'a check gets in between two portions');

    const { outcome, copies } = (await handle.result()) as RunResult;
    assert.equal(outcome, 'ok');
    assert.deepEqual(
      copies.map(({ files }) => files),
      [portions],
    );
    assert.ok((copies[0]?.bytesAdded ?? 0) < 50_000, `the copy added ${copies[0]?.bytesAdded} bytes`);
    assert.equal((await tagged('job:photos-offsite')).length, 1);
    assert.equal((await tagged(`run:${run}`)).length >= portions, true);
    // What was under way when restic died is sent again at most: one portion.
    assert.ok(stored() < (portions + 1) * portionBytes + 200_000, `${stored()} bytes are stored`);
  });

  test('ends as one copy like any other, whose age counts from now on; retention removes the parts', async () => {
    const row = await statusRow();
    assert.deepEqual([row.seeding, row.overdue, row.goodRun], [undefined, false, run]);
    assert.ok((await tagged('part:photos-offsite/photos')).length >= portions);
    const pruned = await estate.holdfast('run', 'photos-offsite', '--only', 'prune', '--follow');
    assert.equal(pruned.code, 0, pruned.stdout + pruned.stderr);
    assert.deepEqual(
      (await snapshots()).filter(({ tags }) => !tags.includes('job:photos-offsite')).map(({ tags }) => tags),
      (await tagged('holdfast-config')).map(({ tags }) => tags),
    );
    const again = await estate.holdfast('run', 'photos-offsite', '--follow');
    assert.equal(again.code, 0, again.stdout + again.stderr);
    assert.equal(parts().length >= portions, true);
    assert.equal((await tagged('part:photos-offsite/photos')).length, 0);
  });

  test('begins anew when the repository is a new one at the same address', async () => {
    rmSync(estate.repository, { recursive: true });
    assert.equal((await estate.holdfast('init-store', 'vault')).code, 0);
    const night = await estate.holdfast('run', 'photos-offsite', '--follow');
    assert.equal(night.code, 6, night.stdout + night.stderr);
    assert.match(night.stdout, /no copy by this run, its first upload goes on/);
    assert.deepEqual(await tagged('job:photos-offsite'), []);
    const upload = /photos-offsite\.seed-vault-[-:\dTZ]+/.exec(night.stdout)?.[0] ?? '';
    const { portions: all } = await waitFor(async () => (await reportOf(upload))?.seeding, {
      timeoutMs,
      what: 'the first portion',
    });
    assert.equal(all, portions);
    await estate.holdfast('cancel', upload);
  });
});
