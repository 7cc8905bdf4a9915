import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SnapraidScrubReport } from '../../contracts/snapraid.js';
import { withShare } from '../../workflows/steps/snapraid.js';

test('a run that only scrubs warns of a share that did not answer before it, and of nothing else', () => {
  const found: SnapraidScrubReport = {
    resource: 'media',
    state: 'finished',
    percent: 8,
    blocks: 4000,
    bad: 0,
    files: [],
    digest: '',
    warnings: ['1 files changed since the sync or could not be read'],
  };
  assert.deepEqual(withShare({}, found), found);
  assert.deepEqual(withShare({ shareSilent: 'the share media does not answer' }, found).warnings, [
    'the share media does not answer',
    ...found.warnings,
  ]);
});
