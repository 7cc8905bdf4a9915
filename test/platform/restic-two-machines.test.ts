import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { listCopies } from '../../activities/restic/copies.js';
import { pruneStore } from '../../activities/restic/prune.js';
import { planRestore } from '../../activities/restic/restore-plan.js';
import { HoldfastError } from '../../contracts/errors.js';
import { resticVersions } from '../../lab/places.js';
import type { Host } from '../../system/host.js';
import { localHost } from '../../system/local-host.js';
import { needs } from '../support/needs.js';
import { type Bench, failsWith, makeBench, runAt } from './restic-bench.js';

const pruneRun = runAt(50, '.prune');

/** A machine of its own, with other files, whose holdfast.yaml uses the same names and repository. */
function otherMachine(bench: Bench, name: string): Bench {
  const folder = join(bench.folder, name);
  mkdirSync(folder);
  writeFileSync(join(folder, '.holdfast'), 'here');
  for (let number = 0; number < 12; number += 1)
    writeFileSync(join(folder, `work ${number}.txt`), `${name} ${number}`);
  const host = localHost({ name, stateFolder: join(bench.folder, `state of ${name}`) });
  const config = structuredClone(bench.config);
  const { nas, ...hosts } = config.hosts;
  const { photos } = config.resources;
  assert(nas && photos);
  config.hosts = { ...hosts, [name]: nas };
  config.resources.photos = { ...photos, host: name, directory: folder };
  return { ...bench, host, config, source: folder, tools: (more) => bench.tools({ host, config, ...more }) };
}

const backup = (bench: Bench, minute: number) => backupResource(bench.tools(), bench.step(runAt(minute)));
const plan = (bench: Bench, more = {}) =>
  planRestore(bench.tools(), bench.restoreStep(runAt(40, '.restore'), join(bench.folder, 'restored'), more));
const idsIn = (bench: Bench): Set<string> => new Set(bench.snapshots().map(({ id }) => id));

const [newest] = resticVersions().slice(-1);
const restic = newest?.path ?? 'restic';

describe('two machines that use the same names in one repository', { skip: needs('restic') }, () => {
  for (const { version, path: restic } of resticVersions())
    test(`retention removes nothing of the other one, and says whose copies it leaves, with restic ${version}`, async () => {
      const nas = makeBench({ restic, job: { keep: { last: 1 }, prune: { cron: '0 6 * * 0' } } });
      const desktop = otherMachine(nas, 'desktop');
      const theirs = [await backup(nas, 1), await backup(nas, 2)];
      const ours = [await backup(desktop, 3), await backup(desktop, 4)];
      const report = await pruneStore(desktop.tools(), desktop.step(pruneRun));
      assert.deepEqual([report.kept, report.removed], [1, 1]);
      assert.match(report.warnings.join(), /^2 copies of "photos" in "shed" .+ of the host "nas"/);
      assert.deepEqual(idsIn(nas), new Set([...theirs, ...ours.slice(1)].map(({ snapshot }) => snapshot)));
      // The newest of all is not theirs, and does not keep their retention from its work.
      assert.equal((await pruneStore(nas.tools(), nas.step(pruneRun))).removed, 1);
      assert.deepEqual(idsIn(nas), new Set([theirs[1]?.snapshot, ours[1]?.snapshot]));
    });

  test('each has its own copy of a run of the same name, and is told of the other one', async () => {
    const nas = makeBench({ restic });
    const desktop = otherMachine(nas, 'desktop');
    const first = await backup(nas, 1);
    const second = await backup(desktop, 1);
    assert.notEqual(second.snapshot, first.snapshot);
    assert.equal(second.adopted, undefined);
    assert.deepEqual([first.files, second.files], [11, 13]);
    assert.match(second.warnings.join(), /The host "nas" has a copy of "photos" by a run of the same name/);
    // What the other one has is no measure, and no copy of ours.
    assert.deepEqual(await backup(nas, 1), first);
    assert.equal(nas.snapshots().length, 2);
  });

  test('a restore takes a copy of its own host, and one of another only by its name', async () => {
    const nas = makeBench({ restic });
    const desktop = otherMachine(nas, 'desktop');
    const own = await backup(nas, 1);
    const other = await backup(desktop, 2);
    const chosen = await plan(nas);
    assert.deepEqual([chosen.snapshot, chosen.madeBy, chosen.proof], [own.snapshot, undefined, 'proved']);
    const named = await plan(nas, { copy: other.snapshot });
    assert.deepEqual([named.snapshot, named.madeBy, named.proof], [other.snapshot, 'desktop', 'unknown']);
  });

  test('a machine that was renamed still finds what it made under its former name', async () => {
    const former = makeBench({ restic, job: { keep: { last: 1 }, prune: { cron: '0 6 * * 0' } } });
    const before = await backup(former, 1);
    const renamed = otherMachine(former, 'tower');
    const chosen = await plan(renamed);
    assert.deepEqual([chosen.snapshot, chosen.madeBy], [before.snapshot, 'nas']);
    const step = { store: 'shed', resources: ['photos'], limit: 9, maxCharacters: 9999 };
    const [listed] = (await listCopies(renamed.tools(), step)).copies;
    assert.deepEqual(
      [listed?.snapshot, listed?.madeBy, listed?.proof, listed?.held],
      [before.snapshot, 'nas', 'unknown', false],
    );
    assert.deepEqual((await backup(renamed, 2)).warnings, []);
    assert.notEqual((await plan(renamed)).snapshot, before.snapshot);
  });
});

