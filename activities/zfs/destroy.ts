import type { Tools } from '../door.js';
import { zfsFailure } from './classify.js';
import { type Doomed, destroyCommand, guidsCommand, programCommand } from './destroy-command.js';
import { type Zfs, zfsWords } from './listing.js';

/** Destroys snapshots that were judged. What really went is for the caller to see in a new listing. */

/** The pool stands still while a channel program runs, and so many long names are half of what one command may hold. */
const atOnce = 200;

/** Why some were left, by `dataset@snapshot`. */
export type Left = Map<string, string>;

const nameOf = ({ dataset, snapshot }: Doomed): string => `${dataset}@${snapshot}`;

/** One command for each pool where we are root, else one for each dataset. */
export async function destroySnapshots(tools: Tools, zfs: Zfs, doomed: readonly Doomed[]): Promise<Left> {
  const left: Left = new Map();
  for (const pool of grouped(doomed, ({ dataset }) => dataset.split('/')[0] ?? '')) {
    for (let from = 0; from < pool.length; from += atOnce) {
      const batch = pool.slice(from, from + atOnce);
      if (await byProgram(tools, zfs, batch, left)) continue;
      await byCommands(tools, zfs, pool.slice(from), left);
      break;
    }
  }
  return left;
}

function grouped<T>(things: readonly T[], keyOf: (thing: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const thing of things) {
    const group = groups.get(keyOf(thing));
    if (group) group.push(thing);
    else groups.set(keyOf(thing), [thing]);
  }
  return [...groups.values()];
}

/** False where it cannot be done so: a user with delegated rights, or a ZFS that does not know all of it. */
async function byProgram(tools: Tools, zfs: Zfs, batch: readonly Doomed[], left: Left): Promise<boolean> {
  const { host, signal } = zfs;
  const pool = batch[0]?.dataset.split('/')[0] ?? '';
  const result = await host.run(programCommand(zfsWords(zfs), pool, batch), { signal });
  if (result.exitCode !== 0) {
    tools.log(
      `zfs program: ${result.stderrTail.trim().split('\n')[0]}; the snapshots go one dataset after the other`,
    );
    return false;
  }
  const said = (JSON.parse(result.stdout) as { return?: Record<string, string> }).return ?? {};
  for (const one of batch) {
    const answer = said[nameOf(one)] ?? 'said nothing';
    if (answer !== 'destroyed' && answer !== 'gone') left.set(nameOf(one), whyLeft(answer));
  }
  return true;
}

/** EBUSY stands for a hold, EEXIST for a clone. */
function whyLeft(answer: string): string {
  if (answer === 'other') return 'is another snapshot by now';
  if (answer === 'errno 16') return 'is held';
  return answer === 'errno 17' ? 'has a clone' : answer;
}

async function byCommands(tools: Tools, zfs: Zfs, doomed: readonly Doomed[], left: Left): Promise<void> {
  const batches = grouped(doomed, (one) => one.dataset).flatMap((dataset) =>
    Array.from({ length: Math.ceil(dataset.length / atOnce) }, (_, at) =>
      dataset.slice(at * atOnce, (at + 1) * atOnce),
    ),
  );
  for (const batch of batches) {
    const same = await stillTheSame(zfs, batch, left);
    if (same.length === 0) continue;
    if ((await destroy(tools, zfs, same)) === undefined) continue;
    // One that is held or cloned keeps the whole list from going.
    for (const one of same) {
      const why = same.length > 1 ? await destroy(tools, zfs, [one]) : await whyNot(tools, zfs, one);
      if (why !== undefined) left.set(nameOf(one), why);
    }
  }
}

/** A name that was given to another snapshot since must not go in its place. */
async function stillTheSame(zfs: Zfs, doomed: readonly Doomed[], left: Left): Promise<Doomed[]> {
  const { host, signal } = zfs;
  const { stdout } = await host.run(guidsCommand(zfs.zfs, doomed.map(nameOf)), { signal });
  const guids = new Map(stdout.split('\n').map((line) => line.split('\t') as [string, string]));
  return doomed.filter((one) => {
    const guid = guids.get(nameOf(one));
    if (guid !== undefined && guid !== one.guid) left.set(nameOf(one), whyLeft('other'));
    return guid === one.guid;
  });
}

async function destroy({ log }: Tools, zfs: Zfs, doomed: readonly Doomed[]): Promise<string | undefined> {
  const dataset = doomed[0]?.dataset ?? '';
  const names = doomed.map(({ snapshot }) => snapshot);
  const { host, signal } = zfs;
  const result = await host.run(destroyCommand(zfs.zfs, dataset, names), { signal, log });
  if (result.exitCode === 0) return undefined;
  const failure = zfsFailure(result, `remove snapshots of ${dataset}`, host.name);
  if (failure.code !== 'HF_TOOL_FAILED' && failure.code !== 'HF_DATASET_MISSING') throw failure;
  return result.stderrTail.trim().split('\n')[0]?.slice(0, 200) ?? 'stayed';
}

const whyNot = (tools: Tools, zfs: Zfs, one: Doomed): Promise<string | undefined> =>
  destroy(tools, zfs, [one]);
