import { resolve } from 'node:path';
import { noteBeside } from '../../activities/restic/note-beside.js';
import { restoreCopy } from '../../activities/restic/restore.js';
import { planRestore } from '../../activities/restic/restore-plan.js';
import { HoldfastError } from '../../contracts/errors.js';
import { parseIdMap } from '../../contracts/id-map.js';
import type { RestoreStepInput } from '../../contracts/jobs.js';
import { namePattern, runId } from '../../contracts/names.js';
import type { Context } from '../context.js';
import { shown } from '../jobs.js';
import { copyId, moment, relativePath } from '../restore-words.js';
import { approve, tell } from './approve.js';
import { type Rescue, type RescueWords, rescueStore } from './open.js';
import { type Found, isOf, newestOfEach, type TaggedCopy, taggedCopies } from './snapshots.js';

/** `rescue restic restore`: plan, the operator's yes bound to it, restore, comparison. The same steps as a run's. */
export async function restoreByHand(context: Context, rescue: Rescue, words: RescueWords): Promise<number> {
  const target = targetOf(words);
  parseIdMap(words.mapIds);
  const found = await taggedCopies(rescue);
  const { job, resource } = chooseResource(found, words);
  const run = runId(`${job}.rescue`, context.now());
  const tools = rescue.toolsFor({ job, resource, target, run });
  const step = stepOf({ job, resource, target, run }, words);
  const plan = await planRestore(tools, step);
  await approve(context, plan, words.yes);
  const copyRun = runOf(found, plan.snapshot);
  const { listing } = found;
  const sparse = await noteBeside(tools, rescueStore, { resource, run: copyRun, listing });
  const report = await restoreCopy(tools, {
    ...step,
    ...(sparse && { sparse }),
    copy: plan.snapshot,
    at: undefined,
    digest: plan.digest,
  });
  return tell(context, run, report, `${report.files} files restored to ${report.target} and verified`);
}

function targetOf({ to }: RescueWords): string {
  if (to === undefined) throw usage('Say where to: --to DIR, a new or empty folder of this machine');
  const target = resolve(to);
  if (target === '/') throw usage('--to takes a new or empty folder, not "/"');
  return target;
}

const usage = (message: string): HoldfastError => new HoldfastError('HF_USAGE', message);

const runOf = ({ copies, parts }: Found, id: string): string =>
  [...copies, ...parts].find(({ snapshot }) => snapshot.id === id)?.run ?? '';

/** The one there is, or the one that was named; a guess would restore the wrong thing. */
function chooseResource(
  { copies: whole, parts }: Found,
  { copyOf, copy }: RescueWords,
): { job: string; resource: string } {
  const named = parts.filter(({ snapshot }) => copy !== undefined && snapshot.id.startsWith(copyId(copy)));
  const copies = named.length > 0 ? named : whole;
  const all = [...new Set(copies.map(({ job, resource }) => `${job}/${resource}`))];
  const found = copies.filter((copy) => copyOf === undefined || isOf(copy, copyOf));
  const names = [...new Set(found.map(({ job, resource }) => `${job}/${resource}`))];
  const [first] = found;
  if (names.length > 1) throw usage(`Say of what: ${names.join(', ')}`.slice(0, 300));
  if (first && namePattern.test(first.job) && namePattern.test(first.resource)) return first;
  const [part] = newestOfEach(parts.filter((one) => copyOf === undefined || isOf(one, copyOf)));
  if (part && !first) throw onlyPart(part);
  const there = all.length > 0 ? `there are ${all.join(', ')}` : 'there are no copies of Holdfast at all';
  throw new HoldfastError(
    'HF_COPY_NOT_FOUND',
    `There is no copy of "${shown(copyOf ?? '')}": ${there}`.slice(0, 300),
    { next: '"holdfast rescue restic snapshots" lists what there is' },
  );
}

/** Never by itself: much may be missing in it, and nobody would see that. */
const onlyPart = ({ job, resource, snapshot }: TaggedCopy): HoldfastError =>
  new HoldfastError(
    'HF_COPY_NOT_FOUND',
    `There is no whole copy of "${shown(`${job}/${resource}`)}": its first upload was not finished. The newest part of it is of ${snapshot.time.slice(0, 19)}`,
    { next: `--copy ${snapshot.id.slice(0, 12)} restores what it holds` },
  );

function stepOf(
  names: Pick<RestoreStepInput, 'job' | 'resource' | 'target' | 'run'>,
  { copy, at, paths, mapIds, compareAttributes }: RescueWords,
): RestoreStepInput {
  if (copy !== undefined && at !== undefined) throw usage('--copy and --at exclude each other');
  return {
    ...names,
    store: rescueStore,
    retryForMs: 0,
    paths: paths.map(relativePath),
    ...(mapIds.length > 0 && { mapIds: [...mapIds] }),
    ...(compareAttributes && { compareAttributes }),
    ...(copy !== undefined && { copy: copyId(copy) }),
    ...(at !== undefined && { at: moment(at) }),
  };
}
