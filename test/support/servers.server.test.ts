import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import { searchAttributes } from '../../contracts/names.js';
import { resticVersions } from '../../lab/places.js';
import { needs } from './needs.js';
import { startS3 } from './s3-server.js';
import { temporaryFolder } from './temp.js';
import { startTestServer, type TestServer } from './temporal-server.js';

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Starts a workflow that no worker takes: enough to see whether the server remembers. */
async function startWaiting(server: TestServer, workflowId: string): Promise<void> {
  await withClient(server, (client) =>
    client.workflow.start('nobody', { workflowId, taskQueue: 'nobody' }).then(() => undefined),
  );
}

async function withClient<T>(server: TestServer, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: server.address });
  try {
    return await use(new Client({ connection, namespace: server.namespace }));
  } finally {
    await connection.close();
  }
}

describe('the Temporal server of the tests', { skip: needs('temporal') }, () => {
  test('answers with our search attributes and is gone after stop', async () => {
    const server = await startTestServer();
    const { customAttributes } = await withClient(server, (client) =>
      client.connection.operatorService.listSearchAttributes({ namespace: server.namespace }),
    );
    for (const name of Object.keys(searchAttributes)) assert.ok(customAttributes && name in customAttributes);
    const { pid } = server;
    assert.ok(isAlive(pid));
    await server.stop();
    assert.equal(isAlive(pid), false);
  });

  test('remembers its runs in a file through a SIGKILL', async () => {
    const server = await startTestServer({
      databaseFile: join(temporaryFolder('server'), 'temporal.sqlite'),
    });
    await startWaiting(server, 'remember me');
    const { pid } = server;
    await server.kill9();
    await server.restart();
    assert.notEqual(server.pid, pid);
    const { status } = await withClient(server, (client) =>
      client.workflow.getHandle('remember me').describe(),
    );
    assert.equal(status.name, 'RUNNING');
    await server.stop();
  });
});

test('every restic here keeps a repository in the S3 server, also after a restart of it', {
  skip: needs('s3', 'restic'),
}, async () => {
  const s3 = await startS3();
  for (const [index, { path, version }] of resticVersions().entries()) {
    const env = {
      PATH: process.env.PATH,
      AWS_ACCESS_KEY_ID: s3.accessKey,
      AWS_SECRET_ACCESS_KEY: s3.secretKey,
      RESTIC_PASSWORD: 'x',
      RESTIC_REPOSITORY: `s3:${s3.endpoint}/bucket-${index}`,
    };
    const restic = (...args: string[]) =>
      execFileSync(path, ['--no-cache', ...args], { env, encoding: 'utf8' });
    restic('init');
    await s3.kill9();
    await s3.restart();
    assert.match(restic('cat', 'config'), /"chunker_polynomial"/, version);
    assert.ok(readdirSync(join(s3.bucketFolder, `bucket-${index}`)).includes('config'));
  }
  await s3.stop();
});
