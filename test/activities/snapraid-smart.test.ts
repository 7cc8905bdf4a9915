import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { describe, test } from 'node:test';
import { parseConf, placesOf } from '../../activities/snapraid/conf.js';
import { areAllAsleep, parseSmartctl, snapraidSmart } from '../../activities/snapraid/parse-smart.js';
import { askHealth, healthWarnings, reportHealth } from '../../activities/snapraid/smart.js';
import { fakeArray } from '../support/fake-snapraid.js';

describe('the health of disks', () => {
  test('a failed check is a failing disk, bad sectors alone are trouble', () => {
    const json = (passed: boolean, pending: number) =>
      JSON.stringify({
        smart_status: { passed },
        temperature: { current: 41 },
        ata_smart_attributes: {
          table: [{ id: 197, name: 'Current_Pending_Sector', when_failed: '', raw: { value: pending } }],
        },
      });
    assert.deepEqual(parseSmartctl(json(true, 0)), { isFailing: false, temperature: 41 });
    assert.deepEqual(parseSmartctl(json(true, 8)), {
      isFailing: false,
      trouble: '8 pending sectors',
      temperature: 41,
    });
    assert.equal(parseSmartctl(json(false, 0))?.isFailing, true);
  });

  test('a disk that is only too hot is not failing, whatever else of it is', () => {
    const json = (...ids: number[]) =>
      JSON.stringify({
        smart_status: { passed: true },
        ata_smart_attributes: { table: ids.map((id) => ({ id, name: `a${id}`, when_failed: 'now' })) },
      });
    const hot = 'its temperature is beyond its limits';
    assert.deepEqual(parseSmartctl(json(190, 194)), { isFailing: false, trouble: hot });
    const both = parseSmartctl(json(190, 5));
    assert.deepEqual(both, { isFailing: true, trouble: `failing now: a5, ${hot}` });
  });

  test('an NVMe disk says what is wrong, and is not failing when it is only too hot', () => {
    const json = (critical_warning: number, media_errors = 0) =>
      JSON.stringify({
        smart_status: { passed: critical_warning === 0 },
        nvme_smart_health_information_log: { critical_warning, media_errors },
      });
    assert.deepEqual(parseSmartctl(json(0)), { isFailing: false });
    assert.deepEqual(parseSmartctl(json(0, 3)), { isFailing: false, trouble: '3 media errors' });
    const hot = 'its temperature is beyond its limits';
    assert.deepEqual(parseSmartctl(json(0b10)), { isFailing: false, trouble: hot });
    assert.deepEqual(parseSmartctl(json(0b110)), {
      isFailing: true,
      trouble: `its own check says FAILED, ${hot}, it is no longer reliable`,
    });
    // A bit of a standard that is to come.
    assert.match(parseSmartctl(json(0b1000000))?.trouble ?? '', /FAILED, critical warning 64$/);
  });

  test('no SMART, no JSON and no device are no trouble', () => {
    for (const text of ['', 'not json', '{"smartctl":{"exit_status":1}}'])
      assert.equal(parseSmartctl(text), undefined);
  });

  test('an end with 1 is told, unless the disk in trouble is known by name', () => {
    const disk = { disk: 'd1', device: '/dev/sdb' };
    const ended = {
      exitCode: 1,
      stderrTail: 'DANGER! SMART is reporting that one or more disks are FAILING!',
    };
    assert.deepEqual(healthWarnings([disk], { exitCode: 0, stderrTail: '' }), []);
    assert.match(healthWarnings([disk], ended).join(), /smart ended with 1: a disk fails .*DANGER!/);
    assert.deepEqual(healthWarnings([{ ...disk, trouble: '8 pending sectors' }], ended), [
      'disk d1: 8 pending sectors',
    ]);
  });

  test('what snapraid says of disks is read from its tags', () => {
    const disks = snapraidSmart([
      'smart:/dev/sdb:d1',
      'attr:/dev/sdb:d1:194:38',
      'attr:/dev/sdb:d1:5:0',
      'attr:/dev/sdb:d1:afr:7.23795:0.999281',
      'attr:/dev/sdb:d1:flags:24:18',
      'smart:/dev/loop1:d2',
      'attr:/dev/loop1:d2:flags:1:1',
      'smart:/dev/vda:',
      'other:x',
    ]);
    const [first, second] = disks;
    assert.match(first?.trouble ?? '', /fails or is about to/);
    assert.deepEqual([first?.temperature, first?.failureProbability], [38, 100]);
    assert.deepEqual(second, { disk: 'd2', device: '/dev/loop1', unknown: true });
    assert.equal(disks.length, 2);
  });

  test('a disk that gave smartctl no answer is not known, unless it told attributes', () => {
    const isUnknown = (...told: string[]): boolean =>
      snapraidSmart(told.map((words) => `attr:/dev/sdb:d1:${words}`))[0]?.unknown === true;
    assert.equal(isUnknown('serial:x', 'flags:4:4'), true);
    assert.equal(isUnknown('serial:x'), true);
    assert.equal(isUnknown('serial:x', 'flags:4:4', '5:0:0'), false);
    assert.equal(isUnknown('serial:x', 'flags:0:0'), false);
  });
});

