import type { ReplicationStepInput } from '../../contracts/replication.js';
import type { Host } from '../../system/host.js';
import { readPacked, writePacked } from '../../system/packed.js';
import type { DatasetPlan, PlanInput } from './replicate-types.js';

/**
 * Which snapshots of the target a job has brought there, by guid. Properties of snapshots do not travel, so a replica's do not say who
 * made them; that both ends have shown the same guid does, and is written down. What is not written down is never removed.
 */

export type Brought = ReadonlySet<string>;

/** What both ends show now of what the job may send, and what was known before and is still there. */
export function learnBrought(known: Brought, plans: readonly DatasetPlan[], input: PlanInput): Set<string> {
  const brought = new Set<string>();
  for (const { snapshots } of input.target.values())
    for (const { guid } of snapshots) if (known.has(guid)) brought.add(guid);
  for (const { source, target, renameFrom } of plans) {
    const replica = input.target.get(renameFrom ?? target);
    if (source === '' || !replica) continue;
    const sent = new Set(
      (input.source.get(source)?.snapshots ?? [])
        .filter(({ run }) => input.policy.snapshots === 'all' || run !== undefined)
        .map(({ guid }) => guid),
    );
    for (const { guid } of replica.snapshots) if (sent.has(guid)) brought.add(guid);
  }
  return brought;
}

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
