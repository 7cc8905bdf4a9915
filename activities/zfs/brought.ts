import type { ReplicationStepInput } from '../../contracts/replication.js';
import type { Host } from '../../system/host.js';
import { readPacked, writePacked } from '../../system/packed.js';
import { mayTravel } from './replicate-base.js';
import { replicaOf } from './replicate-moves.js';
import type { DatasetPlan, PlanInput } from './replicate-types.js';
import type { Dataset } from './types.js';

/**
 * Which snapshots of the target a job has brought there, by guid. Properties of snapshots do not travel, so a replica's do not say who
 * made them; that both ends have shown the same guid does, and is written down. What is not written down is never removed.
 */

export type Brought = ReadonlySet<string>;

/** What both ends show now of what the job may send, and what was known before and is still there. */
export function learnBrought(known: Brought, plans: readonly DatasetPlan[], input: PlanInput): Set<string> {
  const brought = new Set<string>();
  const learn = (replica: Dataset | undefined, ours: Brought): void => {
    for (const { guid } of replica?.snapshots ?? []) if (ours.has(guid)) brought.add(guid);
  };
  for (const replica of input.target.values()) learn(replica, known);
  for (const plan of plans)
    if (plan.source !== '')
      learn(replicaOf(input.target, plan), travelling(input.source.get(plan.source), input));
  return brought;
}

const travelling = (source: Dataset | undefined, { policy }: PlanInput): Set<string> =>
  new Set((source?.snapshots ?? []).filter((one) => mayTravel(one, policy)).map(({ guid }) => guid));

type Pair = Pick<ReplicationStepInput, 'job' | 'resource' | 'store'>;

const fileOf = ({ driver }: Host, { job, resource, store }: Pair): string =>
  `${driver.stateFolder}/zfs/${job}.${resource}.${store}.brought`;

/** undefined when nothing was ever written down: then the first look is worth a file. */
export async function readBrought(host: Host, pair: Pair): Promise<Set<string> | undefined> {
  const guids = (await readPacked(host.driver, fileOf(host, pair))) as string[] | undefined;
  return guids && new Set(guids);
}

export async function writeBrought(host: Host, pair: Pair, brought: Brought): Promise<void> {
  await host.driver.makeFolder(`${host.driver.stateFolder}/zfs`);
  await writePacked(host.driver, fileOf(host, pair), [...brought]);
}
