import type { Tools } from '../door.js';
import { parentOf } from './dataset-names.js';
import { floorBytesOf } from './pool-room.js';
import type { Replication } from './replicate-job.js';
import type { Survey } from './replicate-survey.js';
import type { DatasetPlan } from './replicate-types.js';
import type { Listing } from './types.js';

/** Of what is free on the target so much may be filled: a pool that is full cannot even destroy any more. */
const mayFill = 0.9;

export interface Fitting {
  fits: DatasetPlan[];
  /** Not begun in this round, for want of space. */
  leftOut: DatasetPlan[];
  availableBytes: number;
}

/** What fits above the floor of the pool, the smallest first: one that is too large does not keep the others from being current. */
export function fitInto(
  plans: readonly DatasetPlan[],
  target: Listing,
  targetRoot: string,
  floorBytes = 0,
): Fitting {
  const availableBytes = (target.get(targetRoot) ?? target.get(parentOf(targetRoot)))?.availableBytes;
  if (availableBytes === undefined) return { fits: [...plans], leftOut: [], availableBytes: 0 };
  let room = Math.min(availableBytes * mayFill, availableBytes - floorBytes);
  const fitting = new Set<DatasetPlan>();
  for (const plan of [...plans].sort((one, other) => one.bytes - other.bytes)) {
    if (plan.bytes > room) break;
    room -= plan.bytes;
    fitting.add(plan);
  }
  return {
    fits: plans.filter((plan) => fitting.has(plan)),
    leftOut: plans.filter((plan) => !fitting.has(plan)),
    availableBytes,
  };
}

/** Only where something is to be sent it costs a command: a look that finds nothing costs its two and no more. */
export async function fitIntoPool(
  { config }: Tools,
  { target, request, wire }: Replication,
  { input }: Survey,
  due: readonly DatasetPlan[],
): Promise<Fitting> {
  const { targetRoot } = request;
  if (due.length === 0) return fitInto(due, input.target, targetRoot, 0);
  // Before anything is prepared for streams that could not be sent.
  await wire();
  const floorBytes = await floorBytesOf(target, config, targetRoot, input.target);
  return fitInto(due, input.target, targetRoot, floorBytes);
}
