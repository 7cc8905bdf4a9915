import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { restoreCopy } from '../../activities/restic/restore.js';
import { planRestore } from '../../activities/restic/restore-plan.js';
import { resticVersions } from '../../lab/places.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';
import { type Bench, failsWith, makeBench, meddling, runAt, withoutFuse } from './restic-bench.js';

/** What a restore must notice in what lies on the disk: each is done behind the back of the driver, right after restic has ended well. */

const isRoot = process.getuid?.() === 0;
const needsRoot = { skip: isRoot ? false : 'needs root to give files to other owners' };
const restoreRun = (minute: number) => runAt(minute, '.restore');
const sparseBytes = 16 * 2 ** 20;

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

const mountsBelow = (folder: string): string =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(folder))
    .join('\n');

/** Processes of the programs that mount copies of this bench. */
const mountersOf = (bench: Bench): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => commandLine(pid).includes(`${bench.host.stateFolder}/mounts`))
    .map(Number);

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** As a machine does that runs out of memory: nothing can tidy up. */
function killMountOf(bench: Bench): void {
  for (const pid of mountersOf(bench)) process.kill(pid, 'SIGKILL');
}

/** The shell alone: what it started must not serve on, with the lock in its hands. */
function killShellOf(bench: Bench): void {
  const shells = mountersOf(bench).filter((pid) => /^sh\0/.test(commandLine(String(pid))));
  assert(shells.length > 0);
  for (const pid of shells) process.kill(pid, 'SIGKILL');
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

    test('an attribute that no tar header can hold is compared through a mount, and said to be not compared without one', async () => {
      const bench = makeBench({ restic });
      execFileSync('setfattr', ['-n', 'user.a=b', '-v', 'hush-hush', join(bench.source, 'photo 2.txt')]);
      const { report } = await restored(bench);
      assert.match(report.verified.join('\n'), /values of extended attributes \(1 entries/);
      assert.deepEqual(
        report.notVerified.filter((line) => /attributes/.test(line)),
        [],
      );
      const target = join(bench.folder, 'without');
      const tools = bench.tools({ host: withoutFuse(bench.host) });
      const other = await restoreCopy(tools, bench.restoreStep(restoreRun(3), target));
      assert.match(other.notVerified.join('\n'), /access lists and extended attributes: .*holds a "="/);
      assert.doesNotMatch(other.verified.join('\n'), /extended attributes/);
      assert.equal(attribute(join(target, 'photo 2.txt'), 'user.a=b'), 'hush-hush');
      assert.doesNotMatch(bench.log.join('\n'), /hush/);
    });

    test('attributes are compared without reading any content again', async () => {
      // The packs of the contents are gone before the comparison; what describes the files lies in restic's cache.
      const bench = makeBench({ restic: meddling(restic, 'rm -rf -- "$RESTIC_REPOSITORY/data"') });
      execFileSync('setfattr', ['-n', 'user.colour', '-v', 'grün', join(bench.source, 'photo 2.txt')]);
      const { report } = await restored(bench);
      assert.match(report.verified.join('\n'), /values of extended attributes \(1 entries have some\)/);
      assert.deepEqual(report.warnings, []);
    });

    test('the plan says how attributes will be compared on this host, and what that reads', async () => {
      const bench = makeBench({ restic });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const step = bench.restoreStep(restoreRun(2), join(bench.folder, 'restored'));
      const { attributes } = await planRestore(bench.tools(), step);
      assert.deepEqual(attributes, { way: 'mount', bytesReadAgain: 0 });
      const other = await planRestore(bench.tools({ host: withoutFuse(bench.host) }), step);
      assert.equal(other.attributes?.way, 'second read');
      assert.equal(other.attributes?.bytesReadAgain, other.bytes);
      assert.match(other.attributes?.why ?? '', /fusermount .*fuse3/);
    });

    test('attributes of single files, of the chosen folders themselves and of many folders are compared', async () => {
      const script = `find . -name 'photo 5.txt' -exec setfattr -n user.of -v other {} +
find . -name 'chosen 22' -exec setfattr -n user.of -v other {} +`;
      const bench = makeBench({ restic: meddling(restic, script) });
      const folders = Array.from({ length: 25 }, (_, index) => `chosen ${index}`);
      for (const name of folders) mkdirSync(join(bench.source, name));
      const paths = [...folders, 'photo 5.txt'];
      for (const path of paths)
        execFileSync('setfattr', ['-n', 'user.of', '-v', 'mine', join(bench.source, path)]);
      await assert.rejects(restored(bench, { paths }), failsWith('HF_RESTORE_DIFFERS', / 2 places/));
      const log = bench.log.join('\n');
      assert.match(log, /differs: .*photo 5.txt: attributes/);
      assert.match(log, /differs: .*chosen 22: attributes/);
    });

    test('a copy that cannot be mounted is read a second time, which is a warning', async () => {
      const script = `#!/bin/sh
[ "$1" = mount ] && { echo 'fusermount: mount failed: Operation not permitted' >&2; exit 1; }
exec "${restic}" "$@"
`;
      const path = join(temporaryFolder('mountless'), 'restic');
      writeFileSync(path, script, { mode: 0o755 });
      const bench = makeBench({ restic: path });
      execFileSync('setfattr', ['-n', 'user.colour', '-v', 'grün', join(bench.source, 'photo 2.txt')]);
      const { report } = await restored(bench);
      assert.match(report.verified.join('\n'), /values of extended attributes \(1 entries have some\)/);
      assert.match(report.warnings.join('\n'), /not compared as planned: .*Operation not permitted/);
      assert.equal(mountsBelow(bench.folder), '');
    });

    for (const [how, end] of [
      ['stopped', (stop: AbortController) => stop.abort(new Error('stopped'))],
      ['killed', (_: AbortController, bench: Bench) => killMountOf(bench)],
      ['left by its shell', (_: AbortController, bench: Bench) => killShellOf(bench)],
    ] as const)
      test(`a comparison that is ${how} in the middle leaves no mount and no process, and goes on`, async () => {
        const bench = makeBench({ restic });
        execFileSync('setfattr', ['-n', 'user.colour', '-v', 'grün', join(bench.source, 'photo 2.txt')]);
        await backupResource(bench.tools(), bench.step(runAt(1)));
        const step = bench.restoreStep(restoreRun(2), join(bench.folder, 'restored'));
        const stop = new AbortController();
        const log = (line: string) => {
          if (line.startsWith('Now serving')) end(stop, bench);
        };
        await assert.rejects(
          restoreCopy(bench.tools({ signal: stop.signal, log }), step),
          /stopped|was ended/,
        );
        await waitFor(() => mountersOf(bench).length === 0, {
          timeoutMs: 20_000,
          what: 'the end of the program that mounts',
        });
        assert.equal(mountsBelow(bench.folder), '');
        const report = await restoreCopy(bench.tools({ attempt: 2 }), step);
        assert.match(report.verified.join('\n'), /values of extended attributes \(1 entries have some\)/);
        assert.deepEqual(report.warnings, []);
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
