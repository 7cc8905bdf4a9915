import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { awayLines } from '../../cli/away-lines.js';
import { awayHosts, awayWords } from '../../config/away.js';
import { parseConfig } from '../../config/load.js';
import type { Config } from '../../config/schema.js';
import { compileRun } from '../../schedules/compile.js';

function configWith(hosts: object): Config {
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: {
        nas: {},
        din: { ssh: ssh('nas') },
        grogu: { ssh: ssh('nas') },
        attic: { ssh: ssh('nas') },
        ...hosts,
      },
      resources: {
        photos: { host: 'din', dataset: 'bulk/photos' },
        db: { host: 'din', dataset: 'fast/db' },
        own: { host: 'nas', directory: '/srv/own' },
      },
      stores: {
        grogu: { zfs: { host: 'grogu', dataset: 'backup' } },
        attic: { zfs: { host: 'attic', dataset: 'backup' } },
        usb: { restic: { repository: '/mnt/usb', password: { file: '/etc/holdfast/usb.key' } } },
      },
      jobs: {
        copy: { kind: 'zfs-replication', resources: ['photos', 'db'], stores: ['grogu', 'attic'] },
        snapshots: { kind: 'zfs-snapshot', resources: ['photos'] },
        files: { kind: 'restic-backup', resources: ['own'], store: 'usb' },
      },
    }),
    '/holdfast.yaml',
  );
  if (!config) throw new Error(JSON.stringify(mistakes));
  return config;
}

const ssh = (via: string, more: object = {}) => ({ address: '192.168.1.2', user: 'holdfast', via, ...more });
const away = (until: string) => ({ away: { until, because: 'waits for its switch' } });
const inputOf = (config: Config, job: string) => {
  const [main] = { copy: ['replicate'], snapshots: ['snapshot'], files: ['backup'] }[job] ?? [];
  return compileRun(config, job, main ?? '').args[0];
};

describe('a host that is away', () => {
  test('is told with its day and its reason', () => {
    const config = configWith({ grogu: { ssh: ssh('nas'), ...away('2026-12-24') } });
    assert.deepEqual(awayHosts(config, 'grogu').map(awayWords), [
      'grogu is away until 2026-12-24: waits for its switch',
    ]);
    const later = configWith({ grogu: { ssh: ssh('nas'), ...away('2026-12-24T18:30Z') } });
    assert.deepEqual(awayHosts(later, 'grogu').map(awayWords), [
      'grogu is away until 2026-12-24 18:30 UTC: waits for its switch',
    ]);
    assert.deepEqual(awayHosts(config, 'din'), []);
  });

  test('takes along what is driven by it or reached through it', () => {
    const config = configWith({
      nas: away('2026-12-24'),
      attic: { ssh: ssh('nas', { jump: 'grogu' }) },
      grogu: { ssh: ssh('nas'), ...away('2026-12-25') },
    });
    assert.deepEqual(
      awayHosts(config, 'attic').map(({ host }) => host),
      ['nas', 'grogu'],
    );
    assert.equal(inputOf(config, 'snapshots').away?.[0]?.covers, '');
  });

  test('is in the input of the jobs that need it, with what is left without it', () => {
    const config = configWith({ grogu: { ssh: ssh('nas'), ...away('2026-12-24') } });
    const whole = compileRun(configWith({}), 'copy', 'replicate').searchAttributes.HfCovers ?? '';
    const [one, ...more] = inputOf(config, 'copy').away ?? [];
    assert.deepEqual(more, []);
    assert.deepEqual([one?.resources, one?.stores], [[], ['grogu']]);
    // What is held for it on the source is looked at all the same, by who drives that.
    assert.deepEqual(
      one?.lagging?.map(({ store, host }) => [store, host]),
      (inputOf(config, 'copy').sources ?? []).map(({ host }) => ['grogu', host]),
    );
    assert.deepEqual(
      one?.covers.split(' '),
      whole.split(' ').filter((part) => part.includes('>attic@')),
    );
    assert.equal(inputOf(config, 'snapshots').away, undefined);
    assert.equal(inputOf(config, 'files').away, undefined);
    // The file alone decides what a schedule holds: the same on every day.
    assert.equal(compileRun(config, 'copy', 'replicate').searchAttributes.HfCovers, whole);
  });

  test('of several the first to come back stands first, and what is left grows as they come back', () => {
    const config = configWith({
      grogu: { ssh: ssh('nas'), ...away('2027-01-10') },
      attic: { ssh: ssh('nas'), ...away('2026-12-24') },
    });
    const all = inputOf(config, 'copy').away ?? [];
    assert.deepEqual(
      all.map(({ host }) => host),
      ['attic', 'grogu'],
    );
    assert.equal(all[0]?.covers, '');
    assert.match(all[1]?.covers ?? '', /^db>attic@\w+ photos>attic@\w+$/);
  });

  test('is shown by plan for as long as it is away, with the jobs that do without it', () => {
    const config = configWith({ grogu: { ssh: ssh('nas'), ...away('2026-12-24') } });
    assert.deepEqual(awayLines(config, new Date('2026-12-23T23:59:00Z')), [
      'grogu is away until 2026-12-24: waits for its switch. Skipped meanwhile: copy (grogu)',
    ]);
    assert.deepEqual(awayLines(config, new Date('2026-12-24T00:00:00Z')), []);
  });
});
