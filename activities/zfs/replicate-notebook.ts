import type { ReplicationStepInput } from '../../contracts/replication.js';
import type { Host } from '../../system/host.js';
import { readPacked, writePacked } from '../../system/packed.js';
import type { DatasetPlan } from './replicate-types.js';

/** What the steps of one run tell each other: too long for a history, so it lies in the worker's state folder. Losing it costs a look, no more. */

export interface RoundNotes {
  plans: DatasetPlan[];
  /** By target: which datasets each group sends. */
  groups: string[][];
  /** See Tries in replicate-rounds.ts. */
  tries: [string, number][];
  /** Cursors and holds of all groups stand. */
  isPrepared?: true;
  /** What of the due could not be prepared and is in no group, by target and with the reason. */
  unprepared?: [string, string][];
  /** What others did to replicas since the last run, in words: only its first look can see it. */
  remarks?: string[];
  /** What last kept a dataset from arriving, by target: a later round that does not try it again says nothing of it. */
  failed?: [string, string][];
  /** See ReplicaStates: how it was before this run. */
  unread?: [string, number][];
}

const folderOf = ({ driver }: Host, { run }: ReplicationStepInput): string =>
  `${driver.stateFolder}/replications/${run.replaceAll(':', '')}`;

const baseOf = (host: Host, input: ReplicationStepInput, round: number): string =>
  `${folderOf(host, input)}/${input.resource}-${input.store}-${round}`;

export async function writeRound(host: Host, input: ReplicationStepInput, notes: RoundNotes): Promise<void> {
  await host.driver.makeFolder(folderOf(host, input));
  await writePacked(host.driver, `${baseOf(host, input, input.round)}.plan`, notes);
}

/** Of so many runs of each operation of a job the plans can still be looked at. */
const keptRuns = 10;

/**
 * Plans are for the run itself and for who wants to know why; the oldest go. Each operation counts for itself: what a human is asked about
 * must not go because another operation runs often.
 */
export async function forgetOldRuns({ driver }: Host, { job, run }: ReplicationStepInput): Promise<void> {
  const parent = `${driver.stateFolder}/replications`;
  if (!(await driver.exists(parent))) return;
  const operations = new Map<string, string[]>();
  for (const name of (await driver.list(parent)).sort()) {
    const [, operation = '', of] = runFolder.exec(name) ?? [];
    if (of === job) operations.set(operation, [...(operations.get(operation) ?? []), name]);
  }
  for (const name of [...operations.values()].flatMap((names) => names.slice(0, -keptRuns)))
    if (name !== run.replaceAll(':', '')) await driver.removeTree(`${parent}/${name}`, parent);
}

/** The operation and the job of "job-2026-11-20T030000Z" or "job.park-2026-11-20T030000Z". */
const runFolder = /^(([a-z0-9-]+?)(?:\.[a-z0-9-]+)?)-\d{4}-\d{2}-\d{2}T\d{6}Z$/;

/** undefined before the first round, and when the notes were lost. */
export const readRound = async (
  host: Host,
  input: ReplicationStepInput,
  round: number,
): Promise<RoundNotes | undefined> =>
  (await readPacked(host.driver, `${baseOf(host, input, round)}.plan`)) as RoundNotes | undefined;

/** Why a dataset did not arrive. */
export interface NotArrived {
  words: string;
  /** See GroupEnd. */
  isBusy?: true;
}

const troublesOf = (host: Host, input: ReplicationStepInput, round: number, group: number): string =>
  `${baseOf(host, input, round)}.troubles-${group}`;

/** Which datasets of a group did not arrive, and why. */
export async function writeTroubles(
  host: Host,
  input: ReplicationStepInput & { group: number },
  troubles: ReadonlyMap<string, NotArrived>,
): Promise<void> {
  await host.driver.makeFolder(folderOf(host, input));
  const rows = [...troubles].map(([target, { words, isBusy }]) => [
    target,
    words,
    ...(isBusy ? ['busy'] : []),
  ]);
  await writePacked(host.driver, troublesOf(host, input, input.round, input.group), rows);
}

/** Of all groups of a round. */
export async function readTroubles(
  host: Host,
  input: ReplicationStepInput,
  round: number,
  groups: number,
): Promise<Map<string, NotArrived>> {
  const all = new Map<string, NotArrived>();
  for (let group = 0; group < groups; group++)
    for (const [target, trouble] of await readGroupTroubles(host, { ...input, round, group }))
      all.set(target, trouble);
  return all;
}

/** Of one group: empty before its first attempt has ended. */
export async function readGroupTroubles(
  host: Host,
  input: ReplicationStepInput & { group: number },
): Promise<Map<string, NotArrived>> {
  const path = troublesOf(host, input, input.round, input.group);
  const rows = ((await readPacked(host.driver, path)) ?? []) as [string, string, 'busy'?][];
  return new Map(rows.map(([target, words, busy]) => [target, { words, ...(busy && { isBusy: true }) }]));
}

type ByHand = 'parking' | 'roll-back' | 'failback' | 'leftovers';

/** What a human is asked about: hours later just that is done. */
export async function writeApproved(
  host: Host,
  input: ReplicationStepInput,
  what: ByHand,
  plan: unknown,
): Promise<void> {
  await host.driver.makeFolder(folderOf(host, input));
  await writePacked(host.driver, `${baseOf(host, input, input.round)}.${what}`, plan);
}

export const readApproved = (host: Host, input: ReplicationStepInput, what: ByHand): Promise<unknown> =>
  readPacked(host.driver, `${baseOf(host, input, input.round)}.${what}`);
