import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { noise } from './content.js';
import { mountSmallDisk, type SmallDisk } from './disk.js';
import { beforeRemoval, temporaryFolder } from './temp.js';

/** A real SnapRAID array: data and parity disks of their own on loop devices. Needs root and `needs('mount', 'snapraid')`. */
export interface TestArray {
  folder: string;
  config: string;
  /** The snapraid of the array: a name on PATH or a path. */
  binary: string;
  data: Record<string, SmallDisk>;
  parity: Record<string, SmallDisk>;
  /** snapraid on the array, as a person would. */
  snapraid(...args: string[]): { code: number | null; stdout: string; stderr: string };
  /** What it writes into its log for programs. */
  tags(...args: string[]): string;
  /** As snapraid itself says it: every block has its parity, and nothing has changed since. */
  isSynced(): boolean;
  /** A file is in its list: its deletion was not synced. */
  knows(disk: string, path: string): boolean;
  /** A file on a disk, with its folders. */
  write(disk: string, path: string, bytes: Buffer | string): string;
  pathOf(disk: string, path?: string): string;
}

export interface ArrayOptions {
  disks: number;
  parities: 1 | 2;
  megabytes?: number;
  /** Each disk is a partition: snapraid asks smartctl only for disks that it finds behind one. */
  partition?: boolean;
  binary?: string;
  marker?: string;
}

const parityName = (at: number): string => (at === 0 ? 'parity' : `${at + 1}-parity`);

export function makeArray(options: ArrayOptions): TestArray {
  const { disks, parities, megabytes = 24, binary = 'snapraid', marker = '.holdfast', partition } = options;
  const folder = temporaryFolder("array 'é");
  const bytes = megabytes * 2 ** 20;
  const named = (names: string[]) =>
    Object.fromEntries(names.map((name) => [name, withIdentity(mountSmallDisk(bytes, { partition }))]));
  const data = named(Array.from({ length: disks }, (_, at) => `d${at + 1}`));
  const parity = named(Array.from({ length: parities }, (_, at) => parityName(at)));
  const config = join(folder, 'snap raid.conf');
  const contents = [join(folder, 'content/snapraid.content')];
  mkdirSync(dirname(contents[0] ?? ''));
  for (const name of Object.keys(data).slice(0, parities))
    contents.push(join(data[name]?.folder ?? '', 'snapraid.content'));
  const lines = [
    '# made by a test',
    ...Object.entries(parity).map(([name, disk]) => `${name} ${disk.folder}/snapraid.${name}`),
    ...contents.map((file) => `content ${file}`),
    ...Object.entries(data).map(([name, disk]) => `data ${name} ${disk.folder}/`),
    'exclude *.tmp',
    'exclude /lost+found/',
    'blocksize 32',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const array: TestArray = {
    folder,
    config,
    binary,
    data,
    parity,
    snapraid(...args) {
      const { status, stdout, stderr } = spawnSync(binary, ['-c', config, ...args], {
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
        env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      });
      return { code: status, stdout, stderr };
    },
    tags(...args) {
      const log = join(folder, 'tags');
      rmSync(log, { force: true });
      const { stderr } = array.snapraid('--gui', '--log', log, ...args);
      return existsSync(log) ? readFileSync(log, 'utf8') : stderr;
    },
    isSynced: () =>
      /^(summary:has_unsynced|content_info:block_unsynced):0$/m.test(array.tags('status')) &&
      array.snapraid('diff').code === 0,
    knows: (disk, path) =>
      // Versions before 14 do not know the option, and those since then name no file without it.
      `${array.tags('list')}${array.tags('--gui-verbose', 'list')}`.includes(`file:${disk}:${path}:`),
    write(disk, path, content) {
      const file = array.pathOf(disk, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
    pathOf: (disk, path = '') => join(data[disk]?.folder ?? `no disk ${disk}`, path),
  };
  for (const name of Object.keys(data)) array.write(name, marker, `${name}\n`);
  return array;
}

/** Small files of different sizes, the same each time. */
export function fill(array: TestArray, filesPerDisk: number, most = 20_000): void {
  for (const disk of Object.keys(array.data)) {
    for (let at = 0; at < filesPerDisk; at += 1)
      array.write(
        disk,
        `Films/${at % 7}/film ${at}.mkv`,
        noise(500 + ((at * 7919) % most), at * 100 + Number(disk.slice(1))),
      );
  }
}

/** udev makes these links; without it snapraid knows no disk by its file system, and recognises no moves. */
function withIdentity(disk: SmallDisk): SmallDisk {
  link(disk);
  return {
    ...disk,
    mount() {
      disk.mount();
      link(disk);
    },
    renew() {
      disk.renew();
      link(disk);
    },
  };
}

function link({ folder }: SmallDisk): void {
  const device = execFileSync('findmnt', ['-no', 'SOURCE', '--target', folder], { encoding: 'utf8' }).trim();
  const uuid = execFileSync('blkid', ['-c', '/dev/null', '-s', 'UUID', '-o', 'value', device], {
    encoding: 'utf8',
  }).trim();
  const file = `/dev/disk/by-uuid/${uuid}`;
  if (existsSync(file)) return;
  mkdirSync('/dev/disk/by-uuid', { recursive: true });
  rmSync(file, { force: true });
  symlinkSync(`../../${basename(device)}`, file);
  beforeRemoval(() => rmSync(file, { force: true }));
}

/** Changes bytes of a file without its size or time: what a dying disk does. */
export function corrupt(file: string): void {
  execFileSync('sh', [
    '-c',
    'm=$(stat -c %y -- "$1"); printf XXXX | dd of="$1" bs=1 seek=100 conv=notrunc status=none; touch -d "$m" -- "$1"',
    'sh',
    file,
  ]);
}
