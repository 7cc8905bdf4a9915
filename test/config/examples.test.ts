import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { parseConfig, readConfig } from '../../config/load.js';
import { operationsOf, storesOf } from '../../config/lookup.js';
import { renderMistake } from '../../config/mistakes.js';
import { repositoryRoot } from '../support/root.js';

const examples = join(repositoryRoot, 'config', 'examples');
const invalid = join(examples, 'invalid');
const yamlIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.yaml'));

describe('every example', () => {
  for (const name of yamlIn(examples)) {
    test(`${name} has neither mistakes nor warnings, and names the schema for editors`, () => {
      const file = join(examples, name);
      const { config, mistakes, warnings } = readConfig(file);
      assert.deepEqual([...mistakes, ...warnings].map(renderMistake), []);
      assert.ok(config);
      const [, schema = ''] =
        /^# yaml-language-server: \$schema=(\S+)\n/.exec(readFileSync(file, 'utf8')) ?? [];
      assert.ok(existsSync(resolve(dirname(file), schema)), `${schema} is not beside ${name}`);
    });
  }

  test('there is the one of the plan, a small one, a real estate, a store that deletes nothing, a machine without restic, a first upload, messages, snapshots, replicas and a SnapRAID array', () => {
    assert.deepEqual(yamlIn(examples).sort(), [
      'append-only.yaml',
      'appliance-without-restic.yaml',
      'first-upload.yaml',
      'minimal.yaml',
      'notifications.yaml',
      'photos-offsite.yaml',
      'snapraid.yaml',
      'tier3.yaml',
      'zfs-replication.yaml',
      'zfs-snapshots.yaml',
    ]);
  });
});

describe('every invalid example', () => {
  const names = yamlIn(invalid);
  for (const name of names) {
    test(`${name} is refused with exactly the mistakes that are expected`, () => {
      const { config, mistakes } = parseConfig(readFileSync(join(invalid, name), 'utf8'), name);
      const expected = readFileSync(join(invalid, name.replace(/\.yaml$/, '.expected')), 'utf8');
      assert.equal(mistakes.map((mistake) => `${renderMistake(mistake)}\n`).join(''), expected);
      assert.equal(config, undefined);
      assert.notEqual(expected, '');
    });
  }

  test('has an expectation and every expectation an example', () => {
    const expectations = readdirSync(invalid).filter((name) => name.endsWith('.expected'));
    assert.deepEqual(expectations.map((name) => name.replace('.expected', '.yaml')).sort(), names.sort());
    assert.ok(names.length >= 20);
  });
});

test('the configuration of the plan means what its comments say', () => {
  const { config } = readConfig(join(examples, 'photos-offsite.yaml'));
  assert.ok(config);
  const job = config.jobs['photos-offsite'];
  assert.ok(job?.kind === 'restic-backup');
  assert.deepEqual(storesOf(job), ['b2-photos']);
  assert.equal(config.resources.photos?.least.bytes, 2 ** 30);
  assert.equal(config.temporal.deadHostAfter, 600_000);
  assert.equal(job.objective.rpo, 26 * 3_600_000);
  assert.equal(job.prune?.maxUnused, '5%');
  const inherited = { timezone: 'Europe/Berlin', jitterMs: 300_000, catchupMs: 43_200_000, overlap: 'skip' };
  assert.deepEqual(operationsOf(config, 'photos-offsite'), [
    {
      job: 'photos-offsite',
      operation: 'backup',
      main: true,
      name: 'photos-offsite',
      schedule: { cron: '30 3 * * *', ...inherited },
    },
    {
      job: 'photos-offsite',
      operation: 'prune',
      main: false,
      name: 'photos-offsite.prune',
      schedule: { cron: '0 6 * * 0', ...inherited },
    },
    {
      job: 'photos-offsite',
      operation: 'check',
      main: false,
      name: 'photos-offsite.check',
      schedule: { cron: '0 7 * * *', ...inherited },
    },
  ]);
});
