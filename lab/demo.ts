import { mkdtempSync, rmSync } from 'node:fs';
import type { TestArray } from '../test/support/array.js';
import { addArrayJob, proveArray, startArray, whyNoArray } from './demo/array.js';
import { takePicture } from './demo/picture.js';
import { makePlace, type Place } from './demo/place.js';
import { type Background, holdfast, show, startCommand, startStore, startUp } from './demo/processes.js';
import { compareWithSource, leaksOfSecrets, locksIn, snapshotsIn } from './demo/proofs.js';
import { makeSource } from './demo/source.js';
import { addZfsJobs, hasZfsHosts, pidsOf, proveReplication, startZfsHosts } from './demo/zfs-hosts.js';
import { setUp } from './setup.js';
import { endLeftovers } from './sweep.js';
import type { Pair } from './zfs/pair.js';

/** The whole of Holdfast with real parts on this machine: a backup that is killed in the middle, finishes, and comes back to the byte. */

const keep = process.argv.includes('--keep');
/** `--picture FILE`: a picture of the run in the Web UI. */
const picture = process.argv.includes('--picture')
  ? process.argv[process.argv.indexOf('--picture') + 1]
  : undefined;
const job = 'photos-offsite';
const startedAt = performance.now();
let failures = 0;

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

async function step<T>(title: string, work: () => T | Promise<T>): Promise<T> {
  console.log(`\n── ${title}`);
  const since = performance.now();
  const result = await work();
  console.log(`   (${seconds(since)})`);
  return result;
}

function expect(holds: boolean, words: string): void {
  console.log(`  ${holds ? 'ok   ' : 'WRONG'} ${words}`);
  if (!holds) failures += 1;
}

/** `--zfs`: also where the image of the ZFS hosts must be built first. */
const wantsZfs = process.argv.includes('--zfs');

async function setUpLab(): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new Error('the demo wants root: owners and attributes are part of the proof');
  const parts = await setUp({ zfsHosts: wantsZfs });
  for (const name of ['restic', 'getfacl', 'getfattr', 'temporal', 'versitygw']) {
    const part = parts[name];
    if (part && 'missing' in part) throw new Error(`${name} is missing: ${part.missing}`);
  }
}

function makeData(place: Place): void {
  const made = makeSource(place.source);
  console.log(`  ${made.files} files, ${mebibytes(made.bytes)}, ${made.real} of them this machine's own`);
  for (const what of made.skipped) console.log(`  not made: ${what}`);
}

/** Follows the run, kills the worker in the middle, starts it again, and waits for the run's end. */
async function backUpThroughAKill(place: Place, up: Background): Promise<Background> {
  console.log(`  $ holdfast run ${job} --follow`);
  const run = startCommand(place, ['run', job, '--follow']);
  const line = await run.waitForLine(/\b[2-7]\d ?%/, 180_000);
  console.log(`    ${line}`);
  await up.end('SIGKILL');
  console.log(`  killed the worker (pid ${up.pid}) with SIGKILL; the server and its records live on`);
  const since = performance.now();
  const again = await startUp(place);
  console.log(`  started "holdfast up" again (pid ${again.pid}, ready after ${seconds(since)})`);
  const ended = await run.exit;
  show(ended.stdout + ended.stderr);
  expect(ended.code === 0, `the run ended with exit code ${ended.code ?? ended.signal}`);
  return again;
}

/** Proves that there is exactly one snapshot; answers the run that its tags name. */
function proveOneSnapshot(place: Place): string {
  const snapshots = snapshotsIn(place);
  expect(snapshots.length === 1, `the repository holds ${snapshots.length} snapshot, says restic itself`);
  const tags = snapshots[0]?.tags ?? [];
  const tag = tags.find((candidate) => candidate.startsWith(`run:${job}-`));
  expect(tag !== undefined, `its tags name the run: ${tags.join(', ')}`);
  return tag?.slice('run:'.length) ?? '';
}

/** A lock that the killed attempt left would let backups pass and stop retention for ever. */
async function proveUpkeep(place: Place): Promise<void> {
  for (const operation of ['check', 'prune'])
    await holdfast(place, ['run', job, '--only', operation, '--follow']);
  const locks = locksIn(place);
  expect(locks === 0, `${locks} locks are left in the repository, says restic itself`);
}

async function proveRestore(place: Place): Promise<void> {
  const restore = holdfast(place, ['restore', job, '--to', `nas:${place.restored}`, '--yes']);
  // Our own comparison is made in any case: it says whether a failed restore is one, and whether a good one is.
  await restore.catch((error: Error) => expect(false, error.message));
  const differences = compareWithSource(place);
  show(differences.slice(0, 20).join('\n'));
  expect(differences.length === 0, `${differences.length} differences between source and restored folder`);
}