describe('a copy that its run has thrown away', { skip: needs('restic') }, () => {
  test('is not what a restore takes, and its plan says of a copy that nobody has proved it', async () => {
    const bench = makeBench({ restic });
    const good = await backup(bench, 1);
    for (let number = 0; number < 4; number += 1) rmSync(join(bench.source, `photo ${number}.txt`));
    // The disk goes away while it is read: the marker is there before the copy and not after it.
    const host = {
      ...bench.host,
      driver: bench.host,
      lookAtFolder: async (...asked: Parameters<Host['lookAtFolder']>) => {
        const look = await bench.host.lookAtFolder(...asked);
        return look && bench.snapshots().length > 1 ? { ...look, marker: 'missing' as const } : look;
      },
    };
    await assert.rejects(
      backupResource(bench.tools({ host }), bench.step(runAt(2))),
      failsWith('HF_SOURCE_MISSING', /marker/),
    );
    const refused = bench.snapshots().find(({ id }) => id !== good.snapshot)?.id ?? '';
    assert.deepEqual(
      bench.evidence().map(({ kind, snapshot }) => [kind, snapshot]),
      [
        ['copy', good.snapshot],
        ['copy-refused', refused],
      ],
    );
    const chosen = await plan(bench);
    assert.deepEqual([chosen.snapshot, chosen.proof], [good.snapshot, 'proved']);
    assert.equal((await plan(bench, { copy: refused })).proof, 'refused');
    rmSync(join(bench.host.stateFolder, 'evidence.jsonl'));
    assert.equal((await plan(bench)).proof, 'not proved');
  });

  test('which could only not be proved now is proved by the next attempt, and not refused', async () => {
    const bench = makeBench({ restic });
    const host = {
      ...bench.host,
      driver: bench.host,
      lookAtFolder: async (...asked: Parameters<Host['lookAtFolder']>) => {
        if (bench.snapshots().length > 0) throw new HoldfastError('HF_SSH_UNREACHABLE', 'the line is cut');
        return bench.host.lookAtFolder(...asked);
      },
    };
    await assert.rejects(
      backupResource(bench.tools({ host }), bench.step(runAt(1))),
      failsWith('HF_SSH_UNREACHABLE'),
    );
    assert.deepEqual(bench.evidence(), []);
    assert.equal((await backupResource(bench.tools({ attempt: 2 }), bench.step(runAt(1)))).adopted, true);
  });
});
