import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Ended, type HoldfastChild, runHoldfast, startHoldfast } from '../support/children.js';
import { makeTree } from '../support/data.js';
import { type Estate, evidenceOf, startEstate } from '../support/estate.js';
import { needs, onlyInFull } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';

/** One job with a resource on each of two hosts, each with a worker and a state folder of its own. */

describe('a job of two hosts', { skip: needs('temporal', 'restic') }, () => {
  let estate: Estate;
  let attic: HoldfastChild;
  let atticState: string;
  const runs: string[] = [];

  const startAttic = async (): Promise<void> => {
    attic = startHoldfast(['worker', '--host', 'attic'], { ...estate.env, HOLDFAST_STATE: atticState });
    await attic.waitForLine('worker runs', 60_000);
  };
  const ok = (ended: Ended): Ended => {
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    return ended;
  };
  const snapshotsOf = async (resource: string): Promise<string[]> => {
    const all = (await estate.restic('snapshots')) as { id: string; tags: string[] }[];
    return all.filter(({ tags }) => tags.includes(`resource:${resource}`)).map(({ id }) => id);
  };
  const goodOnAttic = () =>
    evidenceOf({ ...estate, stateFolder: atticState }).filter(({ kind }) => kind === 'copy');
  const prune = (): Promise<Ended> => estate.holdfast('run', 'both', '--only', 'prune', '--follow');

  before(async () => {
    estate = await startEstate({
      change: (config) => {
        config.hosts.attic = config.hosts.nas;
        config.resources.notes = { host: 'attic', directory: `${config.resources.photos.directory} -notes` };
        const { 'photos-offsite': job } = config.jobs;
        config.jobs = { both: { ...job, resources: ['photos', 'notes'], keep: { last: 1 } } };
      },
    });
    atticState = join(estate.folder, 'state of the attic');
    const notes = `${estate.source} -notes`;
    mkdirSync(notes);
    makeTree(estate.source, { files: 10, bytes: 100_000, seed: 5 });
    makeTree(notes, { files: 10, bytes: 100_000, seed: 6 });
    await startAttic();
    ok(await estate.holdfast('init-store', 'vault', '--host', 'nas'));
    for (const round of [1, 2]) {
      writeFileSync(join(notes, 'a new note'), `round ${round}`);
      runs.push(runIn(ok(await estate.holdfast('run', 'both', '--follow')).stdout));
    }
  });

  after(async () => {
    await attic?.stop('SIGKILL');
    await estate?.stop();
  });

  test('has each copy proved on the host that made it, and nowhere else', () => {
    assert.equal(goodOnAttic().length, 2);
    assert.equal(evidenceOf(estate).filter(({ kind }) => kind === 'copy').length, 2);
  });

  test('has its log shown whole from either host, and from neither', async () => {
    const [run = ''] = runs;
    for (const state of [estate.stateFolder, atticState, join(estate.folder, 'state of a laptop')]) {
      const env = { ...estate.env, HOLDFAST_STATE: state };
      const { stdout } = ok(await runHoldfast(['logs', run, '--json'], env));
      const lines = (JSON.parse(stdout) as { lines: string[] }).lines.map((line) => JSON.parse(line));
      assert.deepEqual([...new Set(lines.map(({ host }) => host))].sort(), ['attic', 'nas'], state);
      const times = lines.map(({ time }) => time as string);
      assert.deepEqual(times, times.toSorted());
    }
  });

  test('shows what it has of a log while one host is away, and says what is missing', async () => {
    await attic.stop('SIGKILL');
    const away = ok(await estate.holdfast('logs', runs[0] ?? ''));
    assert.match(away.stdout, /resticBackup, attempt 1/);
    // A worker that was killed counts as there for a minute: then it is the question itself that has no answer.
    assert.match(away.stderr, /^not shown: /m);
  });

  test('keeps every copy of a host that gives no answer, and says so', {
    skip: onlyInFull('a host is given a minute to answer'),
  }, async () => {
    const before = await snapshotsOf('notes');
    assert.equal(before.length, 2);
    const { code, stdout, stderr } = await prune();
    assert.match(stdout + stderr, /"notes" are good is known on "attic" alone, and it gave no answer/);
    assert.equal(code, 6, 'done, but with a warning');
    assert.deepEqual(await snapshotsOf('notes'), before);
    assert.equal((await snapshotsOf('photos')).length, 1);
  });

  test('holds a copy that the other host has not proved for no good one', async () => {
    const newest = goodOnAttic().at(-1)?.snapshot ?? '';
    const file = join(atticState, 'evidence.jsonl');
    const evidence = readFileSync(file, 'utf8');
    // As if the worker had died between the copy and its proof.
    writeFileSync(
      file,
      evidence
        .split('\n')
        .filter((line) => !line.includes(newest.slice(0, 12)))
        .join('\n'),
    );
    await startAttic();
    const before = await snapshotsOf('notes');
    await prune();
    assert.deepEqual(await snapshotsOf('notes'), before, 'the one good copy is not given up for a newer one');
    writeFileSync(file, evidence);
  });

  test('gives up the older copy when the other host says that the newest is good', async () => {
    ok(await prune());
    const [left = '', ...more] = await snapshotsOf('notes');
    assert.deepEqual(more, []);
    assert.equal(left.slice(0, 12), goodOnAttic().at(-1)?.snapshot?.slice(0, 12));
    assert.ok(existsSync(join(estate.stateFolder, 'evidence.jsonl')));
  });
});
