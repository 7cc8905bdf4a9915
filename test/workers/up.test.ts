import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { HoldfastError } from '../../contracts/errors.js';
import type { AppliedSchedule } from '../../schedules/apply.js';
import { planSchedules } from '../../schedules/plan.js';
import { refuseCluster, scheduleLines } from '../../workers/up.js';
import { asApplied, configOf, example, scheduleIn } from '../schedules/example.js';
import { temporaryFolder } from '../support/temp.js';

describe('holdfast up', () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  // A profile of whoever runs the tests must not be read.
  const profile = { TEMPORAL_CONFIG_FILE: join(temporaryFolder(), 'none.toml') };
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  });
  const refuse = (variables: Record<string, string>, temporal: string) => {
    Object.assign(process.env, profile, variables);
    refuseCluster(configOf(`temporal: ${temporal}\nhosts: { nas: {} }\n`));
  };

  test('is refused while the environment leads its workers to another server than the one it starts', () => {
    assert.throws(
      () => refuse({ TEMPORAL_ADDRESS: 'cluster.lan:7233' }, '{ embedded: { port: 7999 } }'),
      (error) => {
        assert.ok(error instanceof HoldfastError);
        assert.match(error.message, /TEMPORAL_ADDRESS.*cluster\.lan:7233/);
        assert.match(String(error.details.next), /Unset TEMPORAL_ADDRESS/);
        return true;
      },
    );
  });

  test('is refused while the file names a server', () => {
    assert.throws(() => refuse({}, '{ address: "cluster.lan:7233" }'), /temporal\.address names a server/);
  });

  test('goes on where nothing or its own address is said', () => {
    refuse({}, '{ embedded: { port: 7999 } }');
    refuse({ TEMPORAL_ADDRESS: 'localhost:7999' }, '{ embedded: { port: 7999 } }');
  });

  test('names the schedules that the file does not name, and counts the others', () => {
    const known = scheduleIn(example());
    const orphan = { ...asApplied(known), id: 'hf-gone.prune' };
    const changes = planSchedules([known], [asApplied(known), orphan]);
    const applied: AppliedSchedule[] = [
      { id: known.id, done: 'unchanged' },
      { id: orphan.id, done: 'kept' },
    ];
    assert.deepEqual(scheduleLines(changes, applied), [
      'Schedules: 1, 0 changed.',
      'hf-gone.prune is not in the file any more and still starts runs: holdfast apply --prune',
    ]);
  });
});
