import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Copy, RunResult } from '../../contracts/jobs.js';
import { makeTree } from '../support/data.js';
import { type Estate, evidenceOf, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { type RestServer, startRestServer } from '../support/rest-server.js';
import { reportOf, runIn, saysItWaitsFor } from '../support/run-watch.js';
import { freePort } from '../support/spawn.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

/** Jobs with two stores, one of which is away for a while, or was never made. */

describe('a job with several stores', { skip: needs('temporal', 'restic', 'rclone') }, () => {
  let estate: Estate;
  let server: RestServer | undefined;
  let port: number;
  let served: string;
  const timeoutMs = 120_000;

  before(async () => {
    port = await freePort();
    served = temporaryFolder('served');
    estate = await startEstate({
      change: (config) => {
        const { vault } = config.stores;
        // The one that is away comes first.
        config.stores.attic = {
          restic: { ...vault.restic, repository: `rest:http://127.0.0.1:${port}/attic` },
        };
        config.stores.unmade = { restic: { ...vault.restic, repository: `${vault.restic.repository} two` } };
        const notes = temporaryFolder('notes');
        writeFileSync(join(notes, 'a note'), 'x');
        config.resources.notes = { host: 'nas', directory: notes };
        const { store, ...job } = config.jobs['photos-offsite'];
        config.jobs['photos-offsite'] = { ...job, stores: ['attic', store] };
        config.jobs.near = { ...job, resources: ['notes'], store };
        config.jobs.half = { ...job, stores: [store, 'unmade'] };
      },
    });
    makeTree(estate.source, { files: 20, bytes: 500_000, seed: 5 });
    server = await startRestServer({ port, folder: served });
    for (const store of ['vault', 'attic']) {
      const made = await estate.holdfast('init-store', store);
      assert.equal(made.code, 0, made.stderr);
    }
    await server.stop();
  });

  after(async () => {
    await estate?.stop();
    await server?.stop();
  });

  const copies = () =>
    evidenceOf(estate).filter(({ kind }) => kind === 'copy') as { run: string; store?: string }[];

  /** Another job into the store that is there ends well while this run still waits for the other one. */
  async function backUpBeside(run: string): Promise<void> {
    const beside = await estate.holdfast('run', 'near', '--follow');
    assert.equal(beside.code, 0, beside.stdout + beside.stderr);
    const { status } = await estate.client.workflow.getHandle(run).describe();
    assert.equal(status.name, 'RUNNING');
  }

  test('the outage of one does not delay the copy in the other, nor other jobs that use the other, and the run ends when both have theirs', async () => {
    const run = runIn((await estate.holdfast('run', 'photos-offsite')).stdout);
    await waitFor(() => copies().length > 0, { timeoutMs, what: 'the copy in the store that is there' });
    assert.deepEqual(
      copies().map(({ store }) => store),
      ['vault'],
    );
    await backUpBeside(run);

    server = await startRestServer({ port, folder: served });
    const result = (await estate.client.workflow.getHandle(run).result()) as RunResult;
    assert.deepEqual(result.copies.map(({ store }) => store).sort(), ['attic', 'vault']);
    assert.equal(result.outcome, 'ok');
  });

  test('plan says what reading costs: unknown before a check, measured after it', async () => {
    const before = await estate.holdfast('plan');
    assert.match(before.stdout, /photos-offsite\.check: reads 1\/2 of attic, vault: about .+ each time/);
    assert.match(before.stdout, /the time is unknown until a check has read a part/);
    const checked = await estate.holdfast('run', 'photos-offsite', '--only', 'check', '--follow');
    assert.equal(checked.code, 0, checked.stdout + checked.stderr);
    const after = await estate.holdfast('plan');
    assert.match(after.stdout, /photos-offsite\.check: .+ at the speed of the last check/);
  });

  for (const [operation, ofStore] of [
    ['check', 'check vault'],
    ['prune', 'retention in vault'],
  ] as const)
    test(`a ${operation} that waits for the one that is away keeps no backup from the other`, async () => {
      await server?.stop();
      server = undefined;
      const run = runIn((await estate.holdfast('run', 'photos-offsite', '--only', operation)).stdout);
      const stateOf = async (name: string) =>
        (await reportOf(estate, run)).steps.find((step) => step.name === name)?.state;
      const isDone = async () => assert.equal(await stateOf(ofStore), 'done') === undefined;
      await waitFor(isDone, { timeoutMs, what: `the ${operation} of the store that is there` });
      await backUpBeside(run);
      assert.equal(await stateOf(ofStore.replace('vault', 'attic')), 'running');
      // Whoever wants the store that is away hears who has it.
      const made = runIn((await estate.holdfast('run', 'photos-offsite')).stdout);
      await saysItWaitsFor(estate, made, `store-attic, used by ${run}`);
      // A copy that is made and not proved yet would be held back by the next retention, with a warning.
      await waitFor(() => copies().some((copy) => copy.run === made), {
        timeoutMs,
        what: 'its copy in the other',
      });
      for (const left of [made, run]) {
        assert.equal((await estate.holdfast('cancel', left)).code, 0);
        await assert.rejects(estate.client.workflow.getHandle(left).result());
      }
    });

  test('show tells of a run that failed which copies it had made', async () => {
    const failed = await estate.holdfast('run', 'half', '--follow');
    assert.notEqual(failed.code, 0);
    const run = runIn(failed.stdout);
    const proved = evidenceOf(estate).filter((line) => line.kind === 'copy' && line.run === run);
    assert.deepEqual(
      proved.map(({ store }) => store),
      ['vault'],
    );
    const [snapshot = ''] = proved.map((copy) => copy.snapshot);
    const shown = await estate.holdfast('show', run);
    assert.equal(shown.code, 0, shown.stderr);
    const words = new RegExp(`made and proved before it ended:\n.*\n${snapshot.slice(0, 12)}\tphotos\tvault`);
    assert.match(shown.stdout, words);
    assert.match(shown.stdout, /HF_STORE_MISSING: .*unmade/);
    const { copies: told, error } = JSON.parse((await estate.holdfast('show', run, '--json')).stdout);
    assert.deepEqual(
      told.map((copy: Copy) => [copy.store, copy.snapshot]),
      [['vault', snapshot]],
    );
    assert.equal(error.code, 'HF_STORE_MISSING');
  });
});
