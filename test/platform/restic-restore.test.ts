import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { restoreCopy } from '../../activities/restic/restore.js';
import { planRestore } from '../../activities/restic/restore-plan.js';
import { resticVersions } from '../../lab/places.js';
import { compareTrees } from '../support/compare.js';
import { makeTree } from '../support/data.js';
import { beforeRemoval } from '../support/temp.js';
import { failsWith, makeBench, runAt } from './restic-bench.js';

const restoreRun = (minute: number) => runAt(minute, '.restore');

for (const { version, path: restic } of resticVersions()) {
  describe(`restore with restic ${version}`, () => {
    test('brings everything back as it was, with every odd name, owner, time, link and attribute', async () => {
      const bench = makeBench({ restic });
      execFileSync('setfattr', ['-n', 'user.root', '-v', 'its own', bench.source]);
      makeTree(join(bench.source, 'tree'), { files: 60, bytes: 3_000_000, seed: 7, odd: true });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const target = join(bench.folder, 'restored');
      const report = await restoreCopy(bench.tools(), bench.restoreStep(restoreRun(2), target));
      const ignored = version === 'system' ? (['sparseness'] as const) : [];
      assert.deepEqual(compareTrees(bench.source, target, { ignore: [...ignored] }), []);
      assert.equal(report.warnings.length, 0, report.warnings.join('\n'));
      assert.match(report.verified.join('\n'), /contents of \d+ files/);
      assert.match(report.verified.join('\n'), /access lists/);
      assert.deepEqual(bench.locks(), []);
    });

    test('restores only the paths that are asked for, whatever characters they hold', async () => {
      const bench = makeBench({ restic });
      for (const name of ['[a]*?\\', 'a', 'other']) {
        mkdirSync(join(bench.source, 'deep', name), { recursive: true });
        writeFileSync(join(bench.source, 'deep', name, '-f'), name);
      }
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const target = join(bench.folder, 'restored');
      const paths = ['deep/[a]*?\\/', 'photo 3.txt'];
      const report = await restoreCopy(bench.tools(), bench.restoreStep(restoreRun(2), target, { paths }));
      assert.equal(report.files, 2);
      assert.deepEqual(readdirSync(target).toSorted(), ['deep', 'photo 3.txt']);
      assert.deepEqual(readdirSync(join(target, 'deep')), ['[a]*?\\']);
    });

    test('goes on in the same place after an attempt that was killed', async () => {
      const bench = makeBench({ restic });
      makeTree(join(bench.source, 'tree'), { files: 40, bytes: 1_000_000, seed: 3, odd: true });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const target = join(bench.folder, 'restored');
      const stop = new AbortController();
      const log = (line: string) => {
        if (line.startsWith('restic restore: 0')) stop.abort(new Error('killed'));
      };
      const step = bench.restoreStep(restoreRun(2), target);
      await assert.rejects(restoreCopy(bench.tools({ signal: stop.signal, log }), step), /killed/);
      assert.deepEqual(readdirSync(target), ['.holdfast-restore']);
      const plan = await planRestore(bench.tools(), step);
      assert.equal(plan.resumes, true);
      await restoreCopy(bench.tools({ attempt: 2 }), { ...step, digest: plan.digest });
      const ignored = version === 'system' ? (['sparseness'] as const) : [];
      assert.deepEqual(compareTrees(bench.source, target, { ignore: [...ignored] }), []);
    });

    test('gives the same answer again when only the answer was lost', async () => {
      const bench = makeBench({ restic });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const asked = bench.restoreStep(restoreRun(2), join(bench.folder, 'restored'));
      const step = { ...asked, digest: (await planRestore(bench.tools(), asked)).digest };
      const first = await restoreCopy(bench.tools(), step);
      assert.deepEqual(await restoreCopy(bench.tools({ attempt: 2 }), step), first);
    });

    test('plans and proves what comes first by itself, and the whole after it in the same run', async () => {
      const bench = makeBench({ restic });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const target = join(bench.folder, 'restored');
      const asked = bench.restoreStep(restoreRun(2), target, { first: ['photo 3.txt'] });
      const plan = await planRestore(bench.tools(), asked);
      assert(plan.first);
      const part = { ...asked, ...plan.first, first: undefined, copy: plan.snapshot };
      const early = await restoreCopy(bench.tools(), part);
      assert.equal(early.files, 1);
      assert.deepEqual(readdirSync(`${target}.first`), ['photo 3.txt']);
      assert.equal(existsSync(target), false);
      const step = { ...asked, digest: plan.digest };
      const whole = await restoreCopy(bench.tools(), step);
      assert.deepEqual(compareTrees(bench.source, target), []);
      assert.deepEqual(await restoreCopy(bench.tools({ attempt: 2 }), part), early, 'a lost answer');
      assert.deepEqual(await restoreCopy(bench.tools({ attempt: 2 }), step), whole, 'a lost answer');
    });

    test('refuses a target that is not empty, not allowed, or leads elsewhere', async () => {
      const bench = makeBench({ restic });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const plan = (target: string) => planRestore(bench.tools(), bench.restoreStep(restoreRun(2), target));
      const full = join(bench.folder, 'full');
      mkdirSync(full);
      writeFileSync(join(full, 'mine'), 'mine');
      await assert.rejects(plan(full), failsWith('HF_TARGET_NOT_EMPTY', /1 entries/));
      for (const refused of ['/etc/holdfast-test', '/', '/tmp', '/tmp/../etc/x', 'relative', '/tmpx/y']) {
        await assert.rejects(plan(refused), failsWith('HF_TARGET_REFUSED'));
      }
      symlinkSync('/etc', join(bench.folder, 'link'));
      await assert.rejects(plan(join(bench.folder, 'link', 'x')), failsWith('HF_TARGET_REFUSED'));
      symlinkSync('/var/nowhere/at all', join(bench.folder, 'dead'));
      await assert.rejects(plan(join(bench.folder, 'dead', 'x')), failsWith('HF_TARGET_REFUSED'));
      assert.equal(readFileSync(join(full, 'mine'), 'utf8'), 'mine');
    });

    test('says which path or copy there is not', async () => {
      const bench = makeBench({ restic });
      mkdirSync(join(bench.source, '2024', 'spring'), { recursive: true });
      const { snapshot } = await backupResource(bench.tools(), bench.step(runAt(1)));
      const plan = (more: object) =>
        planRestore(bench.tools(), bench.restoreStep(restoreRun(2), join(bench.folder, 'r'), more));
      await assert.rejects(
        plan({ paths: ['2024/spring/rome/trevi'] }),
        failsWith('HF_PATH_NOT_FOUND', /nearest folder that it holds is "2024\/spring"/),
      );
      await assert.rejects(plan({ paths: ['../../etc'] }), failsWith('HF_PATH_NOT_FOUND'));
      await assert.rejects(
        plan({ at: '2001-01-01T00:00:00Z' }),
        failsWith('HF_COPY_NOT_FOUND', /the first is of/),
      );
      await assert.rejects(
        plan({ copy: snapshot.slice(0, 3) }),
        failsWith('HF_COPY_NOT_FOUND', /4 characters/),
      );
      assert.equal((await plan({ copy: snapshot.slice(0, 6) })).snapshot, snapshot);
      assert.ok(!existsSync(join(bench.folder, 'r')));
    });

    test('refuses a plan other than the approved one', async () => {
      const bench = makeBench({ restic });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const step = bench.restoreStep(restoreRun(2), join(bench.folder, 'r'), { digest: 'of another plan' });
      await assert.rejects(restoreCopy(bench.tools(), step), failsWith('HF_NOT_APPROVED'));
    });

    test('refuses a target without room, before it writes', {
      skip: process.getuid?.() === 0 ? false : 'needs root to mount a small disk',
    }, async () => {
      const bench = makeBench({ restic });
      writeFileSync(join(bench.source, 'big'), Buffer.alloc(2 ** 21, 'x'));
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const disk = join(bench.folder, 'small disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
      try {
        await assert.rejects(
          planRestore(bench.tools(), bench.restoreStep(restoreRun(2), join(disk, 'r'))),
          failsWith('HF_NO_SPACE', /needs \d+ bytes/),
        );
      } finally {
        execFileSync('umount', [disk]);
      }
      assert.ok(statSync(disk).isDirectory());
    });

    test('has room where names share a file and holes take none', {
      skip:
        process.getuid?.() === 0
          ? version === 'system' && 'an old one lists no inodes'
          : 'needs root to mount a small disk',
    }, async () => {
      const bench = makeBench({ restic });
      const big = join(bench.source, 'big');
      writeFileSync(big, randomBytes(2 ** 20));
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) linkSync(big, join(bench.source, name));
      writeFileSync(join(bench.source, 'sparse.img'), '');
      truncateSync(join(bench.source, 'sparse.img'), 2 ** 24);
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const disk = join(bench.folder, 'small disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=5m', 'tmpfs', disk]);
      beforeRemoval(() => execFileSync('umount', ['--lazy', disk]));
      const step = bench.restoreStep(restoreRun(2), join(disk, 'r'));
      const report = await restoreCopy(bench.tools(), step);
      assert.equal(report.files, 19);
      assert.equal(statSync(join(disk, 'r', 'a')).nlink, 7);
      // Too little for a second one, and said with what is really needed.
      writeFileSync(join(disk, 'something else'), Buffer.alloc(2 ** 21));
      const second = bench.restoreStep(restoreRun(3), join(disk, 's'));
      await assert.rejects(
        planRestore(bench.tools(), second),
        failsWith('HF_NO_SPACE', /needs 2\d{6} bytes and \d+ are free/),
      );
    });
  });
}
