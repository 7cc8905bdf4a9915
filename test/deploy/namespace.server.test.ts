import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Connection } from '@temporalio/client';
import { msToTs, optionalTsToMs } from '@temporalio/common/lib/time.js';
import { searchAttributes } from '../../contracts/names.js';
import { temporalPath } from '../../lab/places.js';
import { needs } from '../support/needs.js';
import { repositoryRoot } from '../support/root.js';
import { startTestServer } from '../support/temporal-server.js';

const dayMs = 86_400_000;

test('the namespace script makes what is missing, and never shortens what somebody has raised', {
  skip: needs('temporal'),
}, async () => {
  const server = await startTestServer({ namespace: 'other', searchAttributes: {} });
  const connection = await Connection.connect({ address: server.address });
  const run = () =>
    execFileSync('sh', [join(repositoryRoot, 'deploy/temporal/namespace.sh')], {
      encoding: 'utf8',
      env: {
        PATH: `${dirname(temporalPath() ?? '')}:${process.env.PATH}`,
        HOME: '/nowhere',
        TEMPORAL_ADDRESS: server.address,
      },
    });
  const retentionDays = async () => {
    const { config } = await connection.workflowService.describeNamespace({ namespace: 'holdfast' });
    return (optionalTsToMs(config?.workflowExecutionRetentionTtl) ?? 0) / dayMs;
  };
  try {
    assert.match(run(), /search attribute HfJob[\s\S]*holdfast is ready/);
    assert.equal(await retentionDays(), 90);
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: 'holdfast',
    });
    for (const name of Object.keys(searchAttributes)) assert.ok(customAttributes?.[name], name);
    await connection.workflowService.updateNamespace({
      namespace: 'holdfast',
      config: { workflowExecutionRetentionTtl: msToTs(200 * dayMs) },
    });
    const again = run();
    assert.match(again, /holdfast is there/);
    assert.doesNotMatch(again, /search attribute/);
    assert.equal(await retentionDays(), 200);
  } finally {
    await connection.close();
    await server.stop();
  }
});
