import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, lstatSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { restoreCopy } from '../../activities/restic/restore.js';
import { planRestore } from '../../activities/restic/restore-plan.js';
import { resticVersions } from '../../lab/places.js';
import { canMount } from '../support/disk.js';
import { beforeRemoval } from '../support/temp.js';
import { type Bench, failsWith, makeBench, meddling, runAt, withoutFuse } from './restic-bench.js';

/** Sources that are no folder of one file system like any other. */

const needsMount = { skip: canMount() ? false : 'needs root and mounts' };
const restoreRun = runAt(2, '.restore');
const [newest] = resticVersions().slice(-1);

/** Two file systems, fresh ones, which number their files alike: a file, and one with two names. */
function fillTwoFileSystems({ source }: Bench): void {
  for (const name of ['live', 'snapshot']) {
    const folder = join(source, name);
    mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', 'none', folder]);
    beforeRemoval(() => execFileSync('umount', ['--lazy', folder]));
    for (const file of ['alone', 'one name']) writeFileSync(join(folder, file), 'the same');
    linkSync(join(folder, 'one name'), join(folder, 'another name'));
    for (const file of ['alone', 'one name']) utimesSync(join(folder, file), 1e9, 1e9);
  }
  const inode = (name: string): number => lstatSync(join(source, name, 'one name')).ino;
  assert.equal(inode('live'), inode('snapshot'), 'what this test is about');
}

for (const { version, path: restic } of resticVersions()) {
  describe(`odd sources with restic ${version}`, () => {
    test(
      'files that two file systems number alike come back, and count as hard links only in their own',
      needsMount,
      async () => {
        const bench = makeBench({ restic });
        fillTwoFileSystems(bench);
        await backupResource(bench.tools(), bench.step(runAt(1)));
        const target = join(bench.folder, 'restored');
        const report = await restoreCopy(bench.tools(), bench.restoreStep(restoreRun, target));
        assert.match(report.verified.join('\n'), /hard links: (2 groups|the number of names)/);
        const there = (path: string) => statSync(join(target, path)).ino;
        assert.equal(there('live/one name'), there('live/another name'));
        assert.notEqual(there('live/one name'), there('snapshot/one name'));
      },
    );

    for (const way of ['through a mount', 'by a second read'] as const) {
      test(`the root of the system is restored whole, attributes compared ${way}`, {
        skip: process.getuid?.() === 0 ? false : 'needs root to read it',
      }, async () => {
        const bench = makeBench({ restic, resource: { directory: '/', marker: undefined } });
        const job = bench.config.jobs['photos-offsite'];
        assert(job?.kind === 'restic-backup');
        // On the way down everything beside it is left out, however deep the folder of this test lies.
        const down = bench.source.replace(/[\\*?[\]]/g, '\\$&').split('/');
        job.exclude = down.slice(1).flatMap((_, at) => {
          const above = down.slice(0, at + 1).join('/');
          return [`${above}/*`, `!${above}/${down[at + 1]}`];
        });
        execFileSync('setfattr', ['-n', 'user.colour', '-v', 'blue', join(bench.source, 'photo 3.txt')]);
        // All of this machine would be looked through for sparse files.
        await bench.host.makeFolder(join(bench.host.stateFolder, 'sparse'));
        const note = JSON.stringify({ run: runAt(1), files: [] });
        await bench.host.writeFile(join(bench.host.stateFolder, 'sparse/photos.json'), note);
        const copy = await backupResource(bench.tools(), bench.step(runAt(1)));
        assert.equal(copy.files, 11);
        const byRead = way === 'by a second read';
        const target = join(bench.folder, 'restored');
        const step = bench.restoreStep(restoreRun, target, byRead ? { compareAttributes: true } : {});
        const tools = byRead ? bench.tools({ host: withoutFuse(bench.host) }) : bench.tools();
        const plan = await planRestore(tools, step);
        assert.deepEqual([plan.paths, plan.files], [[], 11]);
        const report = await restoreCopy(tools, { ...step, digest: plan.digest });
        assert.equal(readFileSync(join(target, bench.source, 'photo 3.txt'), 'utf8'), '3');
        assert.match(report.notVerified.join('\n'), /of "\/" itself/);
        if (plan.attributes?.way !== 'none')
          assert.match(report.verified.join('\n'), /attributes \([1-9]\d* entries have some/);
      });
    }
  });
}

test('of files that two file systems number alike, one that has lost its other name still is a difference', {
  skip: needsMount.skip || (newest?.version === 'system' && 'an old one lists no inodes'),
}, async () => {
  const restic = newest?.path ?? 'restic';
  const bench = makeBench({ restic });
  fillTwoFileSystems(bench);
  await backupResource(bench.tools(), bench.step(runAt(1)));
  const script = `cd -- '.${bench.source}/live' && t=$(stat -c %y .) && cp -p 'one name' x && mv x 'one name' && touch -d "$t" .`;
  bench.config.hosts.nas = {
    ...bench.config.hosts.nas,
    restore: [],
    tools: { restic: meddling(restic, script) },
  };
  await assert.rejects(
    restoreCopy(bench.tools(), bench.restoreStep(restoreRun, join(bench.folder, 'restored'))),
    failsWith('HF_RESTORE_DIFFERS', /live\/\S+ name: is no longer one file with its other names/),
  );
});
