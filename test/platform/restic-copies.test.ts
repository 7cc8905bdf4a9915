import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { listCopies } from '../../activities/restic/copies.js';
import { restoreCopy } from '../../activities/restic/restore.js';
import { resticVersions } from '../../lab/places.js';
import { localHost } from '../../system/local-host.js';
import { failsWith, makeBench, runAt } from './restic-bench.js';

const question = { store: 'shed', resources: ['photos'], limit: 20, maxCharacters: 15_000 };

for (const { version, path: restic } of resticVersions()) {
  describe(`the list of copies with restic ${version}`, () => {
    test('names every copy, newest first, with what was proved of it and which one is held', async () => {
      const bench = makeBench({ restic });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      await backupResource(bench.tools(), bench.step(runAt(2)));
      const [first = '', second = ''] = (bench.snapshots() as { id: string }[]).map(({ id }) => id);
      const tags = ['holdfast', 'job:photos-offsite', 'resource:photos', `run:${runAt(3)}`];
      bench.restic('backup', '--host=nas', ...tags.map((tag) => `--tag=${tag}`), bench.source);
      bench.restic('backup', '--tag=somebody-else', bench.source);
      await restoreCopy(
        bench.tools(),
        bench.restoreStep(runAt(4, '.restore'), join(bench.folder, 'restored'), { copy: first }),
      );
      const { copies, more } = await listCopies(bench.tools(), question);
      assert.equal(more, 0);
      assert.deepEqual(
        copies.map(({ run, proof, provedBy, held }) => ({ run, proof, provedBy, held })),
        [
          { run: runAt(3), proof: 'not proved', provedBy: undefined, held: false },
          { run: runAt(2), proof: 'proved', provedBy: 'backup', held: true },
          { run: runAt(1), proof: 'proved', provedBy: 'restore', held: false },
        ],
      );
      assert.deepEqual(
        copies.slice(1).map(({ snapshot }) => snapshot),
        [second, first],
      );
      assert.equal(copies[1]?.files, 11);
      assert(copies[2]?.provedAt);
    });

    test('says of another host that it does not know what was proved', async () => {
      const bench = makeBench({ restic });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const tools = bench.tools({
        host: localHost({ name: 'spare', stateFolder: join(bench.folder, 'spare state') }),
        config: { ...bench.config, hosts: { ...bench.config.hosts, spare: bench.config.hosts.nas as never } },
      });
      const { copies } = await listCopies(tools, question);
      assert.deepEqual(
        copies.map(({ proof, held }) => ({ proof, held })),
        [{ proof: 'unknown', held: true }],
      );
    });

    test('leaves the oldest off where the answer would be too long, and counts them', async () => {
      const bench = makeBench({ restic });
      for (const minute of [1, 2, 3]) await backupResource(bench.tools(), bench.step(runAt(minute)));
      const limited = await listCopies(bench.tools(), { ...question, limit: 2 });
      assert.deepEqual([limited.copies.length, limited.more], [2, 1]);
      const short = await listCopies(bench.tools(), { ...question, maxCharacters: 500 });
      assert.deepEqual([short.copies.map(({ run }) => run), short.more], [[runAt(3)], 2]);
    });

    test('is not given for what this host keeps in no such store', async () => {
      const bench = makeBench({ restic });
      await assert.rejects(
        listCopies(bench.tools(), { ...question, resources: ['passwords'] }),
        failsWith('HF_NOT_IN_CONFIG', /"passwords" in "shed"/),
      );
    });
  });
}
