import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeTree } from '../support/data.js';
import { type Estate, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';

/** `holdfast copies` as an operator uses it before a restore, with a store that is away. */
describe('the list of copies, asked from the command line', { skip: needs('temporal', 'restic') }, () => {
  let estate: Estate;
  let run = '';

  before(async () => {
    estate = await startEstate({
      change: (config) => {
        config.stores.usb = { restic: { ...config.stores.vault.restic, repository: '/nowhere/at all' } };
        config.jobs['photos-usb'] = { kind: 'restic-backup', resources: ['photos'], store: 'usb' };
      },
    });
    mkdirSync(join(estate.source, 'tree'));
    makeTree(join(estate.source, 'tree'), { files: 10, bytes: 10_000, seed: 5 });
    writeFileSync(join(estate.source, 'one'), 'x');
    assert.equal((await estate.holdfast('init-store', 'vault')).code, 0);
    const ended = await estate.holdfast('run', 'photos-offsite', '--follow');
    assert.equal(ended.code, 0, ended.stderr);
    run = runIn(ended.stdout);
  });
  after(() => estate?.stop());

  test('shows what there is, names the store that is away, and ends with 6', async () => {
    const ended = await estate.holdfast('copies', 'photos');
    assert.equal(ended.code, 6, ended.stdout + ended.stderr);
    assert.match(ended.stdout, new RegExp(`photos\tvault\t[0-9a-f]{12}\t.*proved .* ago\theld\t${run}`));
    assert.match(ended.stdout, /store usb was not read: .*no repository/i);
  });

  test('is an object with --json', async () => {
    const ended = await estate.holdfast('copies', '--store', 'vault', '--json');
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    const [{ store, copies }] = JSON.parse(ended.stdout).stores;
    assert.equal(store, 'vault');
    assert.equal(copies.length, 1);
    assert.equal(copies[0].proof, 'proved');
    assert.equal(copies[0].run, run);
    assert.match(copies[0].snapshot, /^[0-9a-f]{64}$/);
  });

  test('ends with 1 when no store can be read, and with 3 and the nearest name for an unknown resource', async () => {
    assert.equal((await estate.holdfast('copies', '--store', 'usb')).code, 1);
    const unknown = await estate.holdfast('copies', 'photo');
    assert.equal(unknown.code, 3);
    assert.match(unknown.stderr, /did you mean "photos"/);
  });

  test('ends with 4 when no worker answers', async () => {
    await estate.worker.stop();
    await waitFor(
      async () => {
        const ended = await estate.holdfast('copies', 'photos');
        assert.equal(ended.code, 4, ended.stdout + ended.stderr);
        return /No worker of host nas answers/.test(ended.stderr);
      },
      { timeoutMs: 60_000, what: 'exit code 4' },
    );
  });
});
