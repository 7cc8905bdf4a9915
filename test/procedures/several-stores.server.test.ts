import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { RunResult } from '../../contracts/jobs.js';
import { makeTree } from '../support/data.js';
import { type Estate, evidenceOf, startEstate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { type RestServer, startRestServer } from '../support/rest-server.js';
import { runIn } from '../support/run-watch.js';
import { freePort } from '../support/spawn.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

/** One job with two stores, one of which is away for a while. */

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
        config.jobs['photos-offsite'].stores = ['attic', 'vault'];
        delete config.jobs['photos-offsite'].store;
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

  const copies = () => evidenceOf(estate).filter(({ kind }) => kind === 'copy') as { store?: string }[];

  test('the outage of one does not delay the copy in the other, and the run ends when both have theirs', async () => {
    const run = runIn((await estate.holdfast('run', 'photos-offsite')).stdout);
    await waitFor(() => copies().length > 0, { timeoutMs, what: 'the copy in the store that is there' });
    assert.deepEqual(
      copies().map(({ store }) => store),
      ['vault'],
    );
    const handle = estate.client.workflow.getHandle(run);
    assert.equal((await handle.describe()).status.name, 'RUNNING');

    server = await startRestServer({ port, folder: served });
    const result = (await handle.result()) as RunResult;
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
});
