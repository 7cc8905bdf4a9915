import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { keepConfig, withConfigCopy } from '../../activities/restic/config-copy.js';
import { initialiseStore } from '../../activities/restic/initialise.js';
import { seedPortion } from '../../activities/restic/seed.js';
import { resticVersions } from '../../lab/places.js';
import { runHoldfast } from '../support/children.js';
import { compareTrees } from '../support/compare.js';
import { noise } from '../support/content.js';
import { makeTree } from '../support/data.js';
import { temporaryFolder } from '../support/temp.js';
import { type Bench, makeBench, runAt } from './restic-bench.js';

/** The house burned: no server, no worker, no configuration, no state folder. Only the repository, its password and the program. */

const nothingLeft = { HOLDFAST_CONFIG: '/nowhere/holdfast.yaml', HOLDFAST_STATE: '/nowhere/state' };

for (const { version, path: restic } of resticVersions()) {
  /** A restic that writes down what every user of the machine could have seen. */
  const seenRestic = (bench: Bench): { program: string; seen: () => string } => {
    const program = join(bench.folder, 'restic that is watched');
    const file = join(bench.folder, 'seen');
    writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$@" >> '${file}'\nexec ${restic} "$@"\n`, {
      mode: 0o755,
    });
    return { program, seen: () => readFileSync(file, 'utf8') };
  };

  describe(`rescue with restic ${version}`, () => {
    test('lists and restores with the address and the password alone, after a yes to the very plan', async () => {
      const bench = makeBench({ restic });
      makeTree(join(bench.source, 'tree'), { files: 20, bytes: 200_000, seed: 7, odd: true });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      bench.restic('backup', '--tag=somebody-else', bench.folder);
      bench.restic('backup', '--tag=part:photos-offsite/photos', bench.folder);
      const { program, seen } = seenRestic(bench);
      const access = ['--repository', bench.repository, '--password-file', join(bench.folder, 'key')];
      const rescue = (...words: string[]) =>
        runHoldfast(['rescue', 'restic', ...words, ...access, '--restic', program], nothingLeft);

      const listed = await rescue('snapshots', '--json');
      assert.equal(listed.code, 0, listed.stderr);
      const { copies, parts, newestParts, others } = JSON.parse(listed.stdout);
      assert.deepEqual([parts, newestParts.length, others], [1, 1, 1]);
      assert.match(
        (await rescue('snapshots')).stdout,
        /^Part of an unfinished first upload.*--copy SNAPSHOT/m,
      );
      assert.deepEqual(
        copies.map(({ job, resource, run }: Record<string, string>) => ({ job, resource, run })),
        [{ job: 'photos-offsite', resource: 'photos', run: runAt(1) }],
      );

      const target = join(bench.folder, "new disk's place");
      const unasked = await rescue('restore', 'photos-offsite', '--to', target);
      assert.equal(unasked.code, 5, unasked.stderr);
      assert.equal(existsSync(target), false);
      const [, digest = ''] = /digest\s+([0-9a-f]{64})/.exec(unasked.stdout) ?? [];
      const wrong = await rescue('restore', '--to', target, '--yes', `0000${digest.slice(4)}`);
      assert.equal(wrong.code, 5, wrong.stdout);
      assert.equal(existsSync(target), false);

      const done = await rescue('restore', 'photos-offsite', '--to', target, '--yes', digest.slice(0, 8));
      assert.equal(done.code, 0, done.stdout + done.stderr);
      assert.match(done.stdout, /restored to .* and verified/);
      assert.match(done.stdout, /verified: contents of \d+ files/);
      const ignored = version === 'system' ? (['sparseness'] as const) : [];
      assert.deepEqual(compareTrees(bench.source, target, { ignore: [...ignored] }), []);
      const part = bench.snapshots().find(({ tags }) => tags.includes('part:photos-offsite/photos'));
      assert.equal(newestParts[0].snapshot, part?.id);
      const partly = ['restore', '--copy', part?.id ?? '', '--to', join(bench.folder, 'part')];
      const shown = await rescue(...partly);
      const [, ofPart = ''] = /digest\s+([0-9a-f]{64})/.exec(shown.stdout) ?? [];
      const restored = await rescue(...partly, '--yes', ofPart.slice(0, 8));
      assert.equal(restored.code, 6, restored.stdout + restored.stderr);
      assert.match(restored.stdout, /part of an unfinished first upload/);
      assert.ok(existsSync(join(bench.folder, 'part', basename(bench.folder))));
      assert.deepEqual(bench.locks(), []);
      const secret = readFileSync(join(bench.folder, 'key'), 'utf8').trim();
      assert.match(seen(), /restore/);
      assert.doesNotMatch(seen() + done.stdout + done.stderr, new RegExp(secret));
    });

    const once = version === resticVersions().at(-1)?.version ? false : 'of one version is enough';
    test('brings back what a first upload had sent when the house burned, and never by itself', {
      skip: once,
    }, async () => {
      const bench = makeBench({ restic, job: { seeding: { portion: 2_000_000 } } });
      for (const name of ['a', 'b', 'c']) {
        mkdirSync(join(bench.source, name));
        writeFileSync(join(bench.source, name, 'file'), noise(1_500_000, name.charCodeAt(0)));
      }
      for (const minute of [1, 2])
        assert.equal((await seedPortion(bench.tools(), bench.step(runAt(minute)))).done, false);
      const env = {
        ...nothingLeft,
        RESTIC_REPOSITORY: bench.repository,
        RESTIC_PASSWORD_FILE: join(bench.folder, 'key'),
      };
      const rescue = (...words: string[]) =>
        runHoldfast(['rescue', 'restic', ...words, '--restic', restic], env);
      const newest = (bench.snapshots().at(-1)?.id ?? '').slice(0, 12);
      const listed = await rescue('snapshots');
      assert.match(listed.stdout, /^No copies of Holdfast\.\n\nPart of an unfinished first upload/);
      assert.match(
        listed.stdout,
        new RegExp(`photos-offsite/photos .*${newest}|photos-offsite/photos\t${newest}`),
      );
      const target = join(bench.folder, 'restored');
      const unnamed = await rescue('restore', '--to', target);
      assert.equal(unnamed.code, 3, unnamed.stdout + unnamed.stderr);
      assert.match(
        unnamed.stderr,
        new RegExp(`no whole copy of "photos-offsite/photos".*--copy ${newest}`, 's'),
      );
      const words = ['restore', '--copy', newest, '--to', target];
      const [, digest = ''] = /digest\s+([0-9a-f]{64})/.exec((await rescue(...words)).stdout) ?? [];
      const done = await rescue(...words, '--yes', digest);
      assert.equal(done.code, 6, done.stdout + done.stderr);
      assert.match(done.stdout, /part of an unfinished first upload/);
      const there = readdirSync(target).filter((name) => ['a', 'b', 'c'].includes(name));
      assert(there.length >= 2, there.join());
      for (const name of there)
        assert.deepEqual(
          readFileSync(join(target, name, 'file')),
          readFileSync(join(bench.source, name, 'file')),
        );
    });

    test('writes its proof where a state folder is, and leaves out what is known to hold too little', async () => {
      const bench = makeBench({ restic });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      for (const name of readdirSync(bench.source).filter((name) => name.startsWith('photo')))
        writeFileSync(join(bench.source, name), '');
      await backupResource(bench.tools(), bench.step(runAt(2)));
      const [good, emptied] = bench.snapshots() as { id: string }[];
      const fact = { v: 1, at: '2026-11-20T04:00:00Z', kind: 'copy-refused', run: runAt(2), store: 'shed' };
      const evidence = join(bench.host.stateFolder, 'evidence.jsonl');
      writeFileSync(
        evidence,
        `${JSON.stringify({ ...fact, job: 'photos-offsite', resource: 'photos', snapshot: emptied?.id, files: 11, bytes: 0 })}\n`,
      );
      const target = join(bench.folder, 'restored');
      const words = ['rescue', 'restic', 'restore', '--to', target, '--restic', restic];
      const env = {
        ...nothingLeft,
        HOLDFAST_STATE: bench.host.stateFolder,
        RESTIC_REPOSITORY: bench.repository,
        RESTIC_PASSWORD_FILE: join(bench.folder, 'key'),
      };
      const [, digest = ''] = /digest\s+([0-9a-f]{64})/.exec((await runHoldfast(words, env)).stdout) ?? [];
      const done = await runHoldfast([...words, '--yes', digest], env);
      assert.equal(done.code, 0, done.stdout + done.stderr);
      assert.equal(readFileSync(join(target, 'photo 3.txt'), 'utf8'), '3');
      const proof = bench.evidence().find(({ kind }: { kind: string }) => kind === 'restore');
      assert.equal((proof as { report?: { snapshot: string } })?.report?.snapshot, good?.id);
    });

    test('gives the configuration back that was stored beside the backups, stored once for each content', async () => {
      const bench = makeBench({ restic });
      const configFile = join(bench.folder, 'my holdfast.yaml');
      const tools = bench.tools({ configFile });
      writeFileSync(configFile, '# first\n');
      const step = bench.step(runAt(1));
      const copy = await withConfigCopy(tools, step, await backupResource(tools, step));
      assert.deepEqual(copy.warnings, []);
      const starts = bench.log.length;
      await keepConfig(tools, 'shed');
      assert.equal(bench.log.length, starts, 'restic is not started for what is stored');
      writeFileSync(configFile, '# second: Grüße\nhosts: {}\n');
      await keepConfig(bench.tools({ configFile, run: runAt(2) }), 'shed');
      const stored = bench
        .snapshots()
        .filter(({ tags }: { tags?: string[] }) => tags?.includes('holdfast-config'));
      assert.equal(stored.length, 2);
      const printed = await runHoldfast(['rescue', 'restic', 'config', '--restic', restic], {
        ...nothingLeft,
        RESTIC_REPOSITORY: bench.repository,
        RESTIC_PASSWORD_COMMAND: `cat '${join(bench.folder, 'key')}'`,
      });
      assert.equal(printed.code, 0, printed.stderr);
      assert.equal(printed.stdout, '# second: Grüße\nhosts: {}\n');
    });

    test('stores the configuration again in a new repository at the old address, whoever made it', async () => {
      const bench = makeBench({ restic });
      const configFile = join(bench.folder, 'holdfast.yaml');
      writeFileSync(configFile, 'hosts: {}\n');
      const tools = bench.tools({ configFile });
      const stored = (): number =>
        bench.snapshots().filter(({ tags }) => tags?.includes('holdfast-config')).length;
      await keepConfig(tools, 'shed');
      await keepConfig(tools, 'shed', { asks: true });
      assert.equal(stored(), 1);
      rmSync(bench.repository, { recursive: true });
      bench.restic('init');
      await keepConfig(tools, 'shed', { asks: true });
      assert.equal(stored(), 1, 'made by hand: the check after it asks');
      rmSync(bench.repository, { recursive: true });
      await initialiseStore(tools, 'shed');
      await keepConfig(tools, 'shed');
      assert.equal(stored(), 1, 'made by us: the backup after it knows');
    });

    test('a configuration that cannot be stored is a warning of the backup, not its end', async () => {
      const bench = makeBench({ restic });
      const step = bench.step(runAt(1));
      const copy = await backupResource(bench.tools(), step);
      const configFile = join(bench.folder, 'gone.yaml');
      const kept = await withConfigCopy(bench.tools({ configFile }), step, copy);
      assert.equal(kept.snapshot, copy.snapshot);
      assert.match(kept.warnings.join(), /configuration was not stored beside the backups in "shed"/);
    });

    test('a restic that is killed while it stores the configuration is started once more, and nobody hears of it', async () => {
      const folder = temporaryFolder('killed');
      const [killed, program] = [join(folder, 'killed'), join(folder, 'restic')];
      const killsOnce = `[ -e '${killed}' ] || { : > '${killed}'; kill -KILL $$; }`;
      const text = `#!/bin/sh\ncase " $* " in *" backup "*) ${killsOnce};; esac\nexec '${restic}' "$@"\n`;
      writeFileSync(program, text, { mode: 0o755 });
      const bench = makeBench({ restic: program });
      const configFile = join(bench.folder, 'holdfast.yaml');
      writeFileSync(configFile, 'hosts: {}\n');
      const kept = await withConfigCopy(bench.tools({ configFile }), { store: 'shed' }, { warnings: [] });
      assert.ok(existsSync(killed), 'the first start was killed');
      assert.deepEqual(kept.warnings, []);
      const stored = bench.snapshots().filter(({ tags }) => tags?.includes('holdfast-config'));
      assert.equal(stored.length, 1);
    });

    test('says in words what is wrong: password, place, name, address with a password', async () => {
      const bench = makeBench({ restic });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const env = {
        ...nothingLeft,
        RESTIC_PASSWORD: 'not the right one',
        RESTIC_REPOSITORY: bench.repository,
      };
      const right = { ...env, RESTIC_PASSWORD: undefined, RESTIC_PASSWORD_FILE: join(bench.folder, 'key') };
      const rescue = (with_: typeof env | typeof right, ...words: string[]) =>
        runHoldfast(['rescue', 'restic', ...words, '--restic', restic], with_);
      const wrong = await rescue(env, 'snapshots');
      assert.equal(wrong.code, 1, wrong.stdout);
      assert.match(wrong.stderr, /password/);
      assert.match(wrong.stderr, /next: Look at --password-file/);
      assert.doesNotMatch(wrong.stderr, /not the right one/);
      const noFile = await rescue(right, 'snapshots', '--password-file', join(bench.folder, 'no key'));
      assert.match(noFile.stderr, /no key.*\nnext: Look at --password-file: is it there/);
      const nowhere = await rescue(right, 'snapshots', '--repository', join(bench.folder, 'nowhere'));
      assert.match(nowhere.stderr, /next: Look at --repository/);
      mkdirSync(join(bench.folder, 'full'));
      writeFileSync(join(bench.folder, 'full', 'mine'), '');
      const full = await rescue(right, 'restore', '--to', join(bench.folder, 'full'), '--yes', '00000000');
      assert.equal(full.code, 5, full.stderr);
      assert.equal((await rescue(right, 'restore', 'films', '--to', join(bench.folder, 'x'))).code, 3);
      assert.equal((await rescue(right, 'config')).code, 3);
      assert.equal((await rescue(right, 'forget')).code, 2);
      const address = await rescue(right, 'snapshots', '--repository', 'rest:http://me:hidden@localhost/');
      assert.equal(address.code, 2);
      assert.doesNotMatch(address.stdout + address.stderr, /hidden/);
    });
  });
}
