import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, test } from 'node:test';
import { lookAround } from '../../cli/init/look.js';
import type { Machine } from '../../cli/init/machine.js';
import { dataMounts, likelySource, likelyTarget } from '../../cli/init/mounts.js';
import { loadConfig } from '../../config/load.js';
import { temporaryFolder } from '../support/temp.js';
import { holdfast } from './command-line.js';

let folder = '';
let source = '';
let output = '';
beforeEach(() => {
  folder = temporaryFolder('init');
  source = join(folder, 'my photos');
  mkdirSync(source);
  for (let at = 0; at < 10; at += 1) writeFileSync(join(source, `${at}.txt`), 'x');
  output = join(folder, 'etc/holdfast.yaml');
});
const repository = '/mnt/usb/restic';
const flags = () => ['init', '--yes', '--output', output, '--directory', source, '--repository', repository];

describe('holdfast init without questions', () => {
  test('writes a configuration that is right, and a password that nobody sees', async () => {
    const { out, notes, exit } = await holdfast(flags());
    assert.equal(notes, '');
    assert.equal(exit, 0);
    const config = loadConfig(output);
    const [resource] = Object.values(config.resources);
    assert.equal(resource?.directory, source);
    assert.equal(resource?.least.files, 5);
    const key = join(folder, 'etc/disk.key');
    assert.deepEqual(config.stores.disk?.restic?.password, { file: key });
    assert.equal(statSync(key).mode & 0o777, 0o600);
    const password = readFileSync(key, 'utf8').trim();
    assert.ok(password.length >= 40);
    assert.ok(!out.includes(password) && !readFileSync(output, 'utf8').includes(password));
    assert.match(out, /outside of this house/);
    assert.match(out, /holdfast run my-photos-disk --follow --config /);
    const checked = await holdfast(['check', '--config', output]);
    assert.match(checked.out, /^1 job, 1 resource, 1 store, 1 host; no mistakes$/m);
    assert.doesNotMatch(checked.out, /warning/);
  });

  test('makes another password each time', async () => {
    await holdfast(flags());
    const first = readFileSync(join(folder, 'etc/disk.key'), 'utf8');
    output = join(folder, 'other/holdfast.yaml');
    await holdfast(flags());
    assert.notEqual(readFileSync(join(folder, 'other/disk.key'), 'utf8'), first);
  });

  test('takes a password that is there as it is', async () => {
    const key = join(folder, 'old key.txt');
    writeFileSync(key, 'correct horse\n', { mode: 0o600 });
    const { out, exit } = await holdfast([...flags(), '--password-file', key]);
    assert.equal(exit, 0);
    assert.equal(readFileSync(key, 'utf8'), 'correct horse\n');
    assert.doesNotMatch(out, /correct horse|a new random password/);
    assert.deepEqual(loadConfig(output).stores.disk?.restic?.password, { file: key });
  });

  test('leaves what is there as it is and ends with 5', async () => {
    mkdirSync(join(folder, 'etc'));
    writeFileSync(output, 'mine');
    const { notes, exit } = await holdfast(flags());
    assert.match(notes, /is there already; it was left as it is/);
    assert.equal(exit, 5);
    assert.equal(readFileSync(output, 'utf8'), 'mine');
    assert.ok(!existsSync(join(folder, 'etc/disk.key')), 'and makes no password');
  });

  test('takes a link that leads nowhere for something that is there', async () => {
    mkdirSync(join(folder, 'etc'));
    symlinkSync(join(folder, 'nowhere'), output);
    assert.equal((await holdfast(flags())).exit, 5);
    assert.ok(!existsSync(join(folder, 'nowhere')));
  });

  const refused: [name: string, argv: () => string[], message: RegExp][] = [
    ['no answers', () => ['init', '--output', output], /--yes, --directory DIR, --repository ADDRESS/],
    [
      'no repository',
      () => ['init', '--yes', '--output', output, '--directory', source],
      /--repository ADDRESS/,
    ],
    ['a folder that is not there', () => [...flags(), '--directory', join(folder, 'x')], /is not there/],
    ['a file for a folder', () => [...flags(), '--directory', join(source, '1.txt')], /is not a folder/],
    ['the root of everything', () => [...flags(), '--directory', '/'], /folders of the kernel/],
    [
      'a repository without a place',
      () => [...flags(), '--repository', 'usb/restic'],
      /must be an absolute path/,
    ],
    [
      'a repository inside of what it is to hold',
      () => [...flags(), '--repository', join(source, 'r')],
      /hold itself/,
    ],
    [
      'a repository with its password',
      () => [...flags(), '--repository', 'rest:https://me:geheim@nas/'],
      /holds a password/,
    ],
    [
      'the configuration as password',
      () => [...flags(), '--password-file', output],
      /where the configuration will be/,
    ],
    ['a folder as password', () => [...flags(), '--password-file', source], /is not a file/],
    [
      'a place where the kernel makes no folders',
      () => [...flags(), '--output', '/proc/holdfast/holdfast.yaml'],
      /cannot be written \(ENOENT\)/,
    ],
    [
      'a place below a file',
      () => [
        ...flags(),
        '--output',
        join(source, '1.txt/holdfast.yaml'),
        '--password-file',
        join(folder, 'k.key'),
      ],
      /cannot be written/,
    ],
  ];
  for (const [name, argv, message] of refused)
    test(`refuses ${name}`, async () => {
      const { notes, exit } = await holdfast(argv());
      assert.match(notes, message);
      assert.doesNotMatch(notes, /geheim/);
      assert.equal(exit, 2);
      assert.ok(!existsSync(output));
    });

  test('refuses a password that everybody may read, and an empty one', async () => {
    const key = join(folder, 'k.key');
    writeFileSync(key, 'open', { mode: 0o644 });
    assert.match(
      (await holdfast([...flags(), '--password-file', key])).notes,
      /may be read by others: chmod 600/,
    );
    const empty = join(folder, 'empty.key');
    writeFileSync(empty, '\n', { mode: 0o600 });
    assert.match((await holdfast([...flags(), '--password-file', empty])).notes, /is empty/);
    assert.ok(!existsSync(output));
  });
});

