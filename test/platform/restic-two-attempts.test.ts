import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { resticVersions } from '../../lab/places.js';
import { makeBench, runAt } from './restic-bench.js';

/** A host that was asleep wakes up: the attempt that was taken for dead lives, and the next one has begun. */

const versions = resticVersions();

describe('two attempts that are alive at once', {
  skip: versions.length === 0 && 'needs restic: npm run setup',
}, () => {
  for (const { version, path } of versions) {
    test(`make one copy, whoever is first, and the next attempt takes it over (restic ${version})`, async () => {
      const bench = makeBench({ restic: path });
      const attempt = (number: number) =>
        backupResource(bench.tools({ attempt: number }), bench.step(runAt(1)));
      const ends = await Promise.allSettled([attempt(1), attempt(2)]);
      for (const end of ends) {
        if (end.status === 'rejected') assert.equal(end.reason.code, 'HF_HOST_LOCKED', end.reason.message);
      }
      const copy = await attempt(3);
      assert.deepEqual(
        bench.snapshots().map(({ id }) => id),
        [copy.snapshot],
      );
      const proofs = bench.evidence().filter(({ kind }) => kind === 'copy');
      assert.deepEqual(
        proofs.map(({ snapshot }) => snapshot),
        [copy.snapshot],
      );
    });
  }
});
