import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { Worker } from '@temporalio/worker';
import { createLog } from '../../system/log.js';
import { bundleFile } from '../../workers/bundle-file.js';
import { installRuntime } from '../../workers/runtime.js';
import { repositoryRoot } from '../support/root.js';

/** A history that no longer replays is a change that would break the runs that are in progress on the day of an upgrade. */

const folder = join(repositoryRoot, 'test/histories');
const recorded = readdirSync(folder).flatMap((type) =>
  readdirSync(join(folder, type)).map((cause) => join(type, cause)),
);

describe('recorded histories', () => {
  before(() => installRuntime(createLog('replay', 'fatal')));

  for (const name of recorded) {
    test(`${name} replays with the workflows of today`, async () => {
      const history = JSON.parse(readFileSync(join(folder, name), 'utf8'));
      assert(history.events.length > 3);
      // Children are named after the run.
      const { workflowId } = history.events[0].workflowExecutionStartedEventAttributes;
      await Worker.runReplayHistory({ workflowBundle: { codePath: bundleFile } }, history, workflowId);
    });
  }

  test('a history that does not fit is noticed', async () => {
    const [first] = recorded.filter((name) => name.startsWith('backupRestic/'));
    assert(first);
    const text = readFileSync(join(folder, first), 'utf8').replaceAll(
      'hostGuardSource',
      'hostLooksElsewhere',
    );
    await assert.rejects(
      Worker.runReplayHistory({ workflowBundle: { codePath: bundleFile } }, JSON.parse(text)),
    );
  });
});
