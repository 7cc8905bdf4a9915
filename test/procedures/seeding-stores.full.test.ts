import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { RunResult } from '../../contracts/jobs.js';
import { noise } from '../support/content.js';
import { type Estate, evidenceOf, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';

/** The first upload of two resources to a store that is slow and to one that is not. */

const portionBytes = 2_000_000;

describe('a job that seeds several stores', { skip: needs('temporal', 'restic') }, () => {
  let estate: Estate;
  const timeoutMs = 180_000;

  before(async () => {
    estate = await startEstate({
      change: (config) => {
        const { vault } = config.stores;
        config.stores.attic = { restic: { ...vault.restic, repository: `${vault.restic.repository} two` } };
        vault.restic.limits = { uploadKiBps: 150 };
        const { photos } = config.resources;
        config.resources.papers = { ...photos, directory: join(photos.directory, 'papers') };
        delete config.jobs['photos-offsite'].store;
        Object.assign(config.jobs['photos-offsite'], {
          resources: ['papers', 'photos'],
          stores: ['vault', 'attic'],
          exclude: ['left out'],
          seeding: { portion: portionBytes, noProgressAfter: '1h' },
        });
      },
    });
    for (const [number, name] of ['papers', 'one', 'two', 'left out'].entries()) {
      mkdirSync(join(estate.source, name));
      writeFileSync(join(estate.source, name, 'a'), noise(portionBytes - 200_000, number));
    }
    for (const store of ['vault', 'attic'])
      assert.equal((await estate.holdfast('init-store', store)).code, 0, store);
  });

  after(() => estate?.stop());

  const copies = () => evidenceOf(estate).filter(({ kind }) => kind === 'copy');
  const status = async () => {
    const shown = await estate.holdfast('status', 'photos-offsite', '--json');
    return JSON.parse(shown.stdout)[0];
  };
  const uploads = async (): Promise<string[]> => {
    const { stdout } = await estate.holdfast('runs', 'photos-offsite', '--json');
    return (JSON.parse(stdout) as { run: string }[])
      .map(({ run }) => run)
      .filter((run) => run.includes('.seed-'));
  };
  let night: RunResult;

  test('starts a run of its own for each, and is not done by that', async () => {
    const first = await estate.holdfast('run', 'photos-offsite', '--follow');
    assert.equal(first.code, 6, first.stdout + first.stderr);
    assert.equal((first.stdout.match(/no copy by this run/g) ?? []).length >= 4, true, first.stdout);
    assert.deepEqual((await uploads()).map((run) => /seed-[a-z]+/.exec(run)?.[0]).sort(), [
      'seed-attic',
      'seed-vault',
    ]);
    const { overdue, goodAt, seeding } = await status();
    assert.deepEqual([overdue, goodAt, seeding.length], [false, undefined, 2]);
  });

  test('backs up to the one that is done while the other goes on, and says what that leaves', async () => {
    const ofAttic = () => copies().filter(({ store }) => store === 'attic');
    await waitFor(() => ofAttic().length === 2, { timeoutMs, what: 'both first copies in the fast store' });
    const again = runIn((await estate.holdfast('run', 'photos-offsite')).stdout);
    night = (await estate.client.workflow.getHandle(again).result()) as RunResult;
    assert.equal(night.outcome, 'warnings');
    // The first resource may be in the slow store by now; then it gets its next copy there, too.
    const made = night.copies.map(({ resource, store }) => `${resource} ${store}`);
    assert.deepEqual(
      made.filter((pair) => pair !== 'papers vault'),
      ['papers attic', 'photos attic'],
    );
    assert.match(night.warnings.join(), /photos → vault: no copy by this run.+ that goes on/);
    assert.equal((await uploads()).length, 2, 'the slow one is not begun a second time');
    const row = await status();
    assert.deepEqual([row.overdue, row.goodRun, row.seeding.length], [false, again, 1]);
    const shown = await estate.holdfast('status', 'photos-offsite');
    assert.match(shown.stdout, /old, others seeding\twithin 26 h\t.*seeding/);
  });

  test('ends with a copy of each resource in each store, and the next run is a plain one', async () => {
    await waitFor(() => copies().filter(({ store }) => store === 'vault').length === 2, {
      timeoutMs,
      what: 'both first copies in the slow store',
    });
    await waitFor(async () => (await status()).seeding === undefined, { timeoutMs, what: 'the end of it' });
    assert.deepEqual([(await status()).overdue, (await status()).level], [false, 'yellow']);
    for (const upload of await uploads()) {
      const { searchAttributes } = await estate.client.workflow.getHandle(upload).describe();
      // Each copy is as old as it is, however long before the last one it was made.
      assert.match(String(searchAttributes.HfCovers), /^papers>\w+@\w{8}!\w+ photos>\w+@\w{8}!\w+$/);
    }
    const last = await estate.holdfast('run', 'photos-offsite', '--follow');
    assert.equal(last.code, 0, last.stdout + last.stderr);
    assert.equal((await status()).level, 'green');
    const parts = evidenceOf(estate).filter(({ kind }) => kind === 'seed-part');
    assert.ok(parts.some(({ store }) => store === 'attic') && parts.some(({ store }) => store === 'vault'));
  });
});
