import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { restoreCopy } from '../../activities/restic/restore.js';
import { planRestore } from '../../activities/restic/restore-plan.js';
import { resticVersions } from '../../lab/places.js';
import { runHoldfast } from '../support/children.js';
import { type Bench, failsWith, makeBench, runAt } from './restic-bench.js';

/** `restore --map-ids`: what an unprivileged container needs, whatever is killed on the way. */

const isRoot = process.getuid?.() === 0;
const needsRoot = { skip: isRoot ? false : 'needs root to give files to other owners' };
const restoreRun = (minute: number) => runAt(minute, '.restore');

async function restored(bench: Bench, more = {}) {
  await backupResource(bench.tools(), bench.step(runAt(1)));
  const target = join(bench.folder, 'restored');
  const report = await restoreCopy(bench.tools(), bench.restoreStep(restoreRun(2), target, more));
  return { target, report };
}

for (const { version, path: restic } of resticVersions()) {
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
          // By itself, or quoted in a script that gives it its files.
          if (command.file === program || command.args.some((word) => word.includes(`'${program}'`)))
            throw new Error('killed');
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

    test('what setfattr complains of is a warning, also where attributes are not compared', async () => {
      const bench = containerBench();
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const step = bench.restoreStep(restoreRun(2), join(bench.folder, 'restored'), map);
      const host = {
        ...bench.host,
        run: async (...[command, options]: Parameters<typeof bench.host.run>) => {
          const ended = await bench.host.run(command, options);
          return command.file === 'setfattr' ? { ...ended, exitCode: 1 } : ended;
        },
      };
      const { warnings } = await restoreCopy(bench.tools({ host }), step);
      assert.deepEqual(warnings, [
        'setfattr could not map every access list and capability; the log says which',
      ]);
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

    test('rescue maps too: who types the map is who decides', async () => {
      const bench = containerBench();
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const target = join(bench.folder, 'restored');
      const words = ['rescue', 'restic', 'restore', '--to', target, '--restic', restic];
      const rescue = (...more: string[]) =>
        runHoldfast([...words, '--map-ids', '0:100000:65536', ...more], {
          HOLDFAST_CONFIG: '/nowhere/holdfast.yaml',
          HOLDFAST_STATE: '/nowhere/state',
          RESTIC_REPOSITORY: bench.repository,
          RESTIC_PASSWORD_FILE: join(bench.folder, 'key'),
        });
      const shown = await rescue();
      assert.match(shown.stdout, /owners +mapped by 0:100000:65536: 17 entries get new ones/);
      const [, digest = ''] = /digest\s+([0-9a-f]{64})/.exec(shown.stdout) ?? [];
      const done = await rescue('--yes', digest);
      assert.equal(done.code, 0, done.stdout + done.stderr);
      checkMapped(target);
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
