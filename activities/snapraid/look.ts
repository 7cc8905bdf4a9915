import type { SnapraidLook, SnapraidLookInput, SnapraidTouchInput } from '../../contracts/snapraid.js';
import { now } from '../../system/clock.js';
import { addEvidence } from '../host/evidence.js';
import { closedMs, type SnapArray } from './array.js';
import { ask, askStatus, failed } from './ask.js';
import { guardDisks } from './guard.js';
import { guardParity } from './guard-parity.js';
import { refuseDaemon } from './others.js';
import type { ArrayStatus } from './parse-status.js';
import { poolWarnings } from './pool.js';
import { shareSilent } from './share.js';

/** The state of an array: first whether its disks are there, then what it says of itself. */

const dayMs = 86_400_000;

export async function lookAtArray(
  array: SnapArray,
  lookInput: SnapraidLookInput = array.input,
): Promise<SnapraidLook> {
  await refuseDaemon(array);
  await guardDisks(array);
  const ofPool = await poolWarnings(array, lookInput);
  const silent = await shareSilent(array, lookInput);
  const { tools, input } = array;
  const status = await askStatus(array);
  await guardParity(array, status);
  const facts = factsOf(status, now());
  const look: SnapraidLook = {
    resource: input.resource,
    ...facts,
    warnings: [...ofPool, ...facts.warnings],
    closedMs: closedMs(array),
    ...(silent !== undefined && { shareSilent: silent }),
  };
  tools.log(JSON.stringify(look));
  const { files, blocks, unsynced, bad, oldestDays, wastedBytes } = look;
  await addEvidence(tools.host, {
    kind: 'array-status',
    run: input.run,
    resource: input.resource,
    files,
    blocks,
    unsynced,
    bad,
    oldestDays,
    wastedBytes,
  });
  return look;
}

/** Pure. */
export function factsOf(status: ArrayStatus, at: Date): Omit<SnapraidLook, 'resource' | 'closedMs'> {
  const [oldest] = status.readAt;
  const oldestDays = oldest ? Math.max(0, Math.floor((at.getTime() - oldest.seconds * 1000) / dayMs)) : 0;
  const { files, unsynced, bad, unscrubbed, blocks, rehash, withoutSubseconds, wastedBytes } = status;
  return {
    files,
    unsynced,
    bad,
    unscrubbed,
    blocks,
    rehash,
    oldestDays,
    withoutSubseconds,
    wastedBytes,
    warnings: bad > 0 ? [`${bad} blocks are known to be bad: "--only scrub" plans their repair`] : [],
  };
}

/** Gives files a sub-second time stamp, by which moves are recognised. Changes nothing else, and is safe to do twice. */
export async function touchFiles(
  array: SnapArray,
  { withoutSubseconds }: SnapraidTouchInput = array.input,
): Promise<{ touched: number }> {
  const touched = withoutSubseconds ?? (await askStatus(array)).withoutSubseconds;
  if (touched === 0) return { touched };
  const { result } = await ask(array, { verb: 'touch' });
  if (result.exitCode !== 0) throw failed('touch', result, array);
  return { touched };
}
