import { createHash } from 'node:crypto';
import { HoldfastError } from '../../contracts/errors.js';
import type {
  SnapraidByHandInput,
  SnapraidByHandPlan,
  SnapraidByHandReport,
} from '../../contracts/snapraid.js';
import type { SnapArray } from './array.js';
import { askDiff, askStatus, failed } from './ask.js';
import { missingDisks, planCommand } from './guard.js';
import { closeRepair, openedByThisRun, openRepair } from './open-repair.js';
import { refuseDaemon } from './others.js';
import { noteHalf, type Overwrite } from './overwrites.js';
import { parseWork, type WorkEnd } from './parse-work.js';
import { emptyDisks } from './plan.js';
import type { Procedure, Proof } from './procedure.js';
import { parityProcedure } from './rebuild-parity.js';
import { diskProcedure } from './replace-disk.js';
import { withStandIn } from './stand-in.js';
import { failing, wasStopped } from './sync-verdict.js';
import { undeleteProcedure } from './undelete.js';
import { work } from './work.js';

/** What a human has an array do by hand: one form for the plan, its approval, the repair and the proof. */

const procedures: Record<string, (array: SnapArray, settings: Record<string, string>) => Promise<Procedure>> =
  {
    undelete: undeleteProcedure,
    'replace-disk': diskProcedure,
    'rebuild-parity': parityProcedure,
  };

async function procedureOf(array: SnapArray, { action, settings }: SnapraidByHandInput): Promise<Procedure> {
  const make = Object.hasOwn(procedures, action) ? procedures[action] : undefined;
  if (!make) throw new HoldfastError('HF_NOT_IN_CONFIG', `A SnapRAID array has no procedure "${action}"`);
  return make(array, settings);
}

export async function planByHand(array: SnapArray, input: SnapraidByHandInput): Promise<SnapraidByHandPlan> {
  const { overwrites: _, ...plan } = await planned(array, input);
  return plan;
}

async function planned(
  array: SnapArray,
  input: SnapraidByHandInput,
): Promise<SnapraidByHandPlan & { overwrites?: Overwrite[] }> {
  const { bound, ...plan } = await withStandIn(array, async (asked) => {
    const procedure = await procedureOf(asked, input);
    await guardOthers(array, procedure, true);
    return procedure.plan();
  });
  const text = JSON.stringify([input.action, input.settings, bound, plan.what]);
  const digest = createHash('sha256').update(text).digest('hex');
  return { resource: input.resource, digest, ...plan };
}

/** Repairs and reads again. A retry does it once more, which changes nothing that is right already. */
export async function actByHand(array: SnapArray, input: SnapraidByHandInput): Promise<SnapraidByHandReport> {
  const procedure = await procedureOf(array, input);
  await guardOthers(array, procedure);
  if (input.onlyProve) return proveAgain(array, procedure);
  await begin(array, input, procedure);
  const { lines, result } = await work(array, { verb: 'fix', what: procedure.fix });
  const end = parseWork('fix', lines);
  const { host, log } = array.tools;
  if (procedure.refuseNewer) await noteHalf(array, array.tools.attempt, end);
  if (wasStopped(end, result))
    throw new HoldfastError('HF_TOOL_KILLED', `The repair of "${input.resource}" was stopped. It goes on`);
  if (end.ioErrors > 0) throw failing(end, host.name);
  if (end.exit === undefined) throw failed('fix', result, array);
  for (const file of end.files.unrecoverable) log(`lost: ${file}`);
  const lost = end.files.unrecoverable;
  const lostCount = Math.max(lost.length, end.unrecoverable > 0 ? 1 : 0);
  const proof = await procedure.prove(end);
  const isFixed = result.exitCode === 0 && end.unrecoverable === 0;
  if (!(proof.isClean && (isFixed || lostCount > 0)) && !proof.isExplained)
    throw notRepaired(array, end, proof);
  await refuseSyncBeforeOthers(array, procedure, `${proof.words}, ${lostCount} files are lost`);
  // A disk or a parity is whole with the sync afterwards alone.
  if (procedure.without === undefined) await closeRepair(array);
  return {
    resource: input.resource,
    recovered: end.files.recovered.length,
    lost: lost.slice(0, 100),
    lostCount,
    proved: proof.words,
    ...(!proof.isClean && { warnings: [proof.words] }),
  };
}

