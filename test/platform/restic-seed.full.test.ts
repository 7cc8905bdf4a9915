import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { listCopies } from '../../activities/restic/copies.js';
import { pruneStore } from '../../activities/restic/prune.js';
import { restoreCopy } from '../../activities/restic/restore.js';
import { planRestore } from '../../activities/restic/restore-plan.js';
import { seedPortion } from '../../activities/restic/seed.js';
import type { SeedReport } from '../../contracts/seeding.js';
import { resticVersions } from '../../lab/places.js';
import { noise } from '../support/content.js';
import { type Bench, type BenchOptions, failsWith, makeBench, runAt } from './restic-bench.js';

const seeding = { portion: '1MB' };
const partTag = 'part:photos-offsite/photos';

/** Three folders that must be cut, one of them below a name that is all pattern, and a few loose files. */
function seedBench(restic: string, more: Partial<BenchOptions> = {}): Bench {
  const bench = makeBench({ restic, ...more, job: { seeding, ...more.job } });
  const folders = ['-2024 [a]*?', 'b\\ack\nslash', 'c {x,y} $HOME !', 'd/deep/er'];
  for (const [at, name] of folders.entries()) {
    const folder = join(bench.source, name);
    mkdirSync(folder, { recursive: true });
    for (let file = 0; file < 3; file += 1)
      writeFileSync(join(folder, `-- ${file} *.jpg`), noise(400_000, 10 * at + file));
  }
  return bench;
}

const next = (bench: Bench, minute = 1): Promise<SeedReport> =>
  seedPortion(bench.tools(), bench.step(runAt(minute)));

/** All portions, one after the other. */
async function seedAll(bench: Bench, minute = 1): Promise<SeedReport[]> {
  const reports = [await next(bench, minute)];
  while (!reports.at(-1)?.done) {
    assert.ok(reports.length < 20, 'seeding does not come to an end');
    reports.push(await next(bench, minute));
  }
  return reports;
}

const partsOf = (bench: Bench) => bench.snapshots().filter(({ tags }) => tags.includes(partTag));
const copiesOf = (bench: Bench) =>
  bench.snapshots().filter(({ tags }) => tags.includes('job:photos-offsite'));

/** What the repository holds on the disk. */
function packBytes({ repository }: Bench): number {
  const files = readdirSync(join(repository, 'data'), { recursive: true, withFileTypes: true });
  return files
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

const filesIn = (bench: Bench, id: string): string[] =>
  bench
    .restic('ls', '--json', '--no-lock', id)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'file')
    .map(({ path }) => path)
    .sort();

