import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { createHostQuestions } from '../../activities/host/questions.js';
import { openUndos } from '../../activities/host/undo.js';
import { backupResource } from '../../activities/restic/backup.js';
import { bringBack, takePlaceOf } from '../../activities/restic/exchange.js';
import { placesOf } from '../../activities/restic/in-place.js';
import { restoreCopy } from '../../activities/restic/restore.js';
import { planRestore } from '../../activities/restic/restore-plan.js';
import { inPlaceKind, putBackInPlace, takePlace, undoInPlace } from '../../activities/restic/take-place.js';
import { resticVersions } from '../../lab/places.js';
import type { Host } from '../../system/host.js';
import { compareTrees } from '../support/compare.js';
import { makeTree } from '../support/data.js';
import { mountSmallDisk } from '../support/disk.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';
import { type Bench, failsWith, makeBench, runAt } from './restic-bench.js';

const run = runAt(2, '.restore');
const allowed = { resource: { restoreInPlace: true } };
const stepOf = (bench: Bench, more = {}) => bench.restoreStep(run, '', { inPlace: true, ...more });
const namesBeside = (bench: Bench) =>
  readdirSync(dirname(bench.source)).filter((name) => name.startsWith('source of'));

/** The kernel, the disk or the operator ends it at this rename. */
function failingAt(host: Host, count: number): Host {
  let left = count;
  const rename = async (from: string, to: string): Promise<void> => {
    left -= 1;
    if (left < 0) throw new Error('the power went');
    await host.rename(from, to);
  };
  const moveEntries = async (from: string, to: string, stays = '/'): Promise<undefined> => {
    for (const name of readdirSync(from).filter((name) => !name.startsWith(stays)))
      await rename(`${from}/${name}`, `${to}/${name}`);
  };
  return { ...host, rename, moveEntries };
}

for (const { version, path: restic } of resticVersions()) {
  const ignore = version === 'system' ? (['sparseness'] as const) : [];

  describe(`restore in place with restic ${version}`, () => {
    test('moves aside what is there, puts the compared tree in its place, and brings back on request', async () => {
      const bench = makeBench({ restic, ...allowed });
      makeTree(join(bench.source, 'tree'), { files: 20, bytes: 200_000, seed: 4, odd: true });
      chmodSync(bench.source, 0o750);
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const original = join(bench.folder, 'as it was');
      await restoreCopy(bench.tools(), bench.restoreStep(runAt(1, '.restore'), original));
      writeFileSync(join(bench.source, 'photo 3.txt'), 'encrypted, pay here');

      const plan = await planRestore(bench.tools(), stepOf(bench));
      assert.equal(plan.inPlace?.directory, bench.source);
      assert.equal(plan.inPlace?.aside, `${bench.source}.before-${run}`);
      assert(plan.inPlace.files >= 11 && plan.inPlace.bytes > 100_000);
      const step = stepOf(bench, { digest: plan.digest });
      await restoreCopy(bench.tools(), step);
      assert.match(readFileSync(join(bench.source, 'photo 3.txt'), 'utf8'), /pay/, 'not touched before');
      const report = await takePlace(bench.tools(), step);
      assert.equal(report.target, bench.source);
      assert.deepEqual(compareTrees(original, bench.source, { ignore: [...ignore] }), []);
      assert.match(readFileSync(join(plan.inPlace.aside, 'photo 3.txt'), 'utf8'), /pay/);
      assert.deepEqual(await openUndos(bench.host), []);
      assert.deepEqual(await takePlace(bench.tools({ attempt: 2 }), step), report, 'a lost answer');

      const back = bench.restoreStep(runAt(3, '.restore'), '', { undo: run });
      const undone = await undoInPlace(bench.tools(), back);
      assert.match(readFileSync(join(bench.source, 'photo 3.txt'), 'utf8'), /pay/);
      assert.deepEqual(compareTrees(original, undone.movedAside ?? '', { ignore: [...ignore] }), []);
      assert.deepEqual(await undoInPlace(bench.tools({ attempt: 2 }), back), undone, 'a lost answer');
      await assert.rejects(
        undoInPlace(bench.tools(), { ...back, run: runAt(4, '.restore') }),
        failsWith('HF_NOTHING_TO_DO'),
      );
    });

    test('is put back from the journal when it broke in the middle', async () => {
      const bench = makeBench({ restic, ...allowed });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const inode = statSync(bench.source).ino;
      const step = stepOf(bench);
      await restoreCopy(bench.tools(), step);
      // The first rename is that of the folder itself; the second would have put the restored one there.
      await assert.rejects(takePlace(bench.tools({ host: failingAt(bench.host, 1) }), step), /power/);
      assert.equal(existsSync(bench.source), false);
      const [open] = await openUndos(bench.host);
      assert.equal(open?.what, 'in-place:photos');
      const questions = createHostQuestions({
        host: bench.host,
        answer: (body) => body(),
        putBack: { [inPlaceKind]: putBackInPlace },
      });
      await questions.hostPutBack({ run, what: 'in-place:photos' });
      assert.equal(statSync(bench.source).ino, inode);
      assert.deepEqual(await openUndos(bench.host), []);
      assert.deepEqual(namesBeside(bench).sort(), ['source of $HOME', `source of $HOME.restored-${run}`]);
    });

    test('goes on after a crash in the middle when it is tried again', async () => {
      const bench = makeBench({ restic, ...allowed });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const step = stepOf(bench);
      await restoreCopy(bench.tools(), step);
      await assert.rejects(takePlace(bench.tools({ host: failingAt(bench.host, 1) }), step), /power/);
      const report = await takePlace(bench.tools({ attempt: 2 }), step);
      assert.equal(readFileSync(join(bench.source, 'photo 1.txt'), 'utf8'), '1');
      assert.equal(report.movedAside, `${bench.source}.before-${run}`);
      assert.deepEqual(await openUndos(bench.host), []);
    });

    test('works where the folder is gone altogether', async () => {
      const bench = makeBench({ restic, ...allowed });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      await bench.host.rename(bench.source, join(bench.folder, 'burned'));
      const step = stepOf(bench);
      await restoreCopy(bench.tools(), step);
      const report = await takePlace(bench.tools(), step);
      assert.equal(report.movedAside, undefined);
      assert.deepEqual(compareTrees(join(bench.folder, 'burned'), bench.source), []);
    });

    test('is refused where the host does not say so, and where it could not be undone', async () => {
      const bench = makeBench({ restic });
      await backupResource(bench.tools(), bench.step(runAt(1)));
      const plan = (other: Bench, more = {}) => planRestore(other.tools(), stepOf(other, more));
      await assert.rejects(plan(bench), failsWith('HF_TARGET_REFUSED', /resources\.photos\.restoreInPlace/));
      const free = makeBench({ restic, ...allowed });
      await assert.rejects(plan(free, { paths: ['a'] }), failsWith('HF_TARGET_REFUSED', /whole resource/));
      await assert.rejects(
        takePlace(free.tools(), stepOf(free)),
        failsWith('HF_INTERNAL', /not proved/),
        'a step asked for by hand, without a comparison before it',
      );
      await backupResource(free.tools(), free.step(runAt(1)));
      const forged = free.restoreStep(run, `${free.source}.holdfast-in-place`);
      await restoreCopy(free.tools(), forged);
      await assert.rejects(
        takePlace(free.tools(), stepOf(free)),
        failsWith('HF_INTERNAL', /not proved/),
        'restored beside under the right name, but not for this place',
      );
      const holding = makeBench({
        restic,
        resource: { restoreInPlace: true, directory: dirname(free.source) },
      });
      holding.config.stores.shed = free.config.stores.shed as never;
      await assert.rejects(plan(holding), failsWith('HF_TARGET_REFUSED', /lies in it/));
    });
  });
}

