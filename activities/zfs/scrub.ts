import { HoldfastError } from '../../contracts/errors.js';
import type { ScrubReport, ScrubStepInput } from '../../contracts/zfs.js';
import { now, wait } from '../../system/clock.js';
import type { Tools } from '../door.js';
import { addEvidence } from '../host/evidence.js';
import { mustSucceed } from './classify.js';
import { openZfs, scrubJob } from './job.js';
import type { Zfs } from './listing.js';
import { pauseScrubCommand, scrubCommand } from './pool-command.js';
import { lookAtPool } from './pool-look.js';
import type { PoolStatus, Scan } from './pool-status.js';
import { judgeScrub } from './scrub-verdict.js';
import { untilOpenMs } from './scrub-window.js';

/** A scrub belongs to the pool and not to us: it is started or joined, watched, and asked for its result. */

/** A scrub takes hours; the first looks come sooner, because a small pool is through in seconds. */
const lookEveryMs = [1_000, 2_000, 5_000];
const lookLaterMs = 10_000;

interface Work {
  tools: Tools;
  input: ScrubStepInput;
  zfs: Zfs;
  pool: string;
  closedMs(): number;
}

/** Starts the pool's scrub or joins the one that runs, and waits for its end or for the end of the hours in which it may work. */
export async function scrubPool(tools: Tools, input: ScrubStepInput): Promise<ScrubReport> {
  const work = openWork(tools, input);
  const first = await lookAt(work);
  refuseResilver(first);
  const before = await firstLook(work, first);
  if (isDone(first, before)) return finish(work, first);
  const waitMs = work.closedMs();
  if (waitMs > 0) return stepOutside(work, first, waitMs);
  if (first.scan?.kind !== 'scrub' || first.scan.state !== 'running') await start(work, before, first.scan);
  else tools.log(`a scrub of ${work.pool} runs already: it is watched`);
  return watch(work, before);
}

function openWork(tools: Tools, input: ScrubStepInput): Work {
  const { job, pool } = scrubJob(tools, input);
  const timezone = job.schedule?.timezone ?? 'UTC';
  return {
    tools,
    input,
    zfs: openZfs(tools, input.resource),
    pool,
    closedMs: () => untilOpenMs(job.window, timezone, now()),
  };
}

const lookAt = ({ zfs, pool }: Work): Promise<PoolStatus> => lookAtPool(zfs, pool);

function refuseResilver({ pool, scan }: PoolStatus): void {
  if (scan?.kind !== 'resilver' || scan.state !== 'running') return;
  const message = `The pool ${pool} is being resilvered (${percent(scan)}): it is scrubbed when that is over`;
  throw new HoldfastError('HF_POOL_BUSY', message);
}

const percent = ({ bytesDone, bytesTotal }: Scan): string =>
  bytesDone < 0 || bytesTotal === 0 ? 'at work' : `${Math.floor((100 * bytesDone) / bytesTotal)} %`;

/** What the run found when it first looked. The pool's clock is only ever compared with itself. */
interface Before {
  /** When the scrub before this one ended, in the pool's seconds; 0 when there was none, or one was going on. */
  endedS: number;
  /** The run has started or resumed it. */
  started: boolean;
}

const fileOf = ({ tools: { host }, input: { run, resource } }: Work): string =>
  `${host.driver.stateFolder}/zfs/${run}.${resource}.scrub.json`;

async function readBefore(work: Work): Promise<Before | undefined> {
  const { driver } = work.tools.host;
  const file = fileOf(work);
  return (await driver.exists(file)) ? (JSON.parse(await driver.readFile(file)) as Before) : undefined;
}

async function writeBefore(work: Work, before: Before): Promise<Before> {
  const { driver } = work.tools.host;
  await driver.makeFolder(`${driver.stateFolder}/zfs`);
  await driver.writeFile(fileOf(work), JSON.stringify(before));
  return before;
}

