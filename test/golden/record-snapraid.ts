import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askCommand, type Verb, workCommand } from '../../activities/snapraid/command.js';
import { corrupt, fill, makeArray } from '../support/array.js';
import { waitFor } from '../support/wait.js';

/**
 * Records what a real snapraid says: node dist/test/golden/record-snapraid.js VERSION PATH. As root: it mounts disks of its own.
 * Packages of Debian do not know their version, so it is given. Nothing here is edited by hand.
 */

const [version = '', file = 'snapraid'] = process.argv.slice(2);
if (!/^\d+\.\d+$/.test(version)) throw new Error('usage: record-snapraid.js VERSION [PATH]');
const to = join(dirname(fileURLToPath(import.meta.url)), '../../../test/golden/snapraid', version);
rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });

const array = makeArray({ disks: 3, parities: 2, megabytes: 16, binary: file });
const places: [string, string][] = [
  [array.folder, '/lab'],
  ...Object.entries({ ...array.data, ...array.parity }).map(
    ([name, { folder }]): [string, string] => [folder, `/mnt/${name}`],
  ),
];
const clean = (text: string): string =>
  places
    .reduce((changed, [from, name]) => changed.replaceAll(from, name), text)
    .split('\n')
    .filter((line) => !/^(block|argv|uuid|memory):/.test(line))
    .join('\n');

function record(name: string, verb: Verb, more: string[] = []): void {
  const command = askCommand({ file, config: array.config }, verb);
  const args = [...command.args];
  args.splice(-1, 0, ...more);
  const { status, signal, stdout, stderr } = spawnSync(command.file, args, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...command.env },
  });
  keep(name, stdout, stderr, status ?? signal);
}

function keep(name: string, log: string, errors: string, end: number | string | null): void {
  writeFileSync(join(to, `${name}.log`), clean(log));
  writeFileSync(join(to, `${name}.err`), clean(errors));
  writeFileSync(join(to, `${name}.code`), `${end}\n`);
}

/** Versions without a switch that runs a program in the middle of a sync have one that makes it slow. */
async function recordInterrupted(name: string, signal: NodeJS.Signals): Promise<void> {
  const log = join(array.folder, `${name}.log`);
  const command = workCommand({ file, config: array.config }, { verb: 'sync', prehash: false }, log);
  const args = [...command.args];
  args.splice(-1, 0, '--bw-limit', '1M');
  const child = spawn(command.file, args, { env: { PATH: process.env.PATH, ...command.env }, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await waitFor(() => existsSync(log) && readFileSync(log, 'utf8').includes('run:pos:'), {
    timeoutMs: 20_000,
    what: 'the middle of a sync',
  });
  child.kill(signal);
  const [code, by] = await ended;
  keep(name, readFileSync(log, 'utf8'), readFileSync(`${log}.err`, 'utf8'), code ?? by);
}
const sync: Verb = { verb: 'sync', prehash: true };

fill(array, 12);
record('status-never-synced', { verb: 'status' });
record('diff-never-synced', { verb: 'diff' });
record('sync-first', sync);
record('status-synced', { verb: 'status' });
record('diff-equal', { verb: 'diff' });

const film = (disk: string, at: number): string => array.pathOf(disk, `Films/${at % 7}/film ${at}.mkv`);
rmSync(film('d1', 1));
writeFileSync(film('d1', 2), 'other content');
renameSync(film('d1', 3), array.pathOf('d1', 'we ird: "quo\'te\\back.mkv'));
truncateSync(film('d2', 4), 0);
copyFileSync(film('d2', 5), array.pathOf('d2', 'copied: by time.mkv'));
spawnSync('cp', ['-p', film('d2', 6), array.pathOf('d2', '-copied.mkv')]);
spawnSync('sh', ['-c', 'cp -p "$1" "$1.x"; rm "$1"; mv "$1.x" "$1"', 'sh', film('d3', 0)]);
utimesSync(film('d3', 1), 1e9, 1e9);
array.write('d3', 'line\nsummary:removed:0\nbreak.mkv', 'new');
array.write('d3', 'Ünïcödé 海.mkv', 'new');
record('diff-changes', { verb: 'diff' });
record('sync-refuses-empty-file', sync);
record('sync-force-zero', { verb: 'sync', prehash: true, forceZero: true });

array.write('d2', 'big.mkv', Buffer.alloc(4_000_000, 'x'));
if (Number(version.split('.')[0]) < 13)
  record('sync-interrupted', { verb: 'sync', prehash: false }, ['--test-run', 'kill -TERM $PPID']);
else await recordInterrupted('sync-interrupted', 'SIGTERM');
record('status-interrupted', { verb: 'status' });
record('diff-interrupted', { verb: 'diff' });
record('sync-continued', sync);

corrupt(film('d2', 7));
record('scrub-damaged', { verb: 'scrub', plan: 100, olderThanDays: 0 });
record('status-damaged', { verb: 'status' });
record('fix-bad', { verb: 'fix', what: { bad: true } });
record('scrub-bad', { verb: 'scrub', plan: 'bad', olderThanDays: 0 });
record('status-repaired', { verb: 'status' });

rmSync(film('d1', 8));
record('check-missing', { verb: 'check', what: { missing: ['/Films/**'] } });
record('fix-missing', { verb: 'fix', what: { missing: ['/Films/1/film 8.mkv'] } });

const kept = join(array.folder, 'kept');
cpSync(array.pathOf('d3'), kept, { recursive: true, preserveTimestamps: true });
for (const name of readdirSync(array.pathOf('d3'))) rmSync(array.pathOf('d3', name), { recursive: true });
record('diff-empty-disk', { verb: 'diff' });
record('sync-refuses-empty-disk', sync);
record('check-disk', { verb: 'check', what: { disk: 'd3' } });
record('fix-disk', { verb: 'fix', what: { disk: 'd3' } });
record('check-audit', { verb: 'check', what: { disk: 'd3' }, auditOnly: true });
record('smart', { verb: 'smart' });
array.parity.parity?.unmount();
record('sync-without-parity', sync);
