import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { createResticQuestions } from '../../activities/restic/questions.js';
import { restoreCopy } from '../../activities/restic/restore.js';
import { keepSparseNotes } from '../../activities/restic/sparse-copy.js';
import type { HandedSparseNote } from '../../contracts/sparseness.js';
import { resticVersions } from '../../lab/places.js';
import { localHost } from '../../system/local-host.js';
import { type Bench, failsWith, makeBench, meddling, runAt } from './restic-bench.js';

/** A restore on a host that never saw the source. */

const allocated = (path: string): number => statSync(path).blocks * 512;
const sparseBytes = 16 * 2 ** 20;
/** Right after the restore, as restic before 0.15 leaves them. */
const fillHoles = `find . -name '*.img' -exec sh -c 'dd if=/dev/zero of="$1" bs=1M count=16 conv=notrunc,fsync && touch -d @1700000000 "$1"' sh {} \\; 2>/dev/null`;

function makeSparse(path: string): void {
  writeFileSync(path, '');
  truncateSync(path, sparseBytes);
  execFileSync('touch', ['-d', '@1700000000', path]);
}

const ask = (bench: Bench, name = 'nas'): Promise<HandedSparseNote> => {
  const host = localHost({ name, stateFolder: bench.host.stateFolder });
  const questions = createResticQuestions({ host, config: () => bench.config, answer: (body) => body() });
  return questions.resticTellSparse({ resource: 'photos' });
};

async function restoredElsewhere(bench: Bench, sparse: unknown) {
  const attic = localHost({ name: 'attic', stateFolder: join(bench.folder, 'attic') });
  const target = join(bench.folder, 'restored');
  const more = { sparse: sparse as HandedSparseNote };
  const step = bench.restoreStep(runAt(2, '.restore'), target, more);
  return { target, report: await restoreCopy(bench.tools({ host: attic }), step) };
}

const [newest] = resticVersions().slice(-1);

describe('sparse files at a restore on another host', {
  skip: newest ? false : 'needs restic',
}, () => {
  const restic = newest?.path ?? '';

  test('are made sparse again and counted, by what the host of the source has told', async () => {
    const bench = makeBench({ restic: meddling(restic, fillHoles) });
    makeSparse(join(bench.source, "a 'disk'\n.img"));
    await backupResource(bench.tools(), bench.step(runAt(1)));
    const { report, target } = await restoredElsewhere(bench, await ask(bench));
    assert.match(report.verified.join('\n'), /sparseness: 1 files that were sparse at the source are sparse/);
    assert.doesNotMatch(report.notVerified.join('\n'), /sparseness/);
    assert.deepEqual(report.warnings, []);
    assert(allocated(join(target, "a 'disk'\n.img")) < 2 ** 20);
  });

  test('are said to be not compared when that host does not answer', async () => {
    const bench = makeBench({ restic });
    makeSparse(join(bench.source, 'disk.img'));
    await backupResource(bench.tools(), bench.step(runAt(1)));
    const { report } = await restoredElsewhere(bench, { host: 'nas', answered: false });
    assert.match(report.notVerified.join('\n'), /sparseness of the other files: host nas does not answer/);
    assert.doesNotMatch(report.verified.join('\n'), /sparseness/);
  });

  test('are compared by the note beside the copies when that host does not answer, and a check has stored it', async () => {
    const bench = makeBench({ restic: meddling(restic, fillHoles) });
    makeSparse(join(bench.source, 'disk.img'));
    await backupResource(bench.tools(), bench.step(runAt(1)));
    await keepSparseNotes(bench.tools(), bench.step(runAt(1)).store, { atOnce: true });
    const { report, target } = await restoredElsewhere(bench, { host: 'nas', answered: false });
    assert.match(report.verified.join('\n'), /sparseness: 1 files that were sparse at the source are sparse/);
    assert.doesNotMatch(report.notVerified.join('\n'), /sparseness/);
    assert(allocated(join(target, 'disk.img')) < 2 ** 20);
  });

  test('of a later backup are compared where they are the same, and the rest is said to be of another copy', async () => {
    const bench = makeBench({ restic });
    makeSparse(join(bench.source, 'disk.img'));
    await backupResource(bench.tools(), bench.step(runAt(1)));
    const { note } = await ask(bench);
    const later = { host: 'nas', answered: true, note: { ...note, run: runAt(9) } };
    const { report } = await restoredElsewhere(bench, later);
    assert.match(report.verified.join('\n'), /sparseness: 1 files/);
    assert.match(report.notVerified.join('\n'), /host nas noted those of another copy/);
  });

  test('that somebody has invented change nothing outside of the target', async () => {
    const bench = makeBench({ restic });
    const outside = join(bench.folder, 'outside.img');
    const content = Buffer.alloc(sparseBytes);
    writeFileSync(outside, content);
    execFileSync('touch', ['-d', '@1700000000', outside]);
    symlinkSync(bench.folder, join(bench.source, 'link'));
    await backupResource(bench.tools(), bench.step(runAt(1)));
    const before = statSync(outside);
    const up = '../'.repeat(3);
    const paths = [outside, outside.slice(1), `${up}outside.img`, 'link/outside.img', '', '.', '..'];
    const files = paths.map((path) => ({
      path,
      size: sparseBytes,
      mtimeNs: '1700000000000000000',
      allocated: 0,
    }));
    const { report, target } = await restoredElsewhere(bench, {
      host: 'nas',
      answered: true,
      note: { run: runAt(1), files },
    });
    const now = statSync(outside);
    assert.deepEqual([now.blocks, now.mtimeMs, now.ctimeMs], [before.blocks, before.mtimeMs, before.ctimeMs]);
    assert(readFileSync(outside).equals(content));
    assert.match(report.verified.join('\n'), /sparseness: 0 files/);
    assert(existsSync(join(target, 'photo 1.txt')));
  });

  test('are told by the host that backs the resource up, and by no other', async () => {
    const bench = makeBench({ restic });
    await assert.rejects(ask(bench, 'attic'), failsWith('HF_NOT_IN_CONFIG', /worked on by "nas"/));
    assert.deepEqual(await ask(bench), { host: 'nas', answered: true });
  });
});
