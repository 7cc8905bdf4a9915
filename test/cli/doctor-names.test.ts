import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeNames } from '../../cli/doctor/judge-names.js';
import type { NamedFacts } from '../../contracts/doctor.js';

const end = (
  side: NamedFacts['side'],
  snapshots: NamedFacts['snapshots'],
  of: Partial<NamedFacts> = {},
): NamedFacts => ({
  job: 'copy',
  resource: 'k',
  side,
  dataset: side === 'source' ? 'fast/k' : 'backup/k',
  snapshots,
  ...of,
});

const judged = (source: NamedFacts[], target: NamedFacts[]) =>
  judgeNames([
    { host: 'grogu', zfs: { named: target } },
    { host: 'din', zfs: { named: source } },
  ]);

const auto = 'auto-2026-11-20_03-00';

test('the same name with another guid at both ends is told of the host of the replica, with who makes it and what to do', () => {
  const [found, ...more] = judged(
    [
      end('source', [
        ['auto-2026-11-20_02-00', '1', 'TrueNAS'],
        [auto, '2', 'TrueNAS'],
      ]),
    ],
    [
      end('target', [
        ['auto-2026-11-20_02-00', '1', 'TrueNAS'],
        [auto, '3', 'TrueNAS'],
      ]),
    ],
  );
  assert.deepEqual([found?.host, found?.level, more], ['grogu', 'warning', []]);
  assert.match(
    found?.found ?? '',
    /^TrueNAS makes snapshots of the same names of backup\/k and of fast\/k on din \(@auto-2026-11-20_03-00\)/,
  );
  assert.match(found?.next ?? '', /Leave the replica out .*"holdfast do copy roll-back --plan"/);
});

test('what came with our own streams, what only one end has, and the names of another job say nothing', () => {
  const [here, there] = [end('source', [[auto, '2']]), end('target', [[auto, '3']])];
  assert.deepEqual(
    judged(
      [here],
      [
        end('target', [
          [auto, '2'],
          ['monday', '9'],
        ]),
      ],
    ),
    [],
  );
  for (const other of [{ job: 'other' }, { resource: 'vms' }])
    assert.deepEqual(judged([{ ...here, ...other }], [there]), []);
  assert.deepEqual(judged([], [there]), []);
  assert.equal(judged([here], [there]).length, 1);
});
