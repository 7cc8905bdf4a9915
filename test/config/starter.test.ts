import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseConfig } from '../../config/load.js';
import { renderMistake } from '../../config/mistakes.js';
import { type Answers, type Findings, starterConfig } from '../../config/starter.js';
import { hostNameFrom, jobName, nameFrom, namesFrom, storeName } from '../../config/starter-names.js';
import { namePattern } from '../../contracts/names.js';

const bare: Findings = {
  host: 'nas',
  timezone: 'Europe/Berlin',
  pools: [],
  datasets: 0,
  docker: false,
  mounts: [],
};
const answers: Answers = {
  folders: [{ path: '/srv/photos', isMountPoint: false, holds: { files: 1000, bytes: 2 ** 30 } }],
  repository: '/mnt/usb/restic',
  passwordFile: '/etc/holdfast/disk.key',
};
const odd = 'a "b"\n- c: d # e\u2028\u0085\u001b[31m';

const machines: Record<string, [Findings, Answers]> = {
  'a bare machine': [bare, answers],
  'a NAS with everything': [
    {
      ...bare,
      restic: { path: '/opt/restic/restic', version: '0.18.0', onPath: false, tooOld: false },
      pools: ['tank', 'fast'],
      datasets: 214,
      snapraid: { file: '/etc/snapraid.conf', data: 4, parity: 1 },
      syncthing: '/var/lib/syncthing/.config/syncthing/config.xml',
      docker: true,
      mounts: [
        { path: '/mnt/bulk', type: 'ext4' },
        { path: '/mnt/usb', type: 'xfs' },
      ],
    },
    {
      folders: [
        { path: '/mnt/bulk', isMountPoint: true, holds: { files: 1000, bytes: 9e12 } },
        { path: '/srv/a/data', isMountPoint: false },
        { path: '/srv/b/data', isMountPoint: false, holds: { files: 0, bytes: 0 } },
      ],
      repository: 's3:https://s3.eu-central-003.backblazeb2.com/lab-photos',
      passwordFile: '/etc/holdfast/remote.key',
    },
  ],
  'one whose names mean something to YAML': [
    { ...bare, host: 'null', timezone: 'UTC' },
    {
      folders: [
        { path: '/srv/123', isMountPoint: false },
        { path: '/srv/true', isMountPoint: false },
        { path: '/srv/1e3', isMountPoint: false },
      ],
      repository: 'b2:bucket:path',
      passwordFile: '/root/my key: [x] #1.key',
    },
  ],
  'one whose names were made to break out': [
    {
      ...bare,
      pools: [odd, '{{ tank }}'],
      syncthing: `/home/${odd}/config.xml`,
      mounts: [{ path: `/mnt/${odd}`, type: odd }],
    },
    {
      folders: [
        { path: `/srv/${odd}`, isMountPoint: true, holds: { files: 3, bytes: 5 } },
        { path: '/srv/Фото и видео', isMountPoint: false },
        { path: "/srv/-it's {here}, *all*", isMountPoint: false },
        { path: `/srv/${'x'.repeat(200)}`, isMountPoint: false },
      ],
      repository: `/mnt/${odd}`,
      passwordFile: `/etc/${odd}`,
    },
  ],
};

describe('the first configuration', () => {
  for (const [name, [findings, told]] of Object.entries(machines))
    test(`of ${name} has no mistake and no warning, and says what was answered`, () => {
      const text = starterConfig(findings, told);
      const { config, mistakes, warnings } = parseConfig(text, 'holdfast.yaml');
      assert.deepEqual([...mistakes, ...warnings].map(renderMistake), [], text);
      assert.ok(config);
      assert.deepEqual(
        Object.values(config.resources).map(({ directory }) => directory),
        told.folders.map(({ path }) => path),
      );
      const [job] = Object.values(config.jobs);
      assert.deepEqual(job?.resources, Object.keys(config.resources));
      assert.deepEqual(Object.keys(config.hosts), [findings.host]);
      const { restic } = Object.values(config.stores)[0] ?? assert.fail('no store');
      assert.equal(restic?.repository, told.repository);
      assert.deepEqual(restic?.password, { file: told.passwordFile });
    });

  const nas = () => {
    const [findings, told] = machines['a NAS with everything'] ?? assert.fail();
    const text = starterConfig(findings, told);
    return { text, config: parseConfig(text, '').config ?? assert.fail() };
  };

  test('asks for half of what a folder holds, and for nothing where nothing was counted', () => {
    const { resources } = nas().config;
    assert.equal(resources.bulk?.least.files, 500);
    assert.equal(resources.bulk?.mounted, true);
    assert.deepEqual(resources.data?.least, {});
    assert.deepEqual(resources['data-2']?.least, {});
    assert.equal(resources.data?.mounted, false);
  });

  test('names restic where it is not on PATH, and the credentials that the backend wants', () => {
    const { config } = nas();
    assert.equal(config.hosts.nas?.tools.restic, '/opt/restic/restic');
    assert.deepEqual(config.stores.remote?.restic?.env, {
      AWS_ACCESS_KEY_ID: { file: '/etc/holdfast/remote.id' },
      AWS_SECRET_ACCESS_KEY: { file: '/etc/holdfast/remote.secret' },
    });
  });

  test('says in comments what it found and does not protect', () => {
    const { text } = nas();
    for (const found of [
      /^# - ZFS: 2 pools \(tank, fast\), 214 datasets$/m,
      /^# - SnapRAID: .*4 data disks/m,
      /^# - Syncthing/m,
      /^# - Docker/m,
      /^# - .*\/mnt\/usb \(xfs\)$/m,
    ])
      assert.match(text, found);
    assert.doesNotMatch(text, /in no resource: \/mnt\/bulk/, 'it is in one');
    assert.doesNotMatch(starterConfig(bare, answers), /Also found/);
  });

  test('stays short on a machine with hundreds of mounts', () => {
    const mounts = Array.from({ length: 400 }, (_, at) => ({ path: `/mnt/pvc-${at}`, type: 'zfs' }));
    const text = starterConfig({ ...bare, mounts }, answers);
    assert.match(text, /^# - and 380 more$/m);
  });
});

test('names are made of what there is, fit the pattern, and are never the same', () => {
  assert.equal(hostNameFrom('Büro_NAS.fritz.box'), 'buro-nas');
  assert.equal(hostNameFrom('...'), 'this-host');
  assert.equal(nameFrom('фото', 'folder'), 'folder');
  const names = namesFrom([
    '/a/data',
    '/b/data',
    '/c/Data',
    '/',
    `/x/${'y'.repeat(90)}`,
    `/z/${'y'.repeat(90)}`,
  ]);
  assert.equal(new Set(names).size, 6);
  for (const name of [...names, jobName(['x'.repeat(63)], 'nas', 'remote')]) assert.match(name, namePattern);
  assert.equal(storeName('local:/mnt/x'), 'disk');
  assert.equal(storeName('sftp:nas:/x'), 'remote');
});
