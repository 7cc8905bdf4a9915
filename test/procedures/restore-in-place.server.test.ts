import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { placesOf } from '../../activities/restic/in-place.js';
import { compareTrees } from '../support/compare.js';
import { makeTree } from '../support/data.js';
import { type Estate, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';

/** A folder was encrypted by somebody: `restore --in-place`, the way back, and a server lost in between. */
describe('a restore in place or with something first, from the command line', {
  skip: needs('temporal', 'restic'),
}, () => {
  let estate: Estate;
  let run = '';
  const restore = (...words: string[]) => estate.holdfast('restore', 'photos-offsite', ...words);

  before(async () => {
    estate = await startEstate();
    makeTree(estate.source, { files: 20, bytes: 300_000, seed: 5 });
    writeFileSync(join(estate.source, 'letter'), 'dear');
    assert.equal((await estate.holdfast('init-store', 'vault')).code, 0);
    assert.equal((await estate.holdfast('run', 'photos-offsite', '--follow')).code, 0);
    assert.equal((await restore('--to', `nas:${estate.folder}/restores/original`, '--yes')).code, 0);
    writeFileSync(join(estate.source, 'letter'), 'pay here');
  });
  after(() => estate?.stop());

  test('brings what is wanted first into a folder of its own, and then everything', async () => {
    const target = join(estate.folder, 'restores', 'all of it');
    const ended = await restore('--to', `nas:${target}`, '--first', 'letter', '--yes');
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.deepEqual(readdirSync(`${target}.first`), ['letter']);
    assert.equal(readFileSync(join(`${target}.first`, 'letter'), 'utf8'), 'dear');
    const original = join(estate.folder, 'restores/original');
    assert.deepEqual(compareTrees(original, target, { ignore: ['sparseness'] }), []);
    const [, readyAt = ''] =
      /1 files that came first have been ready in .* since (\S+Z)/.exec(ended.stdout) ?? [];
    const steps = await estate.client.workflow.getHandle(runIn(ended.stdout)).fetchHistory();
    const closedAt = Number(steps.events?.at(-1)?.eventTime?.seconds) * 1000;
    assert(Date.parse(readyAt) <= closedAt + 1000, readyAt);
    const unknown = await restore('--to', `nas:${target}2`, '--first', 'leter', '--yes');
    assert.equal(unknown.code, 3, unknown.stdout + unknown.stderr);
    assert.equal(existsSync(`${target}2`), false);
  });

  test('shows with the plan what comes first', async () => {
    const ended = await restore('--to', `nas:${estate.folder}/restores/three`, '--first', 'letter');
    assert.equal(ended.code, 5, ended.stdout + ended.stderr);
    assert.match(ended.stdout, /first\s+letter: 1 files, 4 B to .*three\.first/);
  });

  test('in place is refused while the file does not allow it', async () => {
    const ended = await restore('--in-place', '--yes');
    assert.equal(ended.code, 5, ended.stdout + ended.stderr);
    assert.match(ended.stderr, /restoreInPlace/);
    estate.configure((config) => {
      config.resources.photos.restoreInPlace = true;
    });
  });

  test('shows what will be moved aside, and does nothing without a yes', async () => {
    const ended = await restore('--in-place');
    assert.equal(ended.code, 5, ended.stdout + ended.stderr);
    assert.match(ended.stdout, /target\s+.*photos and more \(in place/);
    assert.match(
      ended.stdout,
      /aside\s+\d+ files, .* go to .*photos and more\.before-photos-offsite\.restore-/,
    );
    assert.deepEqual(
      readdirSync(estate.folder).filter((name) => name.startsWith('photos and more')),
      ['photos and more'],
    );
  });

  test('puts the compared copy in its place, keeps what was there, and says how it comes back', async () => {
    const ended = await restore('--in-place', '--yes');
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    run = runIn(ended.stdout);
    assert.match(ended.stdout, new RegExp(`What was there before lies in .*before-${run}`));
    assert.match(ended.stdout, new RegExp(`holdfast restore photos-offsite/photos --undo ${run}`));
    assert.deepEqual(
      compareTrees(join(estate.folder, 'restores/original'), estate.source, { ignore: ['sparseness'] }),
      [],
    );
    assert.equal(readFileSync(join(`${estate.source}.before-${run}`, 'letter'), 'utf8'), 'pay here');
  });

  test('comes back on request', async () => {
    const unknown = await restore('--undo', 'photos-offsite.restore-2001-01-01T00:00:00Z');
    assert.equal(unknown.code, 3, unknown.stdout + unknown.stderr);
    const ended = await restore('--undo', run);
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.equal(readFileSync(join(estate.source, 'letter'), 'utf8'), 'pay here');
    const kept = `${estate.source}.restored-${runIn(ended.stdout)}`;
    assert.equal(readFileSync(join(kept, 'letter'), 'utf8'), 'dear');
  });

  test('is put back by the worker at its start when the run was lost in the middle', async () => {
    const lost = 'photos-offsite.restore-2026-11-20T00:00:01Z';
    const exchange = placesOf(estate.source, 'beside', lost, true);
    const { ino } = statSync(estate.source);
    await estate.worker.stop();
    const open = { v: 1, at: '2026-11-20T00:00:02Z', kind: 'undo-open', run: lost, what: 'in-place:photos' };
    appendFileSync(
      join(estate.stateFolder, 'evidence.jsonl'),
      `${JSON.stringify({ ...open, former: exchange })}\n`,
    );
    renameSync(estate.source, exchange.aside);
    await estate.startWorker();
    await waitFor(() => existsSync(estate.source), { timeoutMs: 60_000, what: 'the folder to be back' });
    assert.equal(statSync(estate.source).ino, ino);
  });
});
