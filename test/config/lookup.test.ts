import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  drivenBy,
  jobOf,
  operationsOf,
  resourceOf,
  storeOf,
  storesOf,
  workerHostOf,
} from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import { configOf, parts, textWith } from './text.js';

const config = configOf(
  textWith({
    hosts:
      'hosts:\n  nas: {}\n  din: { ssh: { address: 10.0.0.2, user: root, via: nas } }\n  grogu: { ssh: { address: 10.0.0.3, user: root } }\n',
    jobs: `${parts.jobs}    keep: { daily: 7 }
    prune: { cron: "0 6 * * 0", timezone: Europe/Rome, overlap: buffer-one }
  twice:
    kind: restic-backup
    resources: [photos]
    stores: [b2]
    schedule: { cron: "30 3 * * *", timezone: Europe/Berlin, jitter: 5m, catchup: 1h }
    check: { cron: "0 7 * * *", jitter: 10m }
`,
  }),
);

describe('a look-up', () => {
  test('finds what is there', () => {
    assert.equal(jobOf(config, 'photos').kind, 'restic-backup');
    assert.equal(resourceOf(config, 'photos').directory, '/srv/photos');
    assert.equal(storeOf(config, 'b2').repository, 's3:https://s3.example.com/photos');
    assert.deepEqual(storesOf(jobOf(config, 'photos')), ['b2']);
    assert.deepEqual(storesOf(jobOf(config, 'twice')), ['b2']);
  });

  test('refuses what is not, and names what was most likely meant', () => {
    const refused = (ask: () => unknown, message: RegExp): void =>
      assert.throws(ask, (error: unknown) => {
        assert.ok(error instanceof HoldfastError);
        assert.equal(error.code, 'HF_NOT_IN_CONFIG');
        assert.match(error.message, message);
        assert.ok(error.message.length < 300);
        return true;
      });
    refused(() => jobOf(config, 'photo'), /no job "photo"; did you mean "photos"\?/);
    refused(() => resourceOf(config, 'films'), /no resource "films"; known: photos/);
    refused(() => storeOf(config, 'constructor'), /no store "constructor"; known: b2/);
    refused(() => workerHostOf(config, '__proto__'), /no host "__proto__"/);
    refused(() => jobOf(config, `-rf / '"$(x)\u001b[31m${'x'.repeat(900)}`), /no job "-rf/);
  });

  test('gives the host whose queues take the work, and whom a worker drives', () => {
    assert.equal(workerHostOf(config, 'nas'), 'nas');
    assert.equal(workerHostOf(config, 'din'), 'din');
    assert.deepEqual(drivenBy(config, 'nas'), ['din']);
    assert.deepEqual(drivenBy(config, 'grogu'), []);
    assert.equal(workerHostOf(config, 'grogu'), 'grogu');
  });
});

describe('the operations of a job', () => {
  test('are those that it declares, the backup first', () => {
    assert.deepEqual(
      operationsOf(config, 'photos').map(({ name, main }) => [name, main]),
      [
        ['photos', true],
        ['photos.prune', false],
      ],
    );
  });

  test('have no schedule where there is none, and the defaults where there is nothing to inherit', () => {
    const [backup, prune] = operationsOf(config, 'photos');
    assert.equal(backup?.schedule, undefined);
    assert.deepEqual(prune?.schedule, {
      cron: '0 6 * * 0',
      timezone: 'Europe/Rome',
      jitterMs: 60_000,
      catchupMs: 43_200_000,
      overlap: 'buffer-one',
    });
  });

  test("take what they do not say from the job's schedule", () => {
    const check = operationsOf(config, 'twice').find(({ operation }) => operation === 'check');
    assert.deepEqual(check?.schedule, {
      cron: '0 7 * * *',
      timezone: 'Europe/Berlin',
      jitterMs: 600_000,
      catchupMs: 3_600_000,
      overlap: 'skip',
    });
  });
});
