import { createHash } from 'node:crypto';
import { HoldfastError } from '../../contracts/errors.js';
import type {
  SnapraidBadBlocks,
  SnapraidRepairInput,
  SnapraidRepairReport,
} from '../../contracts/snapraid.js';
import { addEvidence } from '../host/evidence.js';
import type { SnapArray } from './array.js';
import { askStatus } from './ask.js';
import { check } from './check.js';
import { guardDisks } from './guard.js';
import { guardParity } from './guard-parity.js';
import { refuseDaemon } from './others.js';
import type { ArrayStatus } from './parse-status.js';
import { parseWork, type WorkEnd } from './parse-work.js';
import { failing, stopped, wasStopped } from './sync-verdict.js';
import { work } from './work.js';

/** Bad blocks: which they are, and their repair. */

/** Reads the files that have bad blocks, and changes nothing: what `fix -e` would do. */
export async function planRepair(array: SnapArray, status: ArrayStatus): Promise<SnapraidBadBlocks> {
  const { bad, badFrom, badTo, badBlocks } = status;
  if (bad === 0) return { bad, files: [], digest: digestOf([]) };
  const end = await check(array, { bad: true }, { verbose: true });
  if (end.ioErrors > 0) throw failing(end, array.tools.host.name);
  // Those that are right again are named too: a repair that was killed half way must not look like one of other blocks.
  const files = Object.values(end.files).flat().sort();
  return { bad, files: wordsOf(end).slice(0, 20), digest: digestOf([bad, badFrom, badTo, badBlocks, files]) };
}

const digestOf = (what: unknown[]): string => createHash('sha256').update(JSON.stringify(what)).digest('hex');

/** What cannot be repaired comes first; else by name, because a tool's order is one of the disk. */
function wordsOf({ files, troubles, troubledFiles }: WorkEnd): string[] {
  const judged = new Set([...files.unrecoverable, ...files.recoverable]);
  return [
    ...files.unrecoverable.toSorted().map((file) => `cannot be repaired: ${file}`),
    ...files.recoverable.toSorted().map((file) => `can be repaired: ${file}`),
    ...troubles.filter((_, at) => !judged.has(troubledFiles[at] ?? '')),
  ];
}

/** Writes what is bad anew from parity, when it is still just what was approved. */
export async function repairBad(
  array: SnapArray,
  { digest }: SnapraidRepairInput,
): Promise<SnapraidRepairReport> {
  await refuseDaemon(array);
  await guardDisks(array);
  const { tools, input } = array;
  const { run, resource } = input;
  const status = await askStatus(array);
  // It would make one that is gone anew, without its content: as long as it must be, and never noticed again.
  await guardParity(array, status);
  const plan = await planRepair(array, status);
  // A retry whose work is done, or bad blocks that somebody else has repaired.
  if (plan.bad === 0) return { resource, repaired: 0, unrecoverable: 0, files: [] };
  if (plan.digest !== digest) return { resource, repaired: 0, unrecoverable: 0, files: [], changed: plan };
  const { lines, result } = await work(array, { verb: 'fix', what: { bad: true } });
  const end = parseWork('fix', lines);
  if (wasStopped(end, result)) throw stopped(array, 'repair');
  const files = [...end.files.unrecoverable, ...end.files.recovered].slice(0, 20);
  for (const file of files) tools.log(`fix: ${file}`);
  if (result.exitCode !== 0 || end.unrecoverable > 0 || end.exit === undefined)
    throw new HoldfastError(
      'HF_ARRAY_DAMAGED',
      `${end.unrecoverable} errors of "${resource}" cannot be repaired: ${end.files.unrecoverable.slice(0, 3).join(', ')}`.slice(
        0,
        300,
      ),
    );
  const done = { repaired: end.recovered, unrecoverable: end.unrecoverable };
  await addEvidence(tools.host, { kind: 'array-repaired', run, resource, ...done });
  return { resource, ...done, files };
}