describe('holdfast init with questions', () => {
  const asked = (...lines: string[]) =>
    holdfast(['init', '--output', output], {
      interactive: true,
      lines,
      env: { HOME: folder, PATH: process.env.PATH },
    });

  test('asks again after a wrong answer, and takes Enter for what stands in brackets', async () => {
    const { out, notes, exit } = await asked('/nonexistent', '~/my photos', '', 'usb', repository, '', '');
    assert.equal(exit, 0);
    assert.match(notes, /is not there/);
    assert.match(notes, /must be an absolute path/);
    assert.match(out, /\[.*etc\/disk\.key\]/);
    const config = loadConfig(output);
    assert.equal(config.resources['my-photos']?.directory, source);
    assert.ok(existsSync(join(folder, 'etc/disk.key')));
  });

  test('makes no password when the answer is no', async () => {
    const { out, exit } = await asked(source, '', repository, '', 'n');
    assert.equal(exit, 0);
    assert.ok(!existsSync(join(folder, 'etc/disk.key')));
    assert.match(out, /the password is read from/);
  });

  for (const lines of [[], ['@'], ['@', '', repository], ['@', '', repository, '']])
    test(`writes nothing when Ctrl-C comes after ${lines.length} answers`, async () => {
      const { notes, exit } = await asked(...lines.map((line) => (line === '@' ? source : line)));
      assert.equal(exit, 130);
      assert.match(notes, /nothing was written/);
      assert.ok(!existsSync(join(folder, 'etc')));
    });
});

/** A machine of which only this is known. */
function machine(
  parts: {
    files?: Record<string, string>;
    programs?: Record<string, string>;
    stdout?: Record<string, string>;
  } & Partial<Pick<Machine, 'hostname' | 'timezone'>>,
): Machine {
  const { files = {}, programs = {}, stdout = {} } = parts;
  const read = async (path: string) => files[path] ?? Promise.reject(new Error('ENOENT'));
  return {
    hostname: parts.hostname ?? 'nas.lan',
    timezone: parts.timezone ?? 'Europe/Berlin',
    home: '/home/me',
    program: (name) => programs[name] ?? Object.values(programs).find((path) => path === name),
    writeNew: async () => assert.fail('a look writes nothing'),
    host: {
      exists: async (path) => path in files,
      readFile: read,
      isMountPoint: async () => false,
      realPath: async (path) => path,
      facts: async () => undefined,
      countTree: async () => ({ files: 0, bytes: 0, complete: true }),
      run: async ({ file }) => {
        const text = stdout[file];
        if (text === undefined) throw new Error(`${file} hangs`);
        return { exitCode: 0, signal: undefined, stdout: text, stderrTail: '', durationMs: 1 };
      },
    },
  };
}