/** Of the first attempt of the run: a retry must know the end of its own scrub from that of the one before. */
const firstLook = async (work: Work, { scan }: PoolStatus): Promise<Before> =>
  (await readBefore(work)) ??
  writeBefore(work, { endedS: scan?.state === 'finished' ? scan.endedS : 0, started: false });

/** A scrub has ended since the run first looked: its own, or one that it has joined. */
const isDone = ({ scan }: PoolStatus, { endedS }: Before): boolean =>
  scan?.kind === 'scrub' && scan.state === 'finished' && scan.endedS !== endedS;

async function start(work: Work, before: Before, scan: Scan | undefined): Promise<void> {
  const { zfs, pool, tools } = work;
  const { host, signal, zpool } = zfs;
  await writeBefore(work, { ...before, started: true });
  tools.log(scan?.state === 'paused' ? `the scrub of ${pool} goes on` : `a scrub of ${pool} begins`);
  mustSucceed(await host.run(scrubCommand(zpool, pool), { signal }), `scrub the pool ${pool}`, host.name);
}

/** Looks until the scrub is over, or must pause. */
async function watch(work: Work, before: Before): Promise<ScrubReport> {
  const { tools, pool } = work;
  for (let look = 0; ; look += 1) {
    const status = await lookAt(work);
    const { scan } = status;
    if (isDone(status, before)) return finish(work, status);
    refuseResilver(status);
    if (scan?.kind !== 'scrub' || scan.state !== 'running') throw stopped(pool, scan);
    tools.progress({
      phase: `scrubbing ${pool}`,
      bytesDone: Math.max(0, scan.bytesDone),
      bytesTotal: scan.bytesTotal,
    });
    const waitMs = work.closedMs();
    if (waitMs > 0) return stepOutside(work, status, waitMs);
    await wait(lookEveryMs[look] ?? lookLaterMs, tools.signal);
  }
}

const stopped = (pool: string, scan: Scan | undefined): HoldfastError =>
  new HoldfastError(
    'HF_SCRUB_STOPPED',
    `Somebody ${scan?.state === 'paused' ? 'paused' : 'stopped'} the scrub of ${pool} while it was watched. Start the job again when it may go on`,
  );

/** Its hours are over: what was read is kept, and the workflow waits instead of us. */
async function stepOutside(
  { zfs: { host, signal, zpool }, pool, input, tools }: Work,
  { scan, state }: PoolStatus,
  waitMs: number,
): Promise<ScrubReport> {
  if (scan?.kind === 'scrub' && scan.state === 'running') {
    tools.log(`outside of its hours: the scrub of ${pool} is paused at ${percent(scan)}`);
    mustSucceed(
      await host.run(pauseScrubCommand(zpool, pool), { signal }),
      `pause the scrub of ${pool}`,
      host.name,
    );
  }
  const { resource } = input;
  return {
    resource,
    pool,
    state: 'outside',
    waitMs,
    repairedBytes: 0,
    endedAt: '',
    poolState: state,
    warnings: [],
  };
}

async function finish({ tools, input, pool }: Work, status: PoolStatus): Promise<ScrubReport> {
  for (const file of status.errorFiles) tools.log(`damaged: ${file}`);
  const { repairedBytes, endedAt, warnings } = judgeScrub(status);
  const { job, run, resource } = input;
  if (warnings.length === 0) {
    await addEvidence(tools.host, { kind: 'scrub', run, job, resource, pool, repairedBytes, endedAt });
  }
  return { resource, pool, state: 'finished', repairedBytes, endedAt, poolState: status.state, warnings };
}

/** After a cancellation: a scrub that this run has started does not go on by itself, and loses nothing. */
export async function pauseOwnScrub(tools: Tools, input: ScrubStepInput): Promise<{ paused: boolean }> {
  const work = openWork(tools, input);
  const { scan } = await lookAt(work);
  const before = await readBefore(work);
  if (!before?.started || scan?.kind !== 'scrub' || scan.state !== 'running') return { paused: false };
  const { host, signal, zpool } = work.zfs;
  await host.run(pauseScrubCommand(zpool, work.pool), { signal });
  return { paused: (await lookAt(work)).scan?.state === 'paused' };
}
