import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startDaemon, stopDaemon } from '../../system/daemon.js';
import { endRecorded, recordingScript, runningIn, signalRecorded } from '../../system/recorded.js';
import { run } from '../../system/run.js';
import { isAlive } from '../support/alive.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

/** Processes that write themselves down are found and ended later, and no other. */

interface Place {
  folder: string;
  program: string;
  log: string;
}

/** Stands for `sleep`, in a folder whose name a shell could misread. */
function makePlace(program = ['sleep']): Place {
  const base = join(temporaryFolder('recorded'), `it's a "$HOME" of 03:00:00Z`);
  const folder = join(base, 'processes');
  mkdirSync(folder, { recursive: true });
  const file = join(base, 'program');
  writeFileSync(file, recordingScript(program, folder, 'nap'));
  chmodSync(file, 0o700);
  return { folder, program: file, log: join(base, 'log') };
}

const start = ({ program, log }: Place): number => startDaemon({ file: program, args: ['600'] }, log).pid;

const untilRecorded = ({ folder }: Place, count: number) =>
  waitFor(async () => (await runningIn(folder)).length === count, { timeoutMs: 10_000, what: 'records' });

test('a process that runs is known by its program, its first word and its number, and is ended with all others', async () => {
  const place = makePlace();
  const pids = [start(place), start(place)];
  await untilRecorded(place, 2);
  const running = await runningIn(place.folder);
  assert.deepEqual(running.map(({ pid }) => pid).sort(), pids.sort());
  assert.deepEqual([...new Set(running.map(({ name }) => name))], ['nap-600']);
  assert.deepEqual(await endRecorded(place.folder), []);
  assert.deepEqual(pids.filter(isAlive), []);
});

test('it is ended as well when the process that has started it is dead', async () => {
  const place = makePlace();
  const started = await run({
    file: 'sh',
    args: ['-c', '"$0" 600 >/dev/null 2>&1 & echo $!', place.program],
  });
  const pid = Number(started.stdout);
  await untilRecorded(place, 1);
  assert.equal(isAlive(pid), true);
  await endRecorded(place.folder);
  assert.equal(isAlive(pid), false);
});

test('another process that has got the number since is left alone', async () => {
  const place = makePlace();
  const stranger = startDaemon({ file: 'sleep', args: ['600'] }, place.log);
  const stat = readFileSync(`/proc/${stranger.pid}/stat`, 'utf8');
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
  const record = join(place.folder, `nap-600-${stranger.pid}`);
  const fields = stat.split(' ');
  fields[21] = String(Number(fields[21]) - 1);
  const otherRecords = [
    // Began a hundredth of a second earlier; before the machine was started anew; torn; empty.
    `${bootId}${fields.join(' ')}`,
    `${bootId.replace(/^./, (first) => (first === '0' ? '1' : '0'))}${stat}`,
    `${bootId}${stat.slice(0, 20)}`,
    '',
  ];
  for (const text of otherRecords) {
    writeFileSync(record, text);
    assert.deepEqual(await runningIn(place.folder), []);
    assert.deepEqual(await endRecorded(place.folder), []);
    assert.equal(isAlive(stranger.pid), true, text);
  }
  writeFileSync(record, `${bootId}${stat}`);
  assert.equal((await runningIn(place.folder)).length, 1, 'its own record is known');
  await stopDaemon(stranger, 1000);
  assert.deepEqual(await runningIn(place.folder), []);
});

test('a process that starts others is ended with them', async () => {
  const place = makePlace();
  const parent = `${place.program}-parent`;
  const loop = ['sh', '-c', 'while :; do "$0" 600 & sleep 0.05; done', place.program];
  writeFileSync(parent, recordingScript(loop, place.folder, 'parent'));
  chmodSync(parent, 0o700);
  startDaemon({ file: parent, args: [] }, place.log);
  const running = await waitFor(
    async () => {
      const found = await runningIn(place.folder);
      return found.length > 5 ? found : undefined;
    },
    { timeoutMs: 20_000, what: 'children' },
  );
  assert(running.some(({ name }) => name === 'parent-'));
  assert.deepEqual(await endRecorded(place.folder), []);
  assert.deepEqual(
    running.filter(({ pid }) => isAlive(pid)),
    [],
  );
});

test('a process whose record cannot be written does not start', async () => {
  const { program, folder } = makePlace(['echo']);
  const gone = join(folder, 'gone');
  writeFileSync(program, recordingScript(['echo', 'started'], gone, 'nap'));
  const { exitCode, stdout } = await run({ file: program, args: [] });
  assert.equal(exitCode, 1);
  assert.equal(stdout, '');
});

test('the program gets its arguments as they were, and a signal reaches it', async () => {
  const place = makePlace(['printf', '[%s]']);
  const { stdout } = await run({ file: place.program, args: ["it's", '$HOME', '', '--', 'a\nb'] });
  assert.equal(stdout, "[it's][$HOME][][--][a\nb]");
  const sleeping = makePlace();
  const daemon = startDaemon({ file: sleeping.program, args: ['600'] }, sleeping.log);
  await untilRecorded(sleeping, 1);
  signalRecorded(await runningIn(sleeping.folder), 'SIGTERM');
  await daemon.ended;
});

test('a folder without records, or none at all, has nothing that runs', async () => {
  const folder = temporaryFolder('recorded');
  assert.deepEqual(await runningIn(folder), []);
  assert.deepEqual(await endRecorded(join(folder, 'gone')), []);
});