test('of a parity that is split over several disks the worst is told', async () => {
  const { array, answer } = fakeArray();
  answer('smart', {
    lines: [
      'attr:/dev/sdb:parity:194:57',
      'attr:/dev/sdb:parity:afr:3:0.8',
      'attr:/dev/sdb:parity:flags:8:8',
      'attr:/dev/sdc:parity:194:31',
      'attr:/dev/sdc:parity:afr:0.1:0.04',
      'attr:/dev/sdd:parity:flags:2:2',
    ],
  });
  const { disks, warnings } = await reportHealth(array);
  assert.deepEqual([disks.length, disks[0]?.device], [1, '/dev/sdb, /dev/sdc']);
  assert.equal(warnings.length, 3);
  for (const words of [/fails or is about to/, /has 57 °C/, /with 80 % probability/])
    assert.match(warnings.join(), words);
});

test('disks sleep when each was told so and took it, not when snapraid ends with 0', () => {
  const run = (disk: string): string => `smartctl:/dev/sdb:${disk}:run: smartctl -s standby,now /dev/sdb`;
  const ret = (disk: string, code: string): string => `smartctl:/dev/sdb:${disk}:ret: ${code}`;
  assert.equal(areAllAsleep([run('d1'), ret('d1', '0'), run('d2'), ret('d2', '0')]), true);
  assert.equal(areAllAsleep([run('d1'), ret('d1', '0'), run('d2'), ret('d2', '1800')]), false);
  assert.equal(areAllAsleep([run('d1')]), false);
  assert.equal(areAllAsleep(['msg:fatal: Spindown is unsupported in this platform.']), false);
});

/** A host on which every folder lies on a partition of a disk of its own, and smartctl answers to each. */
function behindControllers(lines: string) {
  const { array, folder } = fakeArray();
  const asked: string[][] = [];
  const run: typeof array.tools.host.run = async ({ file, args }) => {
    const disk = `/dev/sd${basename(args.at(-1) ?? '')}`;
    if (file === 'smartctl') asked.push(args.slice(args.indexOf('--nocheck=standby') + 1));
    const stdout = { findmnt: disk, lsblk: `disk ${args.at(-1)}`, smartctl: passed }[file] ?? '';
    return { exitCode: 0, signal: undefined, stdout, stderrTail: '', durationMs: 1 };
  };
  const host = { ...array.tools.host, run, findProgram: async () => '/usr/sbin/smartctl' };
  const conf = parseConf(
    `parity ${folder}/p/parity\ndata d1 ${folder}/d1\ndata d2 ${folder}/d2\ncontent /c\n${lines}`,
  );
  const tools = { ...array.tools, host };
  return { array: { ...array, smartctl: 'smartctl', tools, conf }, asked };
}

const passed = '{"smart_status":{"passed":true},"temperature":{"current":30}}';

test('disks that smartctl does not find out by itself are asked as snapraid.conf says', async () => {
  const { array, asked } = behindControllers(
    [
      'smartctl d1 -d sat /dev/%s',
      `smartctl parity  -d areca,1/1 "/dev/sg 0" 'a;b' $(reboot)`,
      '# smartctl d2 -d no',
    ].join('\n'),
  );
  const health = await askHealth(array, placesOf(array.conf));
  assert.deepEqual(asked, [
    ['-d', 'sat', '/dev/sdd1'],
    ['/dev/sdd2'],
    // The words go to smartctl as they stand there: no shell reads them.
    ['-d', 'areca,1/1', '/dev/sg 0', 'a;b', '$(reboot)'],
  ]);
  assert.deepEqual(
    health.map(({ disk, temperature }) => [disk, temperature]),
    [
      ['d1', 30],
      ['d2', 30],
      ['parity', 30],
    ],
  );
});

test('one device that is asked in two ways stands for two disks', async () => {
  const { array, asked } = behindControllers(
    'smartctl d1 -d megaraid,1 /dev/sda\nsmartctl d2 -d megaraid,2 /dev/sda\nsmartctl parity -d usbjmicron %s',
  );
  await askHealth(array, placesOf(array.conf));
  assert.deepEqual(asked, [
    ['-d', 'megaraid,1', '/dev/sda'],
    ['-d', 'megaraid,2', '/dev/sda'],
    ['-d', 'usbjmicron', '/dev/sdp'],
  ]);
});
