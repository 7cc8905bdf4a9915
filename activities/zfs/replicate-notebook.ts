import type { ReplicationStepInput } from '../../contracts/replication.js';
import type { Host } from '../../system/host.js';
import { readPacked, writePacked } from '../../system/packed.js';
import type { DatasetPlan } from './replicate-types.js';

/** What the steps of one run tell each other: too long for a history, so it lies in the worker's state folder. Losing it costs a look, no more. */

export interface RoundNotes {
  plans: DatasetPlan[];
  /** By target: which datasets each group sends. */
  groups: string[][];
  givenUp: string[];
}

const folderOf = ({ driver }: Host, { run }: ReplicationStepInput): string =>
  `${driver.stateFolder}/replications/${run.replaceAll(':', '')}`;

const baseOf = (host: Host, input: ReplicationStepInput, round: number): string =>
  `${folderOf(host, input)}/${input.resource}-${input.store}-${round}`;

export async function writeRound(host: Host, input: ReplicationStepInput, notes: RoundNotes): Promise<void> {
  await host.driver.makeFolder(folderOf(host, input));
  await writePacked(host.driver, `${baseOf(host, input, input.round)}.plan`, notes);
}

/** undefined before the first round, and when the notes were lost. */
export const readRound = async (
  host: Host,
  input: ReplicationStepInput,
  round: number,
): Promise<RoundNotes | undefined> =>
  (await readPacked(host.driver, `${baseOf(host, input, round)}.plan`)) as RoundNotes | undefined;

/** Which datasets of a group did not arrive, and why. */
export async function writeTroubles(
  host: Host,
  input: ReplicationStepInput & { group: number },
  troubles: ReadonlyMap<string, string>,
): Promise<void> {
  await host.driver.makeFolder(folderOf(host, input));
  const path = `${baseOf(host, input, input.round)}.troubles-${input.group}`;
  await writePacked(host.driver, path, [...troubles]);
}

/** Of all groups of a round. */
export async function readTroubles(
  host: Host,
  input: ReplicationStepInput,
  round: number,
  groups: number,
): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  for (let group = 0; group < groups; group++) {
    const path = `${baseOf(host, input, round)}.troubles-${group}`;
    const some = ((await readPacked(host.driver, path)) ?? []) as [string, string][];
    for (const [target, words] of some) all.set(target, words);
  }
  return all;
}

/** What a human is asked about: hours later just that is done. */
export async function writeParking(host: Host, input: ReplicationStepInput, parked: unknown): Promise<void> {
  await host.driver.makeFolder(folderOf(host, input));
  await writePacked(host.driver, `${baseOf(host, input, input.round)}.parking`, parked);
}

export const readParking = (host: Host, input: ReplicationStepInput): Promise<unknown> =>
  readPacked(host.driver, `${baseOf(host, input, input.round)}.parking`);
