import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { searchAttributes } from '../../contracts/names.js';
import { needs } from '../support/needs.js';
import { repositoryRoot } from '../support/root.js';
import { waitFor } from '../support/wait.js';
import { type Authority, type Certificate, makeAuthority, tlsEnvironment } from './certificates.js';
import { bringNamespace, bringSchema, type Cluster, startCluster } from './cluster.js';
import { type House, makeHouse } from './house.js';
import { type Postgres, startPostgres } from './postgres.js';
import { startWebUi } from './web-ui.js';

/** The production server without containers: PostgreSQL, four services, mutual TLS, and the variables of our compose files. */

const typeNumbers = { KEYWORD: 2, INT: 3, DATETIME: 6 } as const;

describe('a cluster on PostgreSQL with mutual TLS', {
  skip: needs('temporal', 'restic', 'openssl', 'postgres', 'cluster'),
}, () => {
  let authority: Authority;
  let services: Certificate;
  let postgres: Postgres;
  let cluster: Cluster;
  let house: House;

  before(async () => {
    authority = makeAuthority('our authority');
    services = authority.client('services');
    postgres = await startPostgres();
    assert.match(await bringSchema(postgres), /both databases are ready/);
    cluster = await startCluster(postgres, authority);
    assert.match(await bringNamespace(cluster.address, authority, services), /holdfast is ready/);
    house = makeHouse(cluster.address, tlsEnvironment(authority, authority.client('nas')));
  });
  after(async () => {
    await house?.stop();
    await cluster?.stop();
    await postgres?.stop();
  });

  const connect = () =>
    Connection.connect({
      address: cluster.address,
      tls: {
        serverRootCACertificate: readFileSync(authority.certificate),
        clientCertPair: { crt: readFileSync(services.certificate), key: readFileSync(services.key) },
      },
    });

  test('the scripts leave what the code wants, and change nothing when they run again', async () => {
    await bringSchema(postgres);
    await bringNamespace(cluster.address, authority, services);
    const connection = await connect();
    const { config } = await connection.workflowService.describeNamespace({ namespace: 'holdfast' });
    const found = await connection.operatorService.listSearchAttributes({ namespace: 'holdfast' });
    await connection.close();
    assert.equal(optionalTsToMs(config?.workflowExecutionRetentionTtl), 90 * 86_400_000);
    for (const [name, type] of Object.entries(searchAttributes))
      assert.equal(found.customAttributes?.[name], typeNumbers[type], name);
  });

  test('apply, orchestrator, worker, a backup and its restore work on it', async () => {
    const applied = await house.holdfast('apply');
    assert.equal(applied.code, 0, applied.stdout + applied.stderr);
    // The scripts have done all of it already.
    assert.doesNotMatch(applied.stdout + applied.stderr, /namespace holdfast created|attributes added/);
    await house.startWorkers();
    assert.equal((await house.holdfast('init-store', 'vault')).code, 0);
    const ended = await house.holdfast('run', 'photos-offsite', '--follow');
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    const target = join(house.folder, 'restores', 'all');
    const restored = await house.holdfast('restore', 'photos-offsite', '--to', `nas:${target}`, '--yes');
    assert.equal(restored.code, 0, restored.stdout + restored.stderr);
    assert.equal(readFileSync(join(target, 'a picture.txt'), 'utf8'), 'waves');
    const status = await house.holdfast('status', '--check');
    assert.equal(status.code, 0, status.stdout + status.stderr);
  });

  test('the health check of the images sees both processes', async () => {
    for (const role of ['orchestrator', 'worker'])
      await waitFor(
        async () =>
          await promisify(execFile)(
            process.execPath,
            [join(repositoryRoot, 'dist/workers/health.js'), role, 'nas'],
            {
              env: { ...process.env, ...house.env },
            },
          ),
        { timeoutMs: 60_000, what: `${role} to be healthy` },
      );
  });

  test('a certificate of another authority, and none at all, are refused by the server itself', async () => {
    const stranger = tlsEnvironment(authority, makeAuthority('stranger').client('nas'));
    const none = { TEMPORAL_TLS_CLIENT_CERT_PATH: undefined, TEMPORAL_TLS_CLIENT_KEY_PATH: undefined };
    for (const env of [stranger, none]) {
      const ended = await house.holdfastWith(env, 'status').exit;
      assert.equal(ended.code, 4, ended.stdout + ended.stderr);
    }
  });

  test('the Web UI comes in with its certificate, shows the runs, and has Terminate off', {
    skip: needs('web-ui'),
  }, async () => {
    const ui = await startWebUi(cluster.address, authority);
    try {
      const settings = (await ui.ask('/api/v1/settings')) as Record<string, unknown>;
      assert.equal(settings.WorkflowTerminateDisabled, true);
      assert.equal(settings.BatchActionsDisabled, true);
      assert.equal(settings.DisableNewsFetch, true);
      const { executions } = (await ui.ask('/api/v1/namespaces/holdfast/workflows')) as {
        executions: { execution: { workflowId: string } }[];
      };
      assert.ok(executions.some(({ execution }) => execution.workflowId.startsWith('photos-offsite-')));
    } finally {
      await ui.stop();
    }
  });

  test('a server that is killed and started again knows every run', async () => {
    const before = await house.holdfast('runs', 'photos-offsite', '--json');
    assert.equal(before.code, 0, before.stderr);
    await cluster.stop('SIGKILL');
    cluster = await startCluster(postgres, authority);
    const other = makeHouse(cluster.address, tlsEnvironment(authority, services));
    const after = await other.holdfast('runs', 'photos-offsite', '--json');
    assert.equal(after.code, 0, after.stderr);
    assert.deepEqual(JSON.parse(after.stdout), JSON.parse(before.stdout));
    assert.notDeepEqual(JSON.parse(after.stdout), []);
  });
});