describe('the exchange inside of a mount point', () => {
  const make = async () => {
    const bench = makeBench({ restic: resticVersions()[0]?.path ?? 'restic' });
    const folder = join(temporaryFolder('mount'), 'data set');
    mkdirSync(folder);
    for (const name of ['old', '-n', 'Grüße']) writeFileSync(join(folder, name), 'old');
    chmodSync(folder, 0o710);
    const exchange = placesOf(folder, 'inside', run, true);
    mkdirSync(exchange.staged);
    for (const name of ['new', '-n']) writeFileSync(join(exchange.staged, name), 'new');
    chmodSync(exchange.staged, 0o755);
    return { host: bench.host, folder, exchange };
  };
  const visible = (folder: string) =>
    Object.fromEntries(
      readdirSync(folder)
        .filter((name) => !name.startsWith('.holdfast-'))
        .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
    );
  const before = { old: 'old', '-n': 'old', Grüße: 'old' };
  const after = { new: 'new', '-n': 'new' };

  test('ends whole after a crash at any rename, forwards and back', {
    skip: resticVersions().length === 0,
  }, async () => {
    for (let crash = 0; crash < 12; crash += 1) {
      const { host, folder, exchange } = await make();
      const first = await takePlaceOf(failingAt(host, crash), exchange).catch((error: Error) => error);
      if (crash % 2 === 0) {
        await takePlaceOf(host, exchange);
        assert.deepEqual(visible(folder), after, `crash at ${crash}, tried again`);
        assert.deepEqual(visible(exchange.aside), before);
        assert.equal(statSync(folder).mode & 0o777, 0o755);
      }
      await bringBack(failingAt(host, crash), exchange).catch(() => undefined);
      await bringBack(host, exchange);
      assert.deepEqual(visible(folder), before, `crash at ${crash}, put back`);
      assert.equal(statSync(folder).mode & 0o777, 0o710);
      assert.deepEqual(visible(exchange.back), after);
      assert.equal(first instanceof Error, crash < 6);
    }
  });
});