/** What was not right before the sync, because files had changed, must be so after it: what is still wrong was never written well. */
async function proveAgain(array: SnapArray, procedure: Procedure): Promise<SnapraidByHandReport> {
  const { resource } = array.input;
  const { words, isClean, isExplained } = await procedure.prove(parseWork('check', []));
  if (!isClean && !isExplained)
    throw new HoldfastError(
      'HF_ARRAY_DAMAGED',
      `After its repair and a complete sync ${words}: ${procedure.subject} does not keep what is written to it, or something changes it`,
    );
  const warnings = isClean ? {} : { warnings: [`${words}, and files changed since the sync: scrub it`] };
  return { resource, recovered: 0, lost: [], lostCount: 0, proved: words, ...warnings };
}

/** Nothing is synced then: what is wrong would become the new state. */
const notRepaired = ({ input }: SnapArray, { exit, troubles }: WorkEnd, { words }: Proof): HoldfastError =>
  new HoldfastError(
    'HF_ARRAY_DAMAGED',
    `The repair of "${input.resource}" ended with "${exit}", and is not proved: ${words}. ${troubles.slice(0, 3).join('; ')}`.slice(
      0,
      300,
    ),
  );

/** A later attempt finds a disk that is partly filled, and the same disk all the same: that alone can be compared then. */
async function begin(array: SnapArray, input: SnapraidByHandInput, procedure: Procedure): Promise<void> {
  const device = (await procedure.device?.()) ?? '';
  const opened = await openedByThisRun(array);
  if (opened === undefined) {
    const overwrites = await refuseOtherPlan(array, input);
    return openRepair(array, { what: procedure.subject, device, ...(overwrites && { overwrites }) });
  }
  if (opened.device === device) return procedure.refuseNewer?.();
  throw new HoldfastError(
    'HF_TARGET_REFUSED',
    `The repair of ${opened.what} was begun on ${opened.device}, and now it would write to ${device}: bring that disk back, or start it again`.slice(
      0,
      300,
    ),
  );
}

/** Answers what it may write over. */
async function refuseOtherPlan(
  array: SnapArray,
  input: SnapraidByHandInput,
): Promise<Overwrite[] | undefined> {
  const { digest, refused, overwrites } = await planned(array, input);
  if (refused !== undefined) throw new HoldfastError('HF_TARGET_REFUSED', refused.slice(0, 300));
  if (digest === input.digest) return overwrites;
  throw new HoldfastError(
    'HF_NOT_APPROVED',
    `What would be done to "${input.resource}" has changed since it was approved; nothing was done. Start it again`,
  );
}

/** All the others must be there: from them everything is computed. What is at stake can be planned before that. */
async function guardOthers(array: SnapArray, procedure: Procedure, planning = false): Promise<void> {
  await refuseDaemon(array);
  const missing = (await missingDisks(array)).filter(({ disk }) => disk !== procedure.without);
  const first = missing.find((other) => !procedure.bears?.(other, planning));
  if (!first) return;
  throw new HoldfastError(
    'HF_ARRAY_DISK_MISSING',
    `Nothing can be repaired while another disk is away: ${first.disk} ${first.why}`.slice(0, 300),
  );
}

/** Of several dead disks one is whole again: a sync now would forget what lay on the others. */
async function refuseSyncBeforeOthers(array: SnapArray, procedure: Procedure, done: string): Promise<void> {
  if (procedure.bears === undefined) return;
  const missing = (await missingDisks(array)).filter(({ isFailing }) => !isFailing);
  const { filesOfDisk } = await askStatus(array);
  // Where neither a marker nor a least number of files says it: a new disk that is still empty.
  const empty = emptyDisks((await askDiff(array)).changes, filesOfDisk);
  const dead = [...missing, ...empty.map((disk) => ({ disk, why: 'looks empty' }))].find(
    ({ disk }) => disk !== procedure.without,
  );
  if (!dead) return;
  throw new HoldfastError(
    'HF_ARRAY_DISK_MISSING',
    `${procedure.subject} is rebuilt (${done}). Do not sync yet: ${dead.disk} ${dead.why.slice(0, 100)}. Plan: ${planCommand(array, dead.disk)}`,
    { disks: [dead.disk] },
  );
}
