import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { planLines } from '../../cli/plan-view.js';
import type { AttributePlan } from '../../contracts/attributes.js';
import type { RestorePlan } from '../../contracts/jobs.js';

const gib = 2 ** 30;
const plan: RestorePlan = {
  snapshot: 'abcdef0123456789',
  restorePoint: '2026-11-19T03:30:00.000Z',
  target: '/tmp/r',
  paths: [],
  files: 3,
  bytes: 5000 * gib,
  bytesFree: 9000 * gib,
  resumes: false,
  digest: 'a1b2c3',
};

describe('the plan of a restore, before anybody says yes', () => {
  const cases: [what: string, attributes: AttributePlan, told: RegExp][] = [
    ['nothing is read twice', { way: 'mount', bytesReadAgain: 0 }, /compared through a mount.*no content/],
    [
      'what a second read takes',
      { way: 'second read', bytesReadAgain: 3 * gib, why: 'no /dev/fuse' },
      /reading 3.* GiB .*a second time: no \/dev\/fuse$/,
    ],
    [
      'what is not compared, why, and what it would take',
      { way: 'none', bytesReadAgain: 0, why: 'no /dev/fuse', bytesIfAsked: 5000 * gib },
      /NOT COMPARED.*no \/dev\/fuse; --compare-attributes reads 4\.88 TiB a second time/,
    ],
    [
      'what cannot be compared at all',
      { way: 'none', bytesReadAgain: 0, why: 'no getfattr' },
      /NOT COMPARED.*no getfattr$/,
    ],
  ];
  for (const [what, attributes, told] of cases)
    test(`says ${what}`, () => {
      const [line, ...others] = planLines({ ...plan, attributes }).filter((text) =>
        text.startsWith('attributes'),
      );
      assert.match(line ?? '', told);
      assert.deepEqual(others, []);
    });

  test('of an older worker says nothing of attributes', () => {
    assert.doesNotMatch(planLines(plan).join('\n'), /attributes/);
  });
});
