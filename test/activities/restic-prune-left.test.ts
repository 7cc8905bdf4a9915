import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { pruneStore } from '../../activities/restic/prune.js';
import { HoldfastError } from '../../contracts/errors.js';
import { configOf } from '../schedules/example.js';

/** A schedule outlives the lines in the file that made it: what still comes in must not delete. */

const run = 'photos.prune-2026-11-20T06:00:00Z';

/** A host on which nothing may be done: whatever is asked of it ends the test. */
const untouched = new Proxy({} as Tools['host'], {
  get: (_, name) => {
    throw new Error(`the host was asked for ${String(name)}`);
  },
});

const pruneWith = (lines: string) => {
  const config = configOf(`
hosts: { nas: {} }
resources: { photos: { host: nas, directory: /srv/photos } }
stores: { usb: { restic: { repository: /mnt/usb, password: { file: /etc/key } } } }
jobs: { photos: { kind: restic-backup, resources: [photos], store: usb${lines} } }
`);
  const tools = { config, host: untouched, log: () => undefined, progress: () => undefined };
  return pruneStore(tools as unknown as Tools, { job: 'photos', store: 'usb', run, retryForMs: 0 });
};

test('retention whose "prune" was taken out of the file removes nothing, and says how its schedule goes', async () => {
  await assert.rejects(pruneWith(', keep: { last: 2 }'), (error) => {
    assert.ok(error instanceof HoldfastError, String(error));
    assert.equal(error.code, 'HF_NOTHING_TO_DO');
    assert.match(error.message, /"photos" has no "prune"/);
    assert.match(String(error.details.next), /holdfast apply --prune/);
    return true;
  });
});

test('retention that the file asks for goes to the store', async () => {
  await assert.rejects(
    pruneWith(', keep: { last: 2 }, prune: { cron: "0 6 * * 0" }'),
    /the host was asked for/,
  );
});
