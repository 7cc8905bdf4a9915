import { HoldfastError } from '../../contracts/errors.js';
import type { SnapraidSyncInput, SnapraidSyncReport } from '../../contracts/snapraid.js';
import { isoNow } from '../../system/clock.js';
import { addEvidence } from '../host/evidence.js';
import type { SnapArray } from './array.js';
import { askStatus } from './ask.js';
import { type Planned, planNow } from './diff.js';
import { guardDisks } from './guard.js';
import { guardParity } from './guard-parity.js';
import { mountsOf } from './mounts.js';
import { refuseDaemon } from './others.js';
import type { Change } from './parse-diff.js';
import { parseWork, type WorkEnd } from './parse-work.js';
import { judgeSync } from './sync-verdict.js';
import { type Worked, work } from './work.js';

/** The one step that can make a loss permanent: everything is looked at once more right before it. */

/** Files that change under a sync are left out by it; a second one takes them. */
const mostRounds = 2;

export async function syncArray(array: SnapArray, input: SnapraidSyncInput): Promise<SnapraidSyncReport> {
  await refuseDaemon(array);
  const restorePoint = isoNow();
  const done: Done = { interrupted: 0, bytesDone: 0, warnings: [] };
  for (let round = 1; ; round += 1) {
    const { planned, isWanted } = await lookAgain(array, input, round, done);
    const { approved, ...told } = done;
    const report = { resource: input.resource, plan: planned.plan, restorePoint };
    if (isWanted === 'asks') return { ...report, ...told, state: 'asks' };
    // What changed under the first round is looked at like everything else before a second one.
    if (isWanted && (await run(array, planned, done, round)) === 'again') continue;
    told.bytesDone = done.bytesDone;
    const proved: SnapraidSyncReport = { ...report, ...told, state: 'complete' };
    await prove(array, proved, approved);
    return proved;
  }
}

/** What all rounds together have done. */
interface Done extends Pick<SnapraidSyncReport, 'interrupted' | 'bytesDone' | 'warnings'> {
  /** The digest of what a human had said yes to, once it was synced. */
  approved?: string;
}

/** Right before each round: every guard, the whole diff, and whether just that was approved. */
async function lookAgain(
  array: SnapArray,
  { digest, always, onlyProve }: SnapraidSyncInput,
  round: number,
  done: Done,
): Promise<{ planned: Planned; isWanted: boolean | 'asks' }> {
  await guardDisks(array);
  const before = await askStatus(array);
  await guardParity(array, before);
  if (before.unsynced > 0 && round === 1) {
    done.interrupted = 1;
    // What an attempt of this run has noted itself is not noted again.
    await noteInterrupted(array, array.tools.attempt - 1, before.unsynced);
  }
  const planned = await planNow(array, before);
  const { plan } = planned;
  if (plan.reasons.length > 0 && plan.digest !== digest) return { planned, isWanted: 'asks' };
  if (onlyProve && !plan.isInSync) return { planned, isWanted: 'asks' };
  if (plan.digest === digest) done.approved = digest;
  return { planned, isWanted: !plan.isInSync || before.isEmpty || always === true };
}

async function run(array: SnapArray, planned: Planned, done: Done, round: number): Promise<'done' | 'again'> {
  const { result, lines } = await start(array, planned);
  const end = parseWork('sync', lines);
  for (const trouble of end.troubles) array.tools.log(`sync: ${trouble}`);
  const verdict = judgeSync(end, result, array.tools.host.name);
  if (verdict === 'interrupted') throw await interrupted(array);
  if (verdict instanceof HoldfastError) throw verdict;
  if (verdict === 'again' && round >= mostRounds) throw incomplete(array, end);
  done.bytesDone += end.bytesDone;
  done.warnings.push(...slippedIn(lines, planned.changes));
  return verdict;
}

/** Files that shrank to nothing and disks without files are refused by snapraid itself: only a human's yes to just these overrules it. */
async function start(array: SnapArray, { plan, judged }: Planned): Promise<Worked> {
  const approved = plan.reasons.length > 0;
  const { forceZero, forceEmpty } = judged;
  const forced = approved ? { forceZero, forceEmpty } : {};
  try {
    return await work(array, { verb: 'sync', prehash: array.job.prehash, ...forced });
  } catch (error) {
    // A cancellation: snapraid has saved what was done until then.
    if (array.tools.signal.aborted) await noteInterrupted(array, array.tools.attempt);
    throw error;
  }
}

/** The tool's own state is the proof. */
async function prove(array: SnapArray, report: SnapraidSyncReport, approved?: string): Promise<void> {
  const { tools, input } = array;
  const { unsynced, files, blocks, bad } = await askStatus(array);
  if (unsynced > 0)
    throw new HoldfastError(
      'HF_SYNC_INCOMPLETE',
      `snapraid says that the sync of "${input.resource}" is done, but ${unsynced} blocks of it have no parity`,
    );
  if (bad > 0) report.warnings.push(`${bad} blocks are known to be bad`);
  await addEvidence(tools.host, {
    kind: 'array-synced',
    run: input.run,
    job: input.job,
    resource: input.resource,
    files,
    blocks,
    restorePoint: report.restorePoint,
    mounts: await mountsOf(array),
    ...(approved !== undefined && { approved }),
  });
}

async function noteInterrupted(
  { tools, input }: SnapArray,
  attempt: number,
  unsynced?: number,
): Promise<void> {
  tools.log('an interrupted sync is continued: until it is complete less can be recovered than before it');
  await addEvidence(tools.host, {
    kind: 'array-interrupted',
    run: input.run,
    resource: input.resource,
    attempt,
    ...(unsynced !== undefined && { unsynced }),
  });
}

async function interrupted(array: SnapArray): Promise<HoldfastError> {
  await noteInterrupted(array, array.tools.attempt);
  return new HoldfastError(
    'HF_SYNC_INTERRUPTED',
    `The sync of "${array.input.resource}" was stopped from outside before its end. It is continued`,
  );
}

const incomplete = ({ input }: SnapArray, { fileErrors, troubles }: WorkEnd): HoldfastError =>
  new HoldfastError(
    'HF_SYNC_INCOMPLETE',
    `The sync of "${input.resource}" is not complete: ${fileErrors} files changed or could not be read: ${troubles.slice(0, 3).join('; ')}`.slice(
      0,
      300,
    ),
  );

/** The sync looks at the files by itself, a moment after us: a loss that came in between is told. */
function slippedIn(lines: readonly string[], planned: readonly Change[]): string[] {
  const known = new Set(planned.map(({ disk, path }) => `${disk}:${path}`));
  const lost = lines.flatMap((line) => {
    const [, name = ''] = /^scan:(?:remove|update):([^:]+:[^:]*)/.exec(line) ?? [];
    return name === '' || known.has(unescaped(name)) ? [] : [name];
  });
  if (lost.length === 0) return [];
  return [
    `${lost.length} files were removed or changed in the moment before the sync and are synced so: ${lost.slice(0, 5).join(', ')}`,
  ];
}

const unescaped = (name: string): string =>
  name.replace(/\\(.)/g, (_, letter: string) => ({ d: ':', n: '\n', r: '\r' })[letter] ?? letter);