for (const { version, path: restic } of resticVersions()) {
  describe(`the first upload with restic ${version}`, () => {
    test('goes portion by portion, each part holding all before it, and ends as one copy that adds nothing', async () => {
      const bench = seedBench(restic);
      const reports = await seedAll(bench);
      assert.ok(reports.length >= 4, `${reports.length} portions`);
      assert.deepEqual(
        reports.map(({ portionsDone, portions }) => [portionsDone, portions]),
        reports.map((_, at) => [at + 1, reports.length]),
      );
      assert.equal(reports.at(-1)?.bytesDone, reports.at(-1)?.bytesTotal);
      const parts = partsOf(bench).map(({ id }) => filesIn(bench, id));
      assert.equal(parts.length, reports.length);
      for (const [at, files] of parts.entries())
        assert.ok(
          (parts[at - 1] ?? []).every((file) => files.includes(file)),
          `part ${at + 1} lost files`,
        );
      assert.deepEqual(copiesOf(bench), []);

      const before = packBytes(bench);
      const copy = await backupResource(bench.tools(), bench.step(runAt(1)));
      assert.deepEqual(parts.at(-1), filesIn(bench, copy.snapshot));
      assert.equal(copy.files, 23);
      assert.ok(packBytes(bench) - before < 20_000, 'the copy sent data again');
      assert.deepEqual(copiesOf(bench).length, 1);
      assert.equal((await next(bench, 2)).hasCopy, true);
    });

    test('uploads nothing again after its state folder and its worker are lost', async () => {
      const bench = seedBench(restic);
      await next(bench);
      await next(bench);
      const before = packBytes(bench);
      rmSync(bench.host.stateFolder, { recursive: true, force: true });
      const again = await next(bench, 2);
      // What nobody proved is looked at again, and not sent again.
      assert.equal(again.portionsDone, 1);
      assert.ok(packBytes(bench) - before < 20_000, `${packBytes(bench) - before} bytes were sent again`);
      await seedAll(bench, 2);
      const copy = await backupResource(bench.tools(), bench.step(runAt(2)));
      assert.equal(copy.files, 23);
      assert.ok(packBytes(bench) < 12 * 400_000 + 200_000);
    });

    test('takes what came and leaves what went between the portions', async () => {
      const bench = seedBench(restic);
      await next(bench);
      mkdirSync(join(bench.source, ' first of all'));
      writeFileSync(join(bench.source, ' first of all', 'new'), noise(900_000, 99));
      rmSync(join(bench.source, 'd'), { recursive: true });
      await seedAll(bench);
      const copy = await backupResource(bench.tools(), bench.step(runAt(1)));
      assert.equal(copy.files, 21);
      assert.deepEqual(copy.warnings, []);
    });

    test('a source that goes away in the middle is no part, and is not the end of what was done', async () => {
      const bench = seedBench(restic);
      await next(bench);
      const away = `${bench.source} away`;
      renameSync(bench.source, away);
      await assert.rejects(next(bench), failsWith('HF_SOURCE_MISSING'));
      // The mount point of a disk that fell off.
      mkdirSync(bench.source);
      await assert.rejects(next(bench), failsWith('HF_SOURCE_MISSING', /marker/));
      rmSync(bench.source, { recursive: true });
      renameSync(away, bench.source);
      assert.equal((await next(bench)).portionsDone, 2);
    });

    test('a source that was emptied meanwhile does not become the first copy', async () => {
      const bench = seedBench(restic);
      await seedAll(bench);
      for (const name of readdirSync(bench.source))
        if (name !== '.holdfast') rmSync(join(bench.source, name), { recursive: true });
      const { done, idle } = await next(bench);
      assert.deepEqual([done, idle], [true, true]);
      await assert.rejects(
        backupResource(bench.tools(), bench.step(runAt(1))),
        failsWith('HF_COPY_IMPLAUSIBLE', /it holds 1 files/),
      );
      // What was refused is no copy: the upload is not over.
      assert.equal((await next(bench, 2)).hasCopy, undefined);
    });

    test('comes to an end when whole portions are excluded', async () => {
      const bench = seedBench(restic, { job: { exclude: ['er', '-2024*', 'photo *'] } });
      const last = (await seedAll(bench)).at(-1);
      const copy = await backupResource(bench.tools(), bench.step(runAt(1)));
      assert.equal(copy.files, 7);
      // What is left out counts for nothing once it was passed.
      assert.deepEqual([last?.bytesDone, last?.bytesTotal], [copy.bytes, copy.bytes]);
    });

    test('retention removes the parts when the copy is proved, and nothing of another job', async () => {
      const bench = seedBench(restic, { job: { keep: { last: 2 }, prune: { cron: '0 6 * * 0' } } });
      await seedAll(bench);
      bench.restic('backup', '--host=nas', '--tag=part:photos-offsite/other', '--', join(bench.source, 'd'));
      const prune = () => pruneStore(bench.tools(), bench.step(runAt(50, '.prune')));
      await prune();
      assert.ok(partsOf(bench).length >= 4, 'parts must stay until there is a copy');
      const copy = await backupResource(bench.tools(), bench.step(runAt(1)));
      const report = await prune();
      assert.deepEqual(partsOf(bench), []);
      assert.equal(report.kept, 1);
      assert.deepEqual(
        bench.snapshots().map(({ tags }) => tags[0]),
        ['part:photos-offsite/other', 'holdfast'],
      );
      assert.equal(filesIn(bench, copy.snapshot).length, 23);
    });

    test('a part is shown as a part, restored only by its name, and never in place', async () => {
      const bench = seedBench(restic, { resource: { restoreInPlace: true } });
      await next(bench);
      await next(bench);
      const shown = await listCopies(bench.tools(), {
        store: 'shed',
        resources: ['photos'],
        limit: 9,
        maxCharacters: 9_000,
      });
      const [part] = shown.copies;
      assert.deepEqual(
        shown.copies.map(({ isPart, held, proof }) => [isPart, held, proof]),
        [[true, false, 'not proved']],
      );
      assert(part?.files);
      const target = join(bench.folder, 'restored');
      const step = bench.restoreStep(runAt(5, '.restore'), target);
      const named = { ...step, copy: part.snapshot.slice(0, 8) };
      await assert.rejects(planRestore(bench.tools(), step), failsWith('HF_COPY_NOT_FOUND', /no whole copy/));
      const past = { ...step, at: new Date().toISOString() };
      await assert.rejects(planRestore(bench.tools(), past), failsWith('HF_COPY_NOT_FOUND', /no whole copy/));
      const onto = { ...named, inPlace: true, target: '' };
      await assert.rejects(planRestore(bench.tools(), onto), failsWith('HF_TARGET_REFUSED', /never takes/));
      const plan = await planRestore(bench.tools(), named);
      assert.equal(plan.isPart, true);
      const report = await restoreCopy(bench.tools(), { ...named, digest: plan.digest });
      assert.equal(report.files, part.files);
      assert.match(report.warnings[0] ?? '', /part of an unfinished first upload/);
      assert.ok(existsSync(join(target, '-2024 [a]*?', '-- 0 *.jpg')));
    });

    test('says how far it is as a whole, and calls only what is new progress', async () => {
      const bench = seedBench(restic, { store: { limits: { uploadKiBps: 300 } } });
      await next(bench);
      bench.progress.length = 0;
      const { bytesTotal } = await next(bench);
      const told = bench.progress.filter(({ newBytes }) => newBytes !== undefined);
      assert.ok(told.length > 0, 'restic said nothing');
      for (const { bytesDone = 0, newBytes = 0, ...rest } of told) {
        assert.equal(rest.bytesTotal, bytesTotal);
        assert.ok(bytesDone >= newBytes && bytesDone <= bytesTotal, JSON.stringify({ bytesDone, newBytes }));
        assert.match(rest.phase ?? '', /^seeding, portion 2 of \d+$/);
      }
      // A dash between the names would give the job "a" with "b-c" the paths of the job "a-b" with "c".
      assert.deepEqual(readdirSync(join(bench.host.stateFolder, 'seeds')), ['photos-offsite.photos.shed']);
    });

    test('a job without prune does not keep the parts for ever', async () => {
      const bench = seedBench(restic);
      await seedAll(bench);
      assert.ok(partsOf(bench).length > 1);
      const copy = await backupResource(bench.tools(), bench.step(runAt(1)));
      assert.deepEqual(partsOf(bench), []);
      assert.deepEqual(
        copiesOf(bench).map(({ id }) => id),
        [copy.snapshot],
      );
      assert.equal(filesIn(bench, copy.snapshot).length, copy.files);
    });

    test('a store without a copy is not given its first one by a run that leaves that to the upload', async () => {
      const bench = seedBench(restic);
      const step = { ...bench.step(runAt(1)), seedFirst: true as const };
      await assert.rejects(backupResource(bench.tools(), step), failsWith('HF_NOT_SEEDED'));
      assert.deepEqual(bench.snapshots(), []);
      await seedAll(bench);
      await assert.rejects(backupResource(bench.tools(), step), failsWith('HF_NOT_SEEDED'));
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const next = { ...bench.step(runAt(2)), seedFirst: true as const };
      assert.equal((await backupResource(bench.tools(), next)).files, 23);
    });

    test('what fits into one portion is a copy like any other', async () => {
      const bench = seedBench(restic, { job: { seeding: true } });
      const report = await next(bench);
      assert.deepEqual([report.done, report.portions], [true, 1]);
      assert.deepEqual(bench.snapshots(), []);
    });
  });
}