function proveNoLeak(place: Place): void {
  const leaks = leaksOfSecrets(place);
  expect(
    leaks.length === 0,
    `no secret in any log, history or record${leaks.length ? `: ${leaks.join(', ')}` : ''}`,
  );
}

async function showStatus(place: Place): Promise<void> {
  await holdfast(place, ['status']);
  await holdfast(place, ['runs']);
  const address = `http://127.0.0.1:${place.uiPort}/namespaces/holdfast/workflows`;
  const page = await fetch(address);
  expect(page.ok, `Web UI: ${address}`);
}

async function tell(place: Place, zfsHosts: Pair | undefined, array: TestArray | undefined): Promise<void> {
  await step('Making files: text, images, sparse files, links, odd names, odd owners', () => makeData(place));
  const s3 = await step('Bringing up the S3 server (versitygw, on loopback)', () => startStore(place));
  await step('Checking the configuration', () => holdfast(place, ['check']));
  const up = await step('Starting "holdfast up": Temporal, orchestrator, worker, schedules', () =>
    startUp(place),
  );
  await step('Creating the repository', () => holdfast(place, ['init-store', 'b2-photos']));
  await step('Planning and applying the schedules', async () => {
    await holdfast(place, ['plan']);
    await holdfast(place, ['apply']);
  });
  const again = await step('Backing up, with the worker killed in the middle', () =>
    backUpThroughAKill(place, up),
  );
  const run = await step('Asking restic what is there', () => proveOneSnapshot(place));
  if (picture) await step(`Taking a picture: ${picture}`, () => takePicture(place, run, picture));
  await step('Checking the repository and applying retention', () => proveUpkeep(place));
  await step('Restoring, and comparing every byte and attribute', () => proveRestore(place));
  if (zfsHosts)
    await step('Snapshots on one ZFS host, replicas on the other, twice', () =>
      proveReplication(place, zfsHosts, expect),
    );
  if (array)
    await step('A SnapRAID array: a mistake taken back, rot repaired, a dead disk rebuilt', () =>
      proveArray(place, array, expect),
    );
  await step('Protection at a glance', () => showStatus(place));
  await step('Looking for secrets where they must not be', () => proveNoLeak(place));
  if (keep) return sayHowToStop(place, [again.pid, s3.pid, ...(zfsHosts ? pidsOf(zfsHosts) : [])]);
  await step('Stopping: "holdfast up" drains on SIGTERM', () => again.end('SIGTERM'));
}

function sayHowToStop(place: Place, pids: number[]): void {
  console.log(`\nKept running. Look around with
  export HOLDFAST_STATE=${place.state} HOLDFAST_CONFIG=${place.configFile}
  npx holdfast status
Stop it and remove everything:
  kill ${pids.join(' ')}; sleep 15; rm -rf ${place.folder}`);
}

/** Undefined, and said why, where this machine has none. */
async function zfsHostsIn(folder: string): Promise<Pair | undefined> {
  if (hasZfsHosts())
    return step('Starting the ZFS hosts din and grogu (QEMU)', () => startZfsHosts({ folder }));
  console.log(
    '\n── LEFT OUT: the ZFS hosts. Their image is not built; "npm run demo -- --zfs" builds it (10 to 20 minutes)',
  );
  return undefined;
}

/** Its disks are unmounted when this process ends, so what is kept running could not use it. */
async function arrayHere(): Promise<TestArray | undefined> {
  const why = keep ? 'it cannot be kept' : whyNoArray();
  if (why === undefined) return step('Making a SnapRAID array of eight loop devices', startArray);
  console.log(`\n── LEFT OUT: the SnapRAID array: ${why}`);
  return undefined;
}

function cleanUp(folder: string): void {
  endLeftovers(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function main(): Promise<number> {
  await step('Setting up what is missing', setUpLab);
  // Below /tmp, because that is where a restore may write without being told.
  const folder = mkdtempSync('/tmp/holdfast-demo-');
  const stop = () => {
    cleanUp(folder);
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const zfsHosts = await zfsHostsIn(folder);
    const array = await arrayHere();
    const place = await makePlace(folder, (file) => {
      if (zfsHosts) addZfsJobs(file, zfsHosts);
      if (array) addArrayJob(file, array);
    });
    await tell(place, zfsHosts, array);
  } catch (error) {
    expect(false, (error as Error).message);
  }
  if (!keep) cleanUp(folder);
  const verdict =
    failures === 0 ? 'Everything is as it must be' : `${failures} things are NOT as they must be`;
  console.log(`\n${verdict} (${seconds(startedAt)}).`);
  return failures === 0 ? 0 : 1;
}

process.exit(await main());
