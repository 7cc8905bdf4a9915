import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseSmartctl, snapraidSmart } from '../../activities/snapraid/parse-smart.js';
import { repositoryRoot } from '../support/root.js';

/** What smartctl and real versions of snapraid have said of disks that answer SMART, recorded by test/golden/record-smart.ts. */

const folder = join(repositoryRoot, 'test/golden/smart');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const smartctl = (name: string) => parseSmartctl(read(`${name}.json`));

describe('smartctl', () => {
  test('tells the temperature of a healthy disk, of the air around it where there is no other', () => {
    assert.deepEqual(smartctl('sata'), { isFailing: false, temperature: 31 });
    assert.deepEqual(smartctl('nvme'), { isFailing: false, temperature: 50 });
  });

  test('ends with the same code for a disk that is too hot and one that fails, and we tell them apart', () => {
    assert.equal(read('nvme-hot.code'), read('nvme-unreliable.code'));
    assert.deepEqual(smartctl('nvme-hot'), {
      isFailing: false,
      trouble: 'its temperature is beyond its limits',
      temperature: 50,
    });
    assert.deepEqual(smartctl('nvme-unreliable'), {
      isFailing: true,
      trouble: 'its own check says FAILED, it is no longer reliable',
      temperature: 50,
    });
  });

  test('knows nothing of a virtual disk, nor of one that does not watch itself', () => {
    assert.equal(smartctl('virtual'), undefined);
    assert.equal(smartctl('sata-off'), undefined);
  });
});

const versions = readdirSync(folder).flatMap((name) => /^healthy-(.*)\.log$/.exec(name)?.[1] ?? []);

for (const version of versions) {
  const disksOf = (name: string) => {
    const disks = snapraidSmart(read(`${name}-${version}.log`).split('\n'));
    return Object.fromEntries(disks.map(({ disk, ...facts }) => [disk, facts]));
  };
  const sata = { temperature: 31, failureProbability: 3 };

  describe(`snapraid ${version}`, () => {
    test('tells temperature and probability, of the disk below a mapped device too', () => {
      assert.equal(read(`healthy-${version}.code`), '0\n');
      const { d1, d2, d3, parity, ...others } = disksOf('healthy');
      assert.deepEqual(others, {});
      for (const facts of [d1, d2, parity]) {
        assert.match(facts?.device ?? '', /^\/dev\/sd[abc]$/);
        assert.deepEqual({ ...facts, device: '' }, { ...sata, device: '' });
      }
      assert.equal(d3?.unknown, undefined);
    });

    test('ends with 1 when a disk fails, and says which', () => {
      assert.equal(read(`failing-${version}.code`), '1\n');
      const { d1, d3 } = disksOf('failing');
      assert.match(d3?.trouble ?? '', /fails or is about to/);
      assert.equal(d1?.trouble, undefined);
    });

    test('ends with 0 when a disk tells nothing of itself, and that disk is not known', () => {
      assert.equal(read(`off-${version}.code`), '0\n');
      const { d1, d2 } = disksOf('off');
      assert.equal(d1?.unknown, true);
      assert.equal(d2?.unknown, undefined);
    });
  });
}
