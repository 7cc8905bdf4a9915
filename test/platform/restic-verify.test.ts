import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  ftruncateSync,
  lstatSync,
  openSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { restoreCopy } from '../../activities/restic/restore.js';
import { planRestore } from '../../activities/restic/restore-plan.js';
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

  describe(`mapped owners with restic ${version}`, needsRoot, () => {
    const allowed = { mapIds: ['0:100000:65536', '100000:0:65536'] };

    function containerBench(program = restic): Bench {
      const bench = makeBench({ restic: program });
      Object.assign(bench.config.hosts.nas ?? {}, allowed);
      const folder = join(bench.source, '-rf *');
      execFileSync('mkdir', ['--', folder]);
      const file = (name: string, uid: number, gid: number, mode: number) => {
        writeFileSync(join(folder, name), name);
        chownSync(join(folder, name), uid, gid);
        chmodSync(join(folder, name), mode);
      };
      file('su', 0, 0, 0o6755);
      file('mail\nbox \\ ü', 8, 12, 0o640);
      file('ping', 0, 0, 0o755);
      execFileSync('setcap', ['cap_net_raw+ep', join(folder, 'ping')]);
      execFileSync('setfacl', ['-m', 'u:33:r--,g:44:rw-', join(folder, 'mail\nbox \\ ü')]);
      execFileSync('setfacl', ['-m', 'd:u:33:r-x', folder]);
      symlinkSync('/etc/passwd', join(folder, 'link'));
      return bench;
    }

    const map = { mapIds: ['0:100000:65536'] };
    const capability = (path: string): string => execFileSync('getcap', [path], { encoding: 'utf8' });
    const accessList = (path: string): string =>
      execFileSync('getfacl', ['--numeric', '--omit-header', '--absolute-names', path], { encoding: 'utf8' });

    function checkMapped(target: string): void {
      const at = (name: string) => join(target, '-rf *', name);
      const owner = (path: string) => `${lstatSync(path).uid}:${lstatSync(path).gid}`;
      assert.equal(owner(target), '100000:100000', 'the folder itself');
      assert.equal(owner(at('')), '100000:100000');
      assert.equal(owner(at('link')), '100000:100000');
      assert.equal(owner('/etc/passwd'), '0:0', 'a link is not followed');
      assert.equal(owner(at('mail\nbox \\ ü')), '100008:100012');
      assert.match(accessList(at('mail\nbox \\ ü')), /^user:100033:r--$/m);
      assert.match(accessList(at('mail\nbox \\ ü')), /^group:100044:rw-$/m);
      assert.match(accessList(at('')), /^default:user:100033:r-x$/m);
      assert.equal((lstatSync(at('su')).mode & 0o7777).toString(8), '6755');
      assert.match(capability(at('ping')), /cap_net_raw=ep/);
    }

    test('owners, access lists, setuid and capabilities are those that a container sees', async () => {
      const bench = containerBench();
      const { target, report } = await restored(bench, map);
      checkMapped(target);
      assert.match(report.verified.join('\n'), /mapping of owners by 0:100000:65536/);
      assert.deepEqual(report.warnings, []);
    });

    test('kills in the middle of the mapping and after it do not map twice', async () => {
      const bench = containerBench();
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const target = join(bench.folder, 'restored');
      const step = bench.restoreStep(restoreRun(2), target, map);
      const killedAt = (phase: string) => (progress: { phase?: string }) => {
        if (progress.phase === phase) throw new Error('killed');
      };
      const killedBefore = (program: string) => ({
        ...bench.host,
        run: (...[command, options]: Parameters<typeof bench.host.run>) => {
          if (command.file === program) throw new Error('killed');
          return bench.host.run(command, options);
        },
      });
      const attempts = [
        { progress: killedAt('mapping owners') },
        { host: killedBefore('chmod') },
        { host: killedBefore('setfattr') },
        { progress: killedAt('comparing') },
        { progress: killedAt('moving into place') },
      ];
      for (const [index, tools] of attempts.entries())
        await assert.rejects(restoreCopy(bench.tools({ attempt: index + 1, ...tools }), step), /killed/);
      await restoreCopy(bench.tools({ attempt: 6 }), step);
      checkMapped(target);
    });

    test('the plan shows the mapping and its digest is bound to it', async () => {
      const bench = containerBench();
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const plan = (more: object) =>
        planRestore(bench.tools(), bench.restoreStep(restoreRun(2), join(bench.folder, 'r'), more));
      const mapped = await plan(map);
      assert.deepEqual(mapped.mapping?.mapIds, map.mapIds);
      assert.equal(mapped.mapping?.entries, 17);
      const digests = [
        mapped,
        await plan({}),
        await plan({ mapIds: ['uid=0:100000:65536'] }),
        await plan({ mapIds: ['0:100000:100'] }),
      ].map(({ digest }) => digest);
      assert.equal(new Set(digests).size, digests.length);
    });

    test('ids without a place, and maps that the host does not list, are refused', async () => {
      const bench = containerBench();
      chownSync(join(bench.source, 'photo 3.txt'), 0, 70_000);
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const plan = (...mapIds: string[]) =>
        planRestore(bench.tools(), bench.restoreStep(restoreRun(2), join(bench.folder, 'r'), { mapIds }));
      await assert.rejects(
        plan('0:100000:65536'),
        failsWith('HF_TARGET_REFUSED', /no place for gid 70000 \(1 entries, first .*photo 3\.txt/),
      );
      await assert.rejects(plan('1000:0:1'), failsWith('HF_TARGET_REFUSED', /does not map owners by uid/));
      await assert.rejects(plan('0:100000:65537'), failsWith('HF_TARGET_REFUSED', /mapIds/));
      assert.ok(!existsSync(join(bench.folder, 'r')));
    });

    test('an access list that names an id without a place ends before anything is mapped', async () => {
      const bench = containerBench();
      execFileSync('setfacl', ['-m', 'u:70000:r--', join(bench.source, 'photo 3.txt')]);
      await assert.rejects(restored(bench, map), failsWith('HF_TARGET_REFUSED', /uid 70000/));
    });

    test('there and back again', async () => {
      const bench = containerBench();
      const { target } = await restored(bench, map);
      const back = makeBench({ restic });
      Object.assign(back.config.hosts.nas ?? {}, allowed);
      execFileSync('cp', ['-a', '--', join(target, '-rf *'), back.source]);
      for (const name of ['.holdfast', ...Array.from({ length: 10 }, (_, n) => `photo ${n}.txt`)])
        chownSync(join(back.source, name), 100_000, 100_000);
      chownSync(back.source, 100_000, 100_000);
      const { target: home } = await restored(back, { mapIds: ['100000:0:65536'] });
      assert.equal(lstatSync(join(home, '-rf *', 'mail\nbox \\ ü')).uid, 8);
      assert.match(accessList(join(home, '-rf *', 'mail\nbox \\ ü')), /^user:33:r--$/m);
      assert.match(capability(join(home, '-rf *', 'ping')), /cap_net_raw=ep/);
    });
  });
}
