import { spawnSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { noise } from '../support/content.js';
import { temporaryFolder } from '../support/temp.js';

/**
 * Records what a real restic prints and how it ends: node dist/test/golden/record-restic.js PATH_OF_RESTIC…
 * As another user than root when run as root, because root can read every file. Nothing here is edited by hand.
 */

const user = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];

interface Recorder {
  run(name: string | undefined, args: readonly string[], env?: Record<string, string>): string;
  folder: string;
}

function start(file: string, args: readonly string[], env: Record<string, string>, cwd: string) {
  const [first = file, ...rest] = [...user, file, ...args];
  return spawnSync(first, rest, {
    cwd,
    env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', TZ: 'UTC', ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    timeout: 120_000,
  });
}

function makeRecorder(restic: string): Recorder {
  const folder = temporaryFolder('golden');
  chmodSync(folder, 0o777);
  const own = {
    RESTIC_REPOSITORY: join(folder, 'repository'),
    RESTIC_PASSWORD: 'golden',
    RESTIC_CACHE_DIR: join(folder, 'cache'),
    RESTIC_PROGRESS_FPS: '1',
  };
  const version = /restic (\S+)/.exec(start(restic, ['version'], own, folder).stdout)?.[1];
  if (!version) throw new Error(`${restic} does not say its version`);
  const to = join(dirname(fileURLToPath(import.meta.url)), '../../../test/golden/restic', version);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  return {
    folder,
    run(name, args, env = {}) {
      const { stdout, stderr, status, signal } = start(restic, args, { ...own, ...env }, folder);
      if (name !== undefined) {
        const clean = (text: string) => text.replaceAll(folder, '/lab');
        writeFileSync(join(to, `${name}.out`), clean(stdout));
        writeFileSync(join(to, `${name}.err`), clean(stderr));
        writeFileSync(join(to, `${name}.code`), `${status ?? signal}\n`);
      }
      return stdout;
    },
  };
}

function makeSource(folder: string): string {
  const source = join(folder, 'source');
  mkdirSync(join(source, 'a folder'), { recursive: true });
  chmodSync(folder, 0o777);
  writeFileSync(join(source, 'photo.bin'), noise(20_000, 1));
  writeFileSync(join(source, 'line\nbreak "quoted" -n'), 'odd');
  writeFileSync(join(source, 'a folder', 'setuid'), 'mode');
  chmodSync(join(source, 'a folder', 'setuid'), 0o4755);
  linkSync(join(source, 'photo.bin'), join(source, 'a folder', 'the same photo'));
  symlinkSync('a folder/not\nthere -> really', join(source, 'link'));
  return source;
}

const copyTags = ['--tag=job:photos', '--tag=resource:photos'];

function record(restic: string): void {
  const { run, folder } = makeRecorder(restic);
  const source = makeSource(folder);
  const backup = (run: string) => ['backup', '--json', '--host=nas', ...copyTags, `--tag=run:${run}`];
  run('version', ['version']);
  run('init', ['init']);
  run('init-exists', ['init']);
  run('cat-config', ['cat', '--no-lock', '--', 'config']);
  run('snapshots-none', ['snapshots', '--json', '--no-lock']);
  run('backup', [...backup('one'), '--', source]);
  const unreadable = join(source, 'secret');
  writeFileSync(unreadable, 'nobody may read this');
  chmodSync(unreadable, 0);
  run('backup-unreadable', [...backup('two'), '--', source]);
  rmSync(unreadable);
  writeFileSync(join(source, 'new'), 'new');
  run('backup-dry-run', [...backup('three'), '--dry-run', '--', source]);
  run('backup-one-path-missing', [...backup('four'), '--', source, join(folder, 'gone')]);
  run('backup-all-missing', [...backup('five'), '--', join(folder, 'gone')]);
  run('snapshots', ['snapshots', '--json', '--no-lock', '--tag=job:photos,resource:photos']);
  run('ls', ['ls', '--json', '--no-lock', '--', 'latest']);
  run('ls-long', ['ls', '--long', '--no-lock', '--', 'latest']);
  run('find', ['find', '--json', '--no-lock', '--snapshot=latest', '--', '*']);
  run('restore', [
    'restore',
    '--verify',
    ...(run(undefined, ['version']).startsWith('restic 0.14') ? [] : ['--json']),
    `--target=${join(folder, 'restored')}`,
    '--',
    'latest',
  ]);
  const policy = ['forget', '--dry-run', '--json', '--group-by=', '--keep-last=1'];
  run('forget-plan', [...policy, '--tag=job:photos,resource:photos']);
  run('forget-plan-none', [...policy, '--tag=job:nobody']);
  const snapshots = JSON.parse(run(undefined, ['snapshots', '--json', '--no-lock'])) as { id: string }[];
  run('forget', ['forget', '--', ...snapshots.slice(0, -1).map(({ id }) => id)]);
  run('prune', ['prune', '--max-unused=0%']);
  run('check', ['check', '--read-data-subset=1/2']);
  run('wrong-password', ['snapshots', '--json', '--no-lock'], { RESTIC_PASSWORD: 'wrong' });
  run('no-repository', ['snapshots', '--json', '--no-lock'], { RESTIC_REPOSITORY: join(folder, 'nothing') });
  recordLocked({ run, folder });
  damageLargestPack(join(folder, 'repository/data'));
  run('check-damaged', ['check', '--read-data-subset=1/1']);
}

/** Other bytes of the same length: a pack that is too short keeps 0.14 and 0.16 asking for a quarter of an hour. */
function damageLargestPack(folder: string): void {
  const packs = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = packs.map((pack) => join(pack.parentPath, pack.name));
  const [largest = ''] = paths.toSorted((a, b) => statSync(b).size - statSync(a).size);
  chmodSync(largest, 0o600);
  const bytes = readFileSync(largest);
  bytes.fill(0, 50, 150);
  writeFileSync(largest, bytes);
}

/** A lock that nobody owns any more: restic is killed while it reads from a pipe. */
function recordLocked({ run, folder }: Recorder): void {
  const [first = '', ...rest] = [...user, 'sh', '-c', 'sleep 20 | "$0" backup --stdin & sleep 5; kill -9 $!; wait'];
  spawnSync(first, [...rest, process.argv[2] ?? 'restic'], {
    cwd: folder,
    timeout: 30_000,
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      RESTIC_REPOSITORY: join(folder, 'repository'),
      RESTIC_PASSWORD: 'golden',
      RESTIC_CACHE_DIR: join(folder, 'cache'),
    },
  });
  run('locked', ['check']);
  const listed = run('list-locks', ['list', '--no-lock', '--', 'locks']);
  const [id = ''] = listed.split('\n').filter((line) => /^[0-9a-f]{64}$/.test(line));
  run('cat-lock', ['cat', '--no-lock', '--', 'lock', id]);
  run('unlock', ['unlock']);
}

for (const restic of process.argv.slice(2)) record(restic);
