import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { initialiseStore } from '../../activities/restic/initialise.js';
import { resticVersions } from '../../lab/places.js';
import { needs } from '../support/needs.js';
import { asPlainUser, giveAway } from '../support/plain-user.js';
import { startS3 } from '../support/s3-server.js';
import { temporaryFolder } from '../support/temp.js';
import { failsWith, makeBench, runAt } from './restic-bench.js';

const versions = resticVersions();
test('a restic is here to be tested', { skip: needs('restic') }, () => assert.ok(versions.length > 0));

/** Says that it is a restic of long ago, and can nothing else. */
function tooOld(): string {
  const path = join(temporaryFolder('old'), 'restic');
  writeFileSync(path, '#!/bin/sh\necho "restic 0.13.1 compiled with go1.18 on linux/amd64"\n', {
    mode: 0o755,
  });
  return path;
}

for (const { version, path: restic } of versions) {
  describe(`backup with restic ${version}`, () => {
    test('makes one copy with the tags of job, resource and run, and states it as evidence', async () => {
      const bench = makeBench({ restic });
      writeFileSync(join(bench.source, 'left out.tmp'), 'temporary');
      const copy = await backupResource(bench.tools(), bench.step(runAt(1)));
      assert.equal(copy.files, 11);
      assert.deepEqual(copy.warnings, []);
      const [snapshot, ...others] = bench.snapshots();
      assert.deepEqual(others, []);
      assert.equal(snapshot?.id, copy.snapshot);
      assert.deepEqual(snapshot?.tags.toSorted(), [
        'holdfast',
        'job:photos-offsite',
        'resource:photos',
        `run:${runAt(1)}`,
      ]);
      assert.deepEqual(
        bench.evidence().map(({ kind, run }) => [kind, run]),
        [['copy', runAt(1)]],
      );
      assert.deepEqual(bench.locks(), []);
      assert.ok(!JSON.stringify([bench.log, copy, bench.evidence()]).includes('a secret of the test'));
    });

    test('starts restic at most twice besides the copy itself', async () => {
      const bench = makeBench({ restic });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      assert.equal(bench.log.filter((line) => /^restic \w+: 0 /.test(line)).length, 3);
    });

    test('does nothing a second time when only the answer was lost', async () => {
      const bench = makeBench({ restic });
      const first = await backupResource(bench.tools(), bench.step(runAt(1)));
      const second = await backupResource(bench.tools({ attempt: 2 }), bench.step(runAt(1)));
      assert.deepEqual(second, first);
      assert.equal(bench.snapshots().length, 1);
      assert.equal(bench.evidence().length, 1);
    });

    test('adopts the copy of an earlier attempt and names what that copy does not hold', async () => {
      const bench = makeBench({ restic });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      rmSync(join(bench.host.stateFolder, 'evidence.jsonl'));
      writeFileSync(join(bench.source, 'new since.txt'), 'new');
      const copy = await backupResource(bench.tools({ attempt: 2 }), bench.step(runAt(1)));
      assert.equal(copy.adopted, true);
      assert.equal(copy.files, 11);
      assert.match(copy.warnings.join(), /1 files of the source are not in the copy/);
      assert.equal(bench.snapshots().length, 1);
    });

    test('refuses when the store holds two copies of one run', async () => {
      const bench = makeBench({ restic });
      const tags = ['job:photos-offsite', 'resource:photos', `run:${runAt(1)}`].map((tag) => `--tag=${tag}`);
      for (const _ of [1, 2]) bench.restic('backup', '--host=nas', ...tags, '--', bench.source);
      await assert.rejects(
        backupResource(bench.tools({ attempt: 2 }), bench.step(runAt(1))),
        failsWith('HF_COPY_NOT_PROVED', /2 copies/),
      );
    });

    test('keeps a copy with files that could not be read and names them', async () => {
      const bench = makeBench({ restic });
      bench.config.hosts.nas = { restore: [], tools: { restic: asPlainUser(restic) } };
      chmodSync(join(bench.source, 'photo 3.txt'), 0);
      giveAway(bench.folder);
      const copy = await backupResource(bench.tools(), bench.step(runAt(1)));
      assert.deepEqual(copy.warnings, [
        `Could not be read, not in the copy: ${join(bench.source, 'photo 3.txt')}`,
      ]);
      assert.equal(bench.snapshots().length, 1);
    });

    test('says that the password is wrong', async () => {
      const bench = makeBench({ restic });
      writeFileSync(join(bench.folder, 'key'), 'another one');
      await assert.rejects(
        backupResource(bench.tools(), bench.step(runAt(1))),
        failsWith('HF_WRONG_PASSWORD', /"shed"/),
      );
    });

    test('does not create a repository that is missing', async () => {
      const bench = makeBench({ restic });
      rmSync(bench.repository, { recursive: true });
      await assert.rejects(
        backupResource(bench.tools(), bench.step(runAt(1))),
        failsWith('HF_STORE_MISSING', /no repository at the address of the store "shed"/),
      );
      assert.throws(() => bench.locks());
    });

    test('tells a bucket that is missing, a key that is refused and a server that is gone apart', {
      skip: needs('s3'),
    }, async () => {
      const server = await startS3();
      const env = { AWS_ACCESS_KEY_ID: server.accessKey, AWS_SECRET_ACCESS_KEY: server.secretKey };
      const attempt = (more: object) => {
        const store = { repository: `s3:${server.endpoint}/no-such-bucket`, env: { ...env, ...more } };
        const bench = makeBench({ restic, store });
        return backupResource(bench.tools(), bench.step(runAt(1)));
      };
      await assert.rejects(attempt({}), failsWith('HF_STORE_MISSING', /"shed"/));
      await assert.rejects(
        attempt({ AWS_SECRET_ACCESS_KEY: 'wrong' }),
        failsWith('HF_STORE_DENIED', /^(?!.*wrong)/),
      );
      await server.stop();
      await assert.rejects(attempt({}), failsWith('HF_STORE_UNREACHABLE', /"shed"/));
    });

    test('says that the store is out of reach', async () => {
      const bench = makeBench({ restic, store: { repository: 'rest:http://127.0.0.1:1/' } });
      await assert.rejects(
        backupResource(bench.tools({ signal: AbortSignal.timeout(60_000) }), bench.step(runAt(1))),
        failsWith('HF_STORE_UNREACHABLE', /"shed"/),
      );
    });

    test('stops at a source that is gone, without its marker, or a link', async () => {
      const bench = makeBench({ restic });
      unlinkSync(join(bench.source, '.holdfast'));
      const attempt = () => backupResource(bench.tools(), bench.step(runAt(1)));
      await assert.rejects(attempt(), failsWith('HF_SOURCE_MISSING', /marker.*no copy of it was counted/));
      rmSync(bench.source, { recursive: true });
      await assert.rejects(attempt(), failsWith('HF_SOURCE_MISSING', /there is no/));
      assert.equal(bench.snapshots().length, 0);
    });

    test('does not believe a copy with less than half of the usual files, unless a human does', async () => {
      const bench = makeBench({ restic });
      for (const minute of [1, 2, 3]) await backupResource(bench.tools(), bench.step(runAt(minute)));
      for (const number of [0, 1, 2, 3, 4, 5]) unlinkSync(join(bench.source, `photo ${number}.txt`));
      const attempt = (minute: number, acceptCounts = false) =>
        backupResource(bench.tools(), bench.step(runAt(minute), { acceptCounts }));
      await assert.rejects(attempt(4), failsWith('HF_COPY_IMPLAUSIBLE', /holds 5 files.*usually 11/));
      await assert.rejects(attempt(5), failsWith('HF_COPY_IMPLAUSIBLE'));
      assert.deepEqual(
        bench.evidence().map(({ kind }) => kind),
        ['copy', 'copy', 'copy', 'copy-refused', 'copy-refused'],
      );
      assert.equal((await attempt(6, true)).files, 5);
      // Accepted once is accepted: the nights after it are measured against it.
      assert.equal((await attempt(7)).files, 5);
      for (const number of [6, 7, 8]) unlinkSync(join(bench.source, `photo ${number}.txt`));
      await assert.rejects(attempt(8), failsWith('HF_COPY_IMPLAUSIBLE', /holds 2 files.*usually 5/));
    });

    test('takes a path as it stands, whatever it looks like', async () => {
      const bench = makeBench({ restic });
      mkdirSync(join(bench.source, '--delete'));
      writeFileSync(join(bench.source, '--delete', '$(reboot)\n`ls`'), 'x');
      const copy = await backupResource(bench.tools(), bench.step(runAt(1)));
      assert.equal(copy.files, 12);
    });

    test('refuses a job, resource, store or run that this host does not join together', async () => {
      const bench = makeBench({ restic });
      for (const wrong of [
        { job: 'other' },
        { resource: 'etc' },
        { store: 'elsewhere' },
        { run: 'other-2026-11-20T03:00:00Z' },
      ]) {
        await assert.rejects(
          backupResource(bench.tools(), bench.step(runAt(1), wrong)),
          failsWith('HF_NOT_IN_CONFIG'),
        );
      }
    });
  });
}

test('too old a restic is refused before it does anything', { skip: needs('restic') }, async () => {
  const bench = makeBench({ restic: versions[0]?.path ?? '' });
  const nas = bench.config.hosts.nas;
  assert.ok(nas);
  nas.tools.restic = tooOld();
  await assert.rejects(
    initialiseStore(bench.tools(), 'shed'),
    failsWith('HF_TOOL_MISSING', /restic 0\.13\.1 on "nas" is too old: 0\.14 or newer/),
  );
  await assert.rejects(
    backupResource(bench.tools(), bench.step(runAt(1))),
    failsWith('HF_TOOL_MISSING', /too old/),
  );
});