describe('a resource that is a mount point', { skip: needs('mount', 'restic') }, () => {
  test('keeps its mount: what was there goes into a folder of its own inside, and comes back', async () => {
    const disk = mountSmallDisk(40_000_000);
    const resource = { directory: disk.folder, marker: undefined, mounted: true, restoreInPlace: true };
    const bench = makeBench({ restic: resticVersions()[0]?.path ?? 'restic', resource });
    writeFileSync(join(disk.folder, 'letter'), 'dear');
    await backupResource(bench.tools(), bench.step(runAt(1)));
    writeFileSync(join(disk.folder, 'letter'), 'pay here');
    const step = stepOf(bench);
    await restoreCopy(bench.tools(), step);
    const report = await takePlace(bench.tools(), step);
    assert.equal(readFileSync(join(disk.folder, 'letter'), 'utf8'), 'dear');
    assert.equal(readFileSync(join(report.movedAside ?? '', 'letter'), 'utf8'), 'pay here');
    assert.match(report.warnings.join(), /backups leave it out/);
    assert.equal(await bench.host.isMountPoint(disk.folder), true);
    await undoInPlace(bench.tools(), bench.restoreStep(runAt(3, '.restore'), '', { undo: run }));
    assert.equal(readFileSync(join(disk.folder, 'letter'), 'utf8'), 'pay here');
    disk.unmount();
  });

  test('goes back in place a second time: what the first one moved aside is in no copy', async () => {
    const disk = mountSmallDisk(40_000_000);
    const resource = { directory: disk.folder, marker: undefined, mounted: true, restoreInPlace: true };
    const bench = makeBench({ restic: resticVersions()[0]?.path ?? 'restic', resource });
    writeFileSync(join(disk.folder, 'letter'), 'dear');
    // A folder of the user that only begins as ours do is copied.
    mkdirSync(join(disk.folder, '.holdfast-before-lunch'));
    await backupResource(bench.tools(), bench.step(runAt(1)));
    rmSync(join(disk.folder, '.holdfast-before-lunch'), { recursive: true });
    const first = stepOf(bench);
    await restoreCopy(bench.tools(), first);
    await takePlace(bench.tools(), first);
    assert(existsSync(join(disk.folder, '.holdfast-before-lunch')));
    rmSync(join(disk.folder, '.holdfast-before-lunch'), { recursive: true });
    const aside = asideIn(disk.folder);
    mkdirSync(join(disk.folder, '.holdfast-in-place'));
    const copy = await backupResource(bench.tools(), bench.step(runAt(4)));
    rmSync(join(disk.folder, '.holdfast-in-place'), { recursive: true });
    assert.doesNotMatch(bench.restic('ls', copy.snapshot), /\.holdfast-/);
    writeFileSync(join(disk.folder, 'letter'), 'pay here');
    const again = bench.restoreStep(runAt(5, '.restore'), '', { inPlace: true });
    await restoreCopy(bench.tools(), again);
    await takePlace(bench.tools(), again);
    assert.equal(readFileSync(join(disk.folder, 'letter'), 'utf8'), 'dear');
    assert(existsSync(join(disk.folder, aside)));
    disk.unmount();
  });

  test('is refused in the plan where the copy holds what an earlier restore moved aside, and so does the folder', async () => {
    const disk = mountSmallDisk(40_000_000);
    const resource = { directory: disk.folder, marker: undefined, mounted: true, restoreInPlace: true };
    const bench = makeBench({ restic: resticVersions()[0]?.path ?? 'restic', resource });
    const aside = join(disk.folder, '.holdfast-before-an earlier one');
    mkdirSync(join(aside, 'deeper'), { recursive: true });
    await backupResource(bench.tools(), bench.step(runAt(1)));
    const told = /the copy holds \.holdfast-before-an earlier one, and so does the folder.*move it out/;
    await assert.rejects(planRestore(bench.tools(), stepOf(bench)), failsWith('HF_TARGET_REFUSED', told));
    rmSync(aside, { recursive: true });
    await planRestore(bench.tools(), stepOf(bench));
    disk.unmount();
  });

  test('a restore that never took its place is called what it is, and what to do with it', async () => {
    const disk = mountSmallDisk(40_000_000);
    const resource = { directory: disk.folder, marker: undefined, mounted: true, restoreInPlace: true };
    const bench = makeBench({ restic: resticVersions()[0]?.path ?? 'restic', resource });
    writeFileSync(join(disk.folder, 'letter'), 'dear');
    await backupResource(bench.tools(), bench.step(runAt(1)));
    await restoreCopy(bench.tools(), stepOf(bench));
    writeFileSync(join(disk.folder, 'letter'), 'another');
    await backupResource(bench.tools(), bench.step(runAt(4)));
    const told =
      /holdfast-in-place holds the files of an earlier restore in place that never took their place.*move it away/;
    const again = bench.restoreStep(runAt(5, '.restore'), '', { inPlace: true });
    await assert.rejects(planRestore(bench.tools(), again), failsWith('HF_TARGET_NOT_EMPTY', told));
    renameSync(join(disk.folder, '.holdfast-in-place'), join(disk.folder, 'kept'));
    await planRestore(bench.tools(), again);
    disk.unmount();
  });
});

const asideIn = (folder: string): string =>
  readdirSync(folder).find((name) => name.startsWith('.holdfast-before-')) ?? 'nothing was moved aside';
