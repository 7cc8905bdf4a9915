import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Action } from '../../config/actions.js';
import { compileRun, compileSchedules } from '../../schedules/compile.js';
import { compileAction } from '../../schedules/compile-action.js';
import { configOf, example, exampleWith, scheduleIn } from './example.js';

const dayMs = 86_400_000;

describe('schedules from the configuration', () => {
  test('each operation with a cron line of its own has one, named after the job', () => {
    assert.deepEqual(
      compileSchedules(example()).map(({ id, cron, action }) => [id, cron, action.workflowType, action.name]),
      [
        ['hf-photos-offsite', '30 3 * * *', 'backupRestic', 'photos-offsite'],
        ['hf-photos-offsite.check', '0 7 * * *', 'checkRestic', 'photos-offsite.check'],
        ['hf-photos-offsite.prune', '0 6 * * 0', 'pruneRestic', 'photos-offsite.prune'],
      ],
    );
  });

  test('operations take zone, jitter and catch-up from their job unless they say otherwise', () => {
    const config = exampleWith([
      'check: { cron: "0 7 * * *"',
      'check: { cron: "0 7 * * *", jitter: 1h, overlap: buffer-one',
    ]);
    const { timezone, jitterMs, catchupMs, overlap } = scheduleIn(config, 'hf-photos-offsite.check');
    assert.deepEqual(
      { timezone, jitterMs, catchupMs, overlap },
      { timezone: 'Europe/Berlin', jitterMs: 3_600_000, catchupMs: 43_200_000, overlap: 'buffer-one' },
    );
  });

  test('a job without a schedule has none', () => {
    const config = exampleWith(
      ['    schedule: { cron: "30 3 * * *", timezone: Europe/Berlin, jitter: 5m, catchup: 12h }\n', ''],
      ['    prune: { cron: "0 6 * * 0", maxUnused: 5% }\n', ''],
      ['    check: { cron: "0 7 * * *", parts: 30 }\n', ''],
      ['    objective: { rpo: 26h, check: 35d }\n', ''],
    );
    assert.deepEqual(compileSchedules(config), []);
  });

  test('the input names things and holds no path, address or reference to a secret', () => {
    const { action } = scheduleIn(example());
    assert.deepEqual(action.args, [
      {
        job: 'photos-offsite',
        operation: 'backup',
        sources: [{ resource: 'photos', host: 'nas' }],
        stores: ['b2-photos'],
        limits: { deadHostAfterMs: 600_000, retryForMs: 21_600_000, giveUpAfterMs: 30 * dayMs },
      },
    ]);
    assert.equal(action.taskQueue, 'holdfast');
    assert.deepEqual(action.searchAttributes, {
      HfJob: 'photos-offsite',
      HfOperation: 'backup',
      HfHost: 'nas',
      HfTool: 'restic',
      HfCovers: 'photos>b2-photos@89b4b519',
    });
  });

  test('a resource on a host without a worker goes to the queues of that host, which its driver asks', () => {
    const config = example();
    const { photos } = config.resources;
    assert.ok(photos);
    photos.host = 'din';
    assert.deepEqual(compileRun(config, 'photos-offsite', 'backup').args[0].sources, [
      { resource: 'photos', host: 'din' },
    ]);
  });

  test('what a run covers is another thing on another host: the copy of a namesake there proves nothing here', () => {
    const covers = (operation: string, host: string) => {
      const config = configOf(`
hosts: { din: {}, grogu: {} }
resources:
  pool: { host: ${host}, pool: tank }
  photos: { host: ${host}, directory: /srv/photos }
stores: { usb: { restic: { repository: /mnt/usb, password: { file: /etc/key } } } }
jobs:
  weekly: { kind: zfs-scrub, resources: [pool] }
  copy: { kind: restic-backup, resources: [photos], store: usb }
`);
      const job = operation === 'scrub' ? 'weekly' : 'copy';
      return compileRun(config, job, operation).searchAttributes.HfCovers;
    };
    for (const operation of ['scrub', 'backup']) {
      assert.notEqual(covers(operation, 'din'), covers(operation, 'grogu'));
      assert.equal(covers(operation, 'din'), covers(operation, 'din'));
    }
  });

  test('pools that limit their streams travel with what lies in them, and those without a limit do not', () => {
    const config = (streams: string) =>
      configOf(`
hosts:
  nas: {}
  din: { ssh: { address: din.lan, user: root, via: nas }, pools: { fast: { floor: 1% }, bulk: ${streams} } }
  grogu: { ssh: { address: grogu.lan, user: root, via: nas }, pools: { backup: ${streams} } }
resources:
  vms: { host: din, dataset: fast/vms }
  photos: { host: din, dataset: bulk/photos }
  music: { host: din, dataset: bulk/music/all }
stores:
  near: { zfs: { host: din, dataset: bulk/near } }
  far: { zfs: { host: grogu, dataset: backup } }
jobs:
  copy: { kind: zfs-replication, resources: [vms, photos, music], stores: [near, far], keep: { last: 3 } }
`);
    const limited = [
      { host: 'din', pool: 'bulk', streams: 1, resources: ['photos', 'music'], stores: ['near'] },
      { host: 'grogu', pool: 'backup', streams: 1, resources: [], stores: ['far'] },
    ];
    const failover = { name: 'failover', summary: '' } as Action;
    const inputs = (text: string) => [
      compileRun(config(text), 'copy', 'replicate').args[0],
      compileAction(config(text), 'copy', failover, { settings: {} }).args[0],
    ];
    for (const input of inputs('{ streams: 1 }'))
      assert.deepEqual([input?.parallel, input?.limitedPools], [2, limited]);
    for (const input of inputs('{}')) assert.equal(input && 'limitedPools' in input, false);
  });

  test('a run ends a day after its longest step at the latest, so that a stuck one cannot skip all others', () => {
    const config = exampleWith(['    objective:', '    giveUpAfter: 2d\n    objective:']);
    assert.equal(compileRun(config, 'photos-offsite', 'prune').executionTimeoutMs, 3 * dayMs);
  });

  test('cron with both day fields becomes two calendars, because cron means "or"', () => {
    const { calendars } = scheduleIn(exampleWith(['"30 3 * * *"', '"30 3 1,15 * 5-7"']));
    assert.equal(calendars.length, 2);
    assert.deepEqual(
      calendars.map(({ dayOfMonth, dayOfWeek }) => [dayOfMonth.length, dayOfWeek]),
      [
        [2, [0, 1, 2, 3, 4, 5, 6]],
        [31, [0, 5, 6]],
      ],
    );
    for (const { second, minute, hour, month, year } of calendars)
      assert.deepEqual([second, minute, hour, month.length, year], [[0], [30], [3], 12, []]);
  });

  test('a run by hand is the same as one by schedule, with its options', () => {
    const byHand = compileRun(example(), 'photos-offsite', 'backup', { acceptCounts: true });
    const bySchedule = scheduleIn(example()).action;
    assert.deepEqual(byHand.args[0].options, { acceptCounts: true });
    assert.deepEqual(
      { ...byHand, args: [], memo: {} },
      { ...bySchedule, args: [], memo: {} },
      'only input and mark may differ',
    );
  });

  test('a run is told whom it tells, and nothing where that is nobody', () => {
    const config = example();
    assert.equal('notify' in compileRun(config, 'photos-offsite', 'backup').args[0], false);
    const ntfy = { url: 'https://ntfy.example/x' };
    const host = Object.keys(config.hosts)[0] ?? '';
    config.notifications = {
      phone: { ntfy, on: ['question', 'failed'], host },
      others: { ntfy, on: ['failed'], host, jobs: ['another'] },
      own: { ntfy, on: ['ok'], host, jobs: ['photos-offsite'] },
    };
    for (const operation of ['backup', 'prune', 'check'])
      assert.deepEqual(compileRun(config, 'photos-offsite', operation).args[0].notify, [
        { channel: 'phone', host, on: ['question', 'failed'] },
        { channel: 'own', host, on: ['ok'] },
      ]);
  });

  test('an operation that the job does not have is refused with those that it has', () => {
    assert.throws(() => compileRun(example(), 'photos-offsite', 'scrub'), {
      code: 'HF_RUN_NOT_FOUND',
      message: 'Job photos-offsite has no operation "scrub"; it has: backup, prune, check',
    });
  });

  test('two compilations of one file are the same to the last byte', () => {
    assert.equal(JSON.stringify(compileSchedules(example())), JSON.stringify(compileSchedules(example())));
  });
});
