import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { forgetOldRuns } from '../../activities/zfs/replicate-notebook.js';
import { localHost } from '../../system/local-host.js';
import { temporaryFolder } from '../support/temp.js';

/** What a run writes down is forgotten by the operation it is of. */

test('plans that wait for a yes stay, however many runs of other operations there were before and since', async () => {
  const stateFolder = temporaryFolder('notebook');
  const at = (name: string, day: number): string => `${name}-2026-11-${String(day).padStart(2, '0')}T030000Z`;
  const days = Array.from({ length: 14 }, (_, day) => day + 1);
  const made = [
    ...days.map((day) => at('copy', day)),
    ...days.slice(0, 12).map((day) => at('copy.roll-back', day)),
    at('copy.park', 1),
    at('copy-more', 1),
  ];
  for (const name of made) mkdirSync(join(stateFolder, 'replications', name), { recursive: true });
  const host = localHost({ name: 'din', stateFolder });
  const input = {
    job: 'copy',
    run: 'copy-2026-11-02T03:00:00Z',
    resource: 'k',
    store: 'grogu',
    retryForMs: 1,
    round: 1,
  };
  await forgetOldRuns(host, input);
  const gone = [1, 3, 4].map((day) => at('copy', day));
  gone.push(...[1, 2].map((day) => at('copy.roll-back', day)));
  assert.deepEqual(
    readdirSync(join(stateFolder, 'replications')).sort(),
    made.filter((name) => !gone.includes(name)).sort(),
  );
});
