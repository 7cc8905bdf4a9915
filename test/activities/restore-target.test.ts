import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { moveIntoPlace } from '../../activities/restic/publish.js';
import {
  allowedTarget,
  dataFolder,
  reportFile,
  stagingFolder,
  targetState,
} from '../../activities/restic/target.js';
import type { Config } from '../../config/schema.js';
import { localHost } from '../../system/local-host.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';

const nobody = 65534;

function makeHost() {
  const folder = temporaryFolder('target');
  mkdirSync(join(folder, 'state'));
  mkdirSync(join(folder, 'restores'));
  const host = localHost({ name: 'nas', stateFolder: join(folder, 'state') });
  const config = { hosts: { nas: { restore: [join(folder, 'restores')] } } } as unknown as Config;
  return { host, config, restores: join(folder, 'restores') };
}
const refusedTarget = { code: 'HF_TARGET_REFUSED' };

describe('the target of a restore', () => {
  test('may be new or an empty folder of ours', async () => {
    const { host, config, restores } = makeHost();
    assert.equal(await allowedTarget(host, config, join(restores, 'new')), join(restores, 'new'));
    mkdirSync(join(restores, 'empty'));
    assert.equal(await allowedTarget(host, config, join(restores, 'empty')), join(restores, 'empty'));
  });

  test('is refused where another user owns a folder on the way', { skip: needs('root') }, async () => {
    const { host, config, restores } = makeHost();
    mkdirSync(join(restores, 'his', 'deep'), { recursive: true });
    chownSync(join(restores, 'his'), nobody, nobody);
    await assert.rejects(allowedTarget(host, config, join(restores, 'his', 'deep')), refusedTarget);
    await assert.rejects(allowedTarget(host, config, join(restores, 'his')), refusedTarget);
  });

  test('is refused where everybody may write, unless only owners may remove there', async () => {
    const { host, config, restores } = makeHost();
    mkdirSync(join(restores, 'open'));
    chmodSync(join(restores, 'open'), 0o777);
    await assert.rejects(allowedTarget(host, config, join(restores, 'open', 'new')), refusedTarget);
    chmodSync(join(restores, 'open'), 0o1777);
    assert.equal(
      await allowedTarget(host, config, join(restores, 'open', 'new')),
      join(restores, 'open', 'new'),
    );
  });

  test('does not take a forged staging folder for its own half-done work', {
    skip: needs('root'),
  }, async () => {
    const { host, restores } = makeHost();
    const target = join(restores, 'target');
    mkdirSync(stagingFolder(target), { recursive: true });
    writeFileSync(join(stagingFolder(target), 'plan.json'), JSON.stringify({ digest: 'the right one' }));
    writeFileSync(reportFile(target), '{}');
    chownSync(stagingFolder(target), nobody, nobody);
    await assert.rejects(targetState(host, target, 'the right one'), refusedTarget);
  });

  test('is never given what a link in the staging folder leads to', async () => {
    const { host, restores } = makeHost();
    const target = join(restores, 'target');
    const live = join(restores, 'live');
    mkdirSync(live);
    writeFileSync(join(live, 'only copy'), 'x');
    mkdirSync(join(dataFolder(target), 'srv'), { recursive: true });
    symlinkSync(live, join(dataFolder(target), 'srv', 'photos'));
    await assert.rejects(moveIntoPlace({ host }, target, '/srv/photos', true), refusedTarget);
    assert.equal(await host.exists(join(live, 'only copy')), true);
  });
});
