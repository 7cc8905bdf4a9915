import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailoverPlan } from '../../contracts/failover.js';
import { finishEach, type Planned, stillToDo } from '../../workflows/steps/failover.js';
import type { Report } from '../../workflows/steps/report.js';

/** A job with several resources, of which an earlier run has brought some to where they belong. */

const part = (resource: string, more: Partial<FailoverPlan> = {}) =>
  ({ step: { resource }, plan: { lines: [`${resource} in words`], ...more } }) as unknown as Planned;

test('what is done already is left out, and the rest goes on', () => {
  const steps: string[] = [];
  const report = { step: (...words: string[]) => steps.push(words.join(' ')) } as unknown as Report;
  const open = stillToDo([part('vms', { alreadyDone: true }), part('photos')], report);
  assert.deepEqual(
    open.map(({ step }) => step.resource),
    ['photos'],
  );
  assert.deepEqual(steps, ['plan vms skipped vms in words']);
});

test('where nothing is left to do it is refused, with all the reasons', () => {
  const done = [part('vms', { alreadyDone: true }), part('photos', { alreadyDone: true })];
  assert.throws(
    () => stillToDo(done, {} as Report),
    (error: Error & { type: string }) =>
      error.type === 'HF_FAILOVER_REFUSED' &&
      error.message === 'vms in words; photos in words. Nothing was changed',
  );
});

test('programs start with the last part, and not at all where one before is not ready', async () => {
  const parts = ['vms', 'photos', 'db'].map((name) => part(name, { hooks: { stop: true, start: true } }));
  const report = { datasets: 1, byHand: [], notes: [], warnings: [] };
  const asked = async (broken?: string): Promise<string[]> => {
    const said: string[] = [];
    await finishEach(parts, async ({ step: { resource } }, starts) => {
      if (resource === broken) throw new Error(`${resource} is not ready`);
      said.push(starts ? `${resource} starts` : resource);
      return report;
    }).catch((error: Error) => said.push(error.message));
    return said;
  };
  assert.deepEqual(await asked(), ['vms', 'photos', 'db starts']);
  assert.deepEqual(await asked('vms'), ['photos', 'db', 'vms is not ready']);
});