describe('a look at a machine', () => {
  test('finds nothing on a bare one', async () => {
    assert.deepEqual(
      await lookAround(machine({ hostname: 'Debian_12.fritz.box', timezone: 'Etc/Unknown' })),
      {
        host: 'debian-12',
        timezone: 'UTC',
        pools: [],
        datasets: 0,
        docker: false,
        mounts: [],
      },
    );
  });

  test('finds pools, restic, SnapRAID, Syncthing, Docker and disks', async () => {
    const found = await lookAround(
      machine({
        programs: { restic: '/usr/bin/restic', zpool: '/sbin/zpool', zfs: '/sbin/zfs' },
        stdout: {
          '/usr/bin/restic': 'restic 0.18.0 compiled with go1.24 on linux/amd64\n',
          '/sbin/zpool': 'tank\nfast\n',
          '/sbin/zfs': 'tank\ntank/photos\nfast\n',
        },
        files: {
          '/etc/snapraid.conf':
            'parity /mnt/p/snapraid.parity\n2-parity /mnt/q\ndata d1 /mnt/d1\ndisk d2 /mnt/d2\n#data d3\n',
          '/home/me/.config/syncthing/config.xml': '<apikey>secret</apikey>',
          '/var/run/docker.sock': '',
          '/proc/self/mountinfo': '36 35 98:0 / /mnt/d1 rw - ext4 /dev/sda1 rw\n',
        },
      }),
    );
    assert.deepEqual(found, {
      host: 'nas',
      timezone: 'Europe/Berlin',
      restic: { path: '/usr/bin/restic', version: '0.18.0', onPath: true, tooOld: false },
      pools: ['tank', 'fast'],
      datasets: 3,
      snapraid: { file: '/etc/snapraid.conf', data: 2, parity: 2 },
      syncthing: '/home/me/.config/syncthing/config.xml',
      docker: true,
      mounts: [{ path: '/mnt/d1', type: 'ext4' }],
    });
  });

  test('goes on when a pool does not answer, and says when restic is too old or elsewhere', async () => {
    const found = await lookAround(
      machine({
        programs: { zpool: '/sbin/zpool', '/opt/restic/restic': '/opt/restic/restic' },
        stdout: { '/opt/restic/restic': 'restic 0.9.6 compiled\n' },
      }),
    );
    assert.deepEqual(found.pools, []);
    assert.deepEqual(found.restic, {
      path: '/opt/restic/restic',
      version: '0.9.6',
      onPath: false,
      tooOld: true,
    });
  });

  test('takes something else that is called restic for none', async () => {
    const found = await lookAround(
      machine({ programs: { restic: '/bin/restic' }, stdout: { '/bin/restic': 'hello\n' } }),
    );
    assert.equal(found.restic, undefined);
  });
});

test('the mounts that hold data are told from those of the system', () => {
  const line = (path: string, type: string) => `36 35 98:0 / ${path} rw,noatime shared:1 - ${type} /dev/x rw`;
  const mounts = dataMounts(
    [
      line('/', 'ext4'),
      line('/boot/efi', 'vfat'),
      line('/proc', 'proc'),
      line('/etc/hosts', 'ext4'),
      line('/var/lib/docker/overlay2/x', 'zfs'),
      line('/run/user/1000', 'fuse.portal'),
      line('/run/media/me/USB\\040disk', 'exfat'),
      line('/mnt/ta\\012nk', 'zfs'),
      line('/mnt/pool', 'fuse.mergerfs'),
      line('/data', 'nfs4'),
      line('/data', 'nfs4'),
      line('/mnt/usb', 'tmpfs'),
      'nonsense',
      '',
    ].join('\n'),
  );
  assert.deepEqual(mounts, [
    { path: '/data', type: 'nfs4' },
    { path: '/mnt/pool', type: 'fuse.mergerfs' },
    { path: '/mnt/ta\nnk', type: 'zfs' },
    { path: '/run/media/me/USB disk', type: 'exfat' },
  ]);
  assert.equal(likelySource(mounts), '/data');
  assert.equal(likelyTarget(mounts), '/run/media/me/USB disk');
});
