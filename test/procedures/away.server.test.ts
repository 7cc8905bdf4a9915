import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeTree } from '../support/data.js';
import { type Estate, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';

/** A host that is known to be away, or not there yet: nobody waits for it, and nobody takes its silence for a copy. */

describe('a host that is away', { skip: needs('temporal', 'restic') }, () => {
  let estate: Estate;
  const because = 'waits for its switch';

  before(async () => {
    estate = await startEstate({
      change: (config) => {
        config.hosts.grogu = { away: { until: '2999-12-24', because } };
        config.resources.far = { host: 'grogu', directory: '/srv/far' };
        const job = config.jobs['photos-offsite'];
        config.jobs.far = { ...job, resources: ['far'] };
        config.jobs.both = { ...job, resources: ['far', ...job.resources] };
      },
    });
    makeTree(estate.source, { files: 10, bytes: 100_000, seed: 3 });
    assert.equal((await estate.holdfast('init-store', 'vault', '--host', 'nas')).code, 0);
  });
  after(() => estate?.stop());

  const rows = async (...args: string[]) => {
    const { stdout } = await estate.holdfast('status', ...args, '--json');
    return JSON.parse(stdout) as {
      name: string;
      overdue: boolean;
      level: string;
      lastState?: string;
      away?: string[];
    }[];
  };

  for (const operation of ['backup', 'check', 'prune'] as const)
    test(`a ${operation} that needs it ends at once, as skipped and with the words`, async () => {
      const ended = await estate.holdfast('run', 'far', '--only', operation, '--follow');
      assert.equal(ended.code, 6, ended.stdout + ended.stderr);
      assert.match(ended.stdout, /: skipped\nnothing was done: grogu is away until 2999-12-24: waits for/);
    });

  test('nothing of it is overdue, and status says why', async () => {
    const [row] = await rows('far');
    assert.deepEqual(
      [row?.overdue, row?.level, row?.lastState, row?.away],
      [false, 'none', 'skipped', [`grogu is away until 2999-12-24: ${because}`]],
    );
    const { code, stdout } = await estate.holdfast('status', 'far', '--check');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /grogu is away until 2999-12-24/);
    assert.match((await estate.holdfast('plan')).stdout, /Skipped meanwhile: far \(far\), both \(far\)/);
  });

  test('what a job does without it is done, and judged by itself', async () => {
    const before = await rows('both');
    assert.equal(before[0]?.overdue, true);
    const ended = await estate.holdfast('run', 'both', '--follow');
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.match(ended.stdout, /photos → vault: .*; grogu is away until/);
    const [row] = await rows('both');
    assert.deepEqual([row?.overdue, row?.level, row?.lastState], [false, 'green', 'ok']);
  });

  test('is no fault for the doctor, who does not wait for its answer', async () => {
    const { findings } = JSON.parse((await estate.holdfast('doctor', '--json')).stdout) as {
      findings: { host: string; level: string; found: string }[];
    };
    const of = findings.filter(({ host }) => host === 'grogu');
    assert.deepEqual(
      of.map(({ level, found }) => [level, found]),
      [['note', `grogu is away until 2999-12-24: ${because}`]],
    );
  });

  test('when its time is over it is overdue as before, and waited for', async () => {
    estate.configure((config) => {
      config.hosts.grogu.away.until = '2020-12-24';
    });
    const overdue = [...(await rows('far')), ...(await rows('both'))].filter((row) => row.overdue);
    assert.deepEqual(
      overdue.map(({ name }) => name),
      ['far', 'far.check', 'both', 'both.check'],
    );
    const run = runIn((await estate.holdfast('run', 'far')).stdout);
    await waitFor(async () => /waiting|waits/.test((await estate.holdfast('show', run)).stdout), {
      timeoutMs: 60_000,
      what: `${run} to wait for its host`,
    });
    const handle = estate.client.workflow.getHandle(run);
    assert.equal((await handle.describe()).status.name, 'RUNNING');
    await handle.terminate('seen enough');
  });
});
