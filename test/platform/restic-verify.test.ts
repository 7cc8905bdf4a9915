import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, ftruncateSync, openSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { restoreCopy } from '../../activities/restic/restore.js';
import { resticVersions } from '../../lab/places.js';
import { temporaryFolder } from '../support/temp.js';
import { type Bench, failsWith, makeBench, runAt } from './restic-bench.js';

/** What a restore must notice in what lies on the disk: each is done behind the back of the driver, right after restic has ended well. */

const isRoot = process.getuid?.() === 0;
const needsRoot = { skip: isRoot ? false : 'needs root to give files to other owners' };
const restoreRun = (minute: number) => runAt(minute, '.restore');
const sparseBytes = 16 * 2 ** 20;

/** restic as ever; after a restore that ended well, `script` runs in the folder that was restored into. */
function meddling(restic: string, script: string): string {
  const path = join(temporaryFolder('meddling'), 'restic');
  const text = `#!/bin/sh
"${restic}" "$@"
code=$?
[ "$1" = restore ] || exit $code
for argument; do case "$argument" in --target=*) cd -- "\${argument#--target=}" || exit 9;; esac; done
${script}
exit $code
`;
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

function makeSparse(path: string): void {
  const file = openSync(path, 'w');
  ftruncateSync(file, sparseBytes);
  closeSync(file);
}

async function restored(bench: Bench, more = {}) {
  await backupResource(bench.tools(), bench.step(runAt(1)));
  const target = join(bench.folder, 'restored');
  const report = await restoreCopy(bench.tools(), bench.restoreStep(restoreRun(2), target, more));
  return { target, report };
}

const attribute = (path: string, name: string): string =>
  execFileSync('getfattr', ['--only-values', '-n', name, path], { encoding: 'latin1' });

for (const { version, path: restic } of resticVersions()) {
  describe(`comparison after a restore with restic ${version}`, () => {
    test('a value of the same length, and one more entry in an access list, are differences', async () => {
      const script = `find . -name 'photo 3.txt' -exec setfattr -n user.colour -v 'blau' {} +
find . -name 'photo 4.txt' -exec setfacl -m u:34:r-- {} +`;
      const bench = makeBench({ restic: meddling(restic, script) });
      execFileSync('setfattr', ['-n', 'user.colour', '-v', 'grün', join(bench.source, 'photo 2.txt')]);
      execFileSync('setfattr', ['-n', 'user.colour', '-v', 'gelb', join(bench.source, 'photo 3.txt')]);
      execFileSync('setfacl', ['-m', 'u:33:r--', join(bench.source, 'photo 4.txt')]);
      await assert.rejects(restored(bench), failsWith('HF_RESTORE_DIFFERS', / 2 places/));
      const log = bench.log.join('\n');
      assert.match(log, /differs: .*photo 3.txt: attributes are "user.colour 4 bytes/);
      assert.match(log, /differs: .*photo 4.txt: attributes are .*user:34:r--/);
      assert.doesNotMatch(log, /gelb|blau/, 'values may be secrets');
      assert.equal(existsSync(join(bench.folder, 'restored', 'photo 3.txt')), false);
    });

    test('attributes of any bytes, access lists and holes are found to be as they were', async () => {
      const bench = makeBench({ restic });
      const file = join(bench.source, "it's\nodd \\ Grüße");
      writeFileSync(file, 'x');
      makeSparse(join(bench.source, 'a disk.img'));
      execFileSync('setfattr', ['-n', 'user.bin', '-v', '0x000a3dff5c', file]);
      execFileSync('setfattr', ['-n', 'user.empty', file]);
      execFileSync('setfacl', ['-m', 'u:33:r-x,g:44:rwx', file]);
      execFileSync('setfacl', ['-m', 'd:u:33:r-x', bench.source]);
      const { report, target } = await restored(bench);
      const verified = report.verified.join('\n');
      assert.match(verified, /values of extended attributes \(2 entries have some\)/);
      assert.equal(attribute(join(target, "it's\nodd \\ Grüße"), 'user.bin'), '\0\n=\xff\\');
      assert.match(verified, /sparseness: 1 files that were sparse/);
      assert.doesNotMatch(report.notVerified.join('\n'), /sparseness/);
      assert.deepEqual(report.warnings, []);
      assert(statSync(join(target, 'a disk.img')).blocks * 512 < 2 ** 20);
    });

    test('an attribute that no tar header can hold is said to be not compared, and its value stays secret', async () => {
      const bench = makeBench({ restic });
      execFileSync('setfattr', ['-n', 'user.a=b', '-v', 'hush-hush', join(bench.source, 'photo 2.txt')]);
      const { report, target } = await restored(bench);
      assert.match(report.notVerified.join('\n'), /access lists and extended attributes: .*holds a "="/);
      assert.doesNotMatch(report.verified.join('\n'), /extended attributes/);
      assert.equal(attribute(join(target, 'photo 2.txt'), 'user.a=b'), 'hush-hush');
      assert.doesNotMatch(bench.log.join('\n'), /hush/);
    });

    test('filled holes are made again, and are a warning where that cannot be', needsRoot, async () => {
      // Holes are not made in a file with a capability, which the system would take away from it.
      const script = `find . -name '*.img' -exec sh -c 'dd if=/dev/zero of="$1" bs=1M count=16 conv=notrunc,fsync && touch -r "$1.time" "$1"' sh {} \\; 2>/dev/null
find . -name 'fixed.img' -exec setcap cap_net_raw+ep {} \\;`;
      const bench = makeBench({ restic: meddling(restic, script) });
      for (const name of ['a disk.img', 'fixed.img']) {
        const path = join(bench.source, name);
        makeSparse(path);
        writeFileSync(`${path}.time`, '');
        execFileSync('touch', ['-r', path, `${path}.time`]);
      }
      execFileSync('setcap', ['cap_net_raw+ep', join(bench.source, 'fixed.img')]);
      const { report, target } = await restored(bench);
      assert.match(report.verified.join('\n'), /sparseness: 1 files/);
      assert.equal(report.warnings.length, 1, report.warnings.join('\n'));
      assert.match(
        report.warnings[0] ?? '',
        /fixed.img: was sparse at the source \(0 of 16777216 .* now 1677/,
      );
      assert(statSync(join(target, 'a disk.img')).blocks * 512 < 2 ** 20);
    });

    test('who has no note of the source says that sparseness was not compared', async () => {
      const bench = makeBench({ restic });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      await bench.host.removeTree(join(bench.host.stateFolder, 'sparse'), bench.host.stateFolder);
      const step = bench.restoreStep(restoreRun(2), join(bench.folder, 'restored'));
      const report = await restoreCopy(bench.tools(), step);
      assert.match(report.notVerified.join('\n'), /sparseness of the other files: this host noted no/);
    });
  });
}
