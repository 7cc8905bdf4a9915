import assert from 'node:assert/strict';
import {
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { besideCopy, withConfigCopy } from '../../activities/restic/config-copy.js';
import { pruneStore } from '../../activities/restic/prune.js';
import { sparseTag } from '../../activities/restic/sparse-copy.js';
import { resticVersions } from '../../lab/places.js';
import { runHoldfast } from '../support/children.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';
import { type Bench, type BenchOptions, makeBench, meddling, runAt } from './restic-bench.js';

/** Which files were sparse is known in a rescue too, where no host and no state folder is left: it was stored beside the copies. */

const sparseBytes = 16 * 2 ** 20;
const oddNames = ["a 'disk'\n.img", '--help $(reboot).img', 'bell\u0007 \u001b[31m写真.img'];
/** Not UTF-8. */
const oldName = Buffer.from('caf\xe9.img', 'latin1');

const at = (bench: Bench, name: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bench.source}/`), Buffer.from(name)]);

function makeSparse(path: Buffer, second = 1_700_000_000): void {
  writeFileSync(path, '');
  truncateSync(path, sparseBytes);
  utimesSync(path, second, second);
}

/** Right after the restore, as restic before 0.15 leaves them: whatever their names are. */
const fillHoles = `find . -name '*.img' -exec sh -c 'for one do dd if=/dev/zero of="$one" bs=1M count=16 conv=notrunc,fsync && touch -d @1700000000 -- "$one"; done' sh {} + 2>/dev/null`;

const notesIn = (bench: Bench) => bench.snapshots().filter(({ tags }) => tags?.includes(sparseTag));

/** As after a check or retention. */
async function backUp(bench: Bench, minute: number, asks = true): Promise<string> {
  const copy = await backupResource(bench.tools(), bench.step(runAt(minute)));
  const configFile = join(bench.folder, 'holdfast.yaml');
  writeFileSync(configFile, 'hosts: {}\n');
  const tools = bench.tools({ configFile, run: runAt(minute, '.check') });
  const { warnings } = await withConfigCopy(tools, { store: 'shed' }, { warnings: [] }, { asks });
  assert.deepEqual(warnings, []);
  return copy.snapshot;
}

/** The house burned: what is left is the repository, its password and a restic. */
async function rescue(bench: Bench, restic: string, ...words: string[]) {
  rmSync(bench.host.stateFolder, { recursive: true, force: true });
  const target = join(temporaryFolder('rescued'), 'new');
  const env = {
    HOLDFAST_CONFIG: '/nowhere/holdfast.yaml',
    HOLDFAST_STATE: '/nowhere/state',
    RESTIC_REPOSITORY: bench.repository,
    RESTIC_PASSWORD_FILE: join(bench.folder, 'key'),
  };
  const typed = ['rescue', 'restic', 'restore', '--to', target, '--restic', restic, ...words];
  const [, digest = ''] = /digest\s+([0-9a-f]{64})/.exec((await runHoldfast(typed, env)).stdout) ?? [];
  const done = await runHoldfast([...typed, '--yes', digest], env);
  assert.equal(done.code, 0, done.stdout + done.stderr);
  return { ...done, target, env };
}

const [newest] = resticVersions().slice(-1);

describe('sparse files in a rescue', { skip: needs('restic') }, () => {
  const restic = newest?.path ?? '';
  const make = (more: Partial<BenchOptions> = {}): Bench => makeBench({ restic, ...more });

  test('are made sparse again and counted by what was stored beside the copies, whatever they are called', async () => {
    const bench = make();
    for (const name of [...oddNames, oldName]) makeSparse(at(bench, name));
    await backUp(bench, 1);
    const { stdout, target, env } = await rescue(bench, meddling(restic, fillHoles));
    assert.match(stdout, /sparseness: 4 files that were sparse at the source are sparse/);
    assert.doesNotMatch(stdout, /sparseness of the other files/);
    for (const name of readdirSync(target, 'buffer').filter((one) => one.includes('.img'))) {
      const path = Buffer.concat([Buffer.from(`${target}/`), name]);
      const { blocks, size } = statSync(path);
      assert.ok(blocks * 512 < 2 ** 20 && size === sparseBytes, `${name} takes ${blocks} blocks`);
      assert.ok(readFileSync(path).every((byte) => byte === 0));
    }
    const config = await runHoldfast(['rescue', 'restic', 'config', '--restic', restic], env);
    assert.equal(config.stdout, 'hosts: {}\n');
    const listed = await runHoldfast(['rescue', 'restic', 'snapshots', '--json', '--restic', restic], env);
    const { copies, others } = JSON.parse(listed.stdout);
    assert.deepEqual([copies.length, others], [1, 0]);
  });

  test('are compared with the note of the very copy; a copy without one with the newest, and that is said', async () => {
    const bench = make();
    const ids: string[] = [];
    for (const minute of [1, 2, 3]) {
      makeSparse(at(bench, 'disk.img'), 1_700_000_000 + minute);
      makeSparse(at(bench, 'still.img'));
      if (minute === 2) ids.push((await backupResource(bench.tools(), bench.step(runAt(2)))).snapshot);
      else ids.push(await backUp(bench, minute));
    }
    const first = await rescue(bench, restic, '--copy', ids[0] ?? '');
    assert.match(first.stdout, /sparseness: 2 files/);
    assert.doesNotMatch(first.stdout, /sparseness of the other files/);
    const second = await rescue(bench, restic, '--copy', ids[1] ?? '');
    assert.match(second.stdout, /sparseness: 1 files/);
    assert.match(
      second.stdout,
      /sparseness of the other files: the note beside the copies is of another copy/,
    );
  });

  test('are not compared where no note lies beside the copies, or one that cannot be read', async () => {
    const bench = make();
    makeSparse(at(bench, 'disk.img'));
    await backupResource(bench.tools(), bench.step(runAt(1)));
    const without = await rescue(bench, restic);
    assert.match(
      without.stdout,
      /sparseness of the other files: no note of sparse files lies beside the copies/,
    );
    assert.doesNotMatch(without.stdout, /sparseness: /);
    const invented = join(temporaryFolder('invented'), 'photos.json');
    for (const rubbish of ['{"run":"x","files":[{"path":"../../etc/passwd"}]}', 'x'.repeat(2_000_000)]) {
      writeFileSync(invented, rubbish);
      bench.restic('backup', `--tag=${sparseTag}`, `--tag=sparse:photos/${runAt(1)}`, '--', invented);
      const { stdout } = await rescue(bench, restic);
      assert.match(stdout, /sparseness of the other files: the note beside the copies cannot be read/);
    }
  });

  test('cost a start of restic only when they changed, and a backup by itself one a week', async (t) => {
    const bench = make();
    await backUp(bench, 1);
    assert.equal(notesIn(bench).length, 0, 'nothing is stored where nothing is sparse');
    makeSparse(at(bench, 'disk.img'));
    await backUp(bench, 2);
    const [note, ...more] = notesIn(bench);
    assert.deepEqual(more, []);
    assert.deepEqual(note?.tags.toSorted(), [sparseTag, `sparse:photos/${runAt(2)}`]);
    await backUp(bench, 3);
    assert.equal(notesIn(bench).length, 1, 'the same files');
    makeSparse(at(bench, 'disk.img'), 1_700_000_004);
    const besides = bench.log.length;
    await backUp(bench, 4, false);
    assert.equal(bench.log.slice(besides).filter((line) => /^restic \w+: 0 /.test(line)).length, 3);
    assert.equal(notesIn(bench).length, 1, 'a backup does not, within a week');
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 8 * 24 * 60 * 60_000 });
    await backUp(bench, 5, false);
    t.mock.timers.reset();
    assert.deepEqual(
      notesIn(bench).map(({ tags }) => tags.at(-1)),
      [`sparse:photos/${runAt(2)}`, `sparse:photos/${runAt(5)}`],
    );
  });

  test('are stored by the backups of their own host where another one checks the store', async () => {
    const bench = make({ job: { check: { cron: '0 7 * * *' } } });
    makeSparse(at(bench, 'disk.img'));
    const step = bench.step(runAt(1));
    const copy = await backupResource(bench.tools(), step);
    await besideCopy(bench.tools(), step, copy);
    assert.equal(notesIn(bench).length, 0, 'its own checks do');
    const { nas } = bench.config.hosts;
    const job = bench.config.jobs['photos-offsite'];
    assert.ok(nas && bench.config.resources.photos && job?.kind === 'restic-backup');
    bench.config.hosts.laptop = nas;
    bench.config.resources.letters = { ...bench.config.resources.photos, host: 'laptop' };
    job.resources = ['letters', 'photos'];
    const kept = await besideCopy(bench.tools(), step, copy);
    assert.deepEqual(kept.warnings, []);
    assert.deepEqual(
      notesIn(bench).map(({ tags }) => tags.at(-1)),
      [`sparse:photos/${runAt(1)}`],
    );
    assert.equal(bench.snapshots().length, 2, 'the configuration is left to who checks');
  });

  test('are stored again in a new repository at the old address', async () => {
    const bench = make();
    makeSparse(at(bench, 'disk.img'));
    await backUp(bench, 1);
    rmSync(bench.repository, { recursive: true });
    bench.restic('init');
    await backUp(bench, 2);
    assert.equal(notesIn(bench).length, 1);
  });

  test('are forgotten with their copies, all but the newest; nothing else goes with them', async () => {
    const bench = make({ job: { keep: { last: 1 }, prune: { cron: '0 6 * * 0' } } });
    const tagged = `--tag=${sparseTag},sparse:photos/${runAt(1)}`;
    bench.restic('backup', '--host=nas', tagged, '--tag=mine', '--', bench.source);
    for (const minute of [1, 2, 3]) {
      makeSparse(at(bench, 'disk.img'), 1_700_000_000 + minute);
      await backUp(bench, minute);
    }
    assert.equal(notesIn(bench).length, 4);
    await pruneStore(bench.tools(), bench.step(runAt(4, '.prune')));
    const left = bench.snapshots().flatMap(({ tags }) => tags ?? []);
    assert.deepEqual(left.filter((tag) => tag.startsWith('sparse:')).toSorted(), [
      `sparse:photos/${runAt(1)}`,
      `sparse:photos/${runAt(3)}`,
    ]);
    assert.ok(left.includes('mine') && left.includes('holdfast-config'));
    assert.deepEqual(
      left.filter((tag) => tag.startsWith('run:')),
      [`run:${runAt(3)}`],
    );
  });
});
