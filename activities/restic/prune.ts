import { resourceOf, storeOf, workerHostOf } from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { StepInput } from '../../contracts/jobs.js';
import { tags } from '../../contracts/names.js';
import type { PruneReport, PruneStepInput } from '../../contracts/retention.js';
import { now } from '../../system/clock.js';
import type { Tools } from '../door.js';
import { addEvidence, provedCopies, readEvidence } from '../host/evidence.js';
import { forgetVerb, type Keep, planForgetVerb, pruneVerb } from './command.js';
import { copyTags, listSnapshots, openRestic, type Restic, removeStaleLocks, runRestic } from './driver.js';
import { checkHostOf, checkRunOfJob, jobWith, retentionOf } from './job.js';
import { madeBy, otherHosts } from './made-by.js';
import { parseForget, parsePruned, type Snapshot } from './parse.js';
import { countReasons, judgeRetention, type RetentionVerdict } from './retention.js';
import { listParts } from './seed-parts.js';
import { sparseTag, staleNotes } from './sparse-copy.js';
import { resticVersion } from './versions.js';

/** Retention of one job in one store: plan, hold back, forget by id, look again, then free the space. */

interface Retention {
  tools: Tools;
  restic: Restic;
  job: string;
  keep: Keep;
  rpoMs: number | undefined;
  goodElsewhere: Readonly<Record<string, readonly string[]>>;
  /** Everything in the store, before anything was removed. */
  listed: readonly Snapshot[];
}

/** Applies the job's `keep` to all of its resources in this store. */
export async function pruneStore(tools: Tools, input: PruneStepInput): Promise<PruneReport> {
  const { job, store, run } = input;
  const { objective, resources, ...asked } = jobWith(tools.config, { job, store });
  checkRunOfJob(run, job);
  const { keep, maxUnused } = retentionOf(job, asked);
  if (storeOf(tools.config, store).appendOnly) return skipped(tools, store);
  const restic = await openRestic(tools, store, `prune-${job}`);
  await resticVersion(restic);
  await removeStaleLocks(restic);
  const { goodElsewhere = {} } = input;
  // Once for all: nobody else makes or removes copies of the job while the store is leased to us.
  const listed = await listSnapshots(restic, []);
  const retention: Retention = { tools, restic, job, keep, rpoMs: objective.rpo, goodElsewhere, listed };
  const verdicts: Applied[] = [];
  for (const resource of resources) verdicts.push(await applyRetention(retention, resource));
  refuseWhenAllRefuse(store, verdicts);
  const removed = new Set(verdicts.flatMap(({ remove }) => remove));
  await forgetNotes(
    restic,
    // Other machines' notes are theirs to remove.
    listed.filter(({ id, hostname }) => !removed.has(id) && Object.hasOwn(tools.config.hosts, hostname)),
  );
  const bytesFreed = await freeSpace(restic, maxUnused);
  const report = reportOf(store, verdicts);
  await addEvidence(tools.host, {
    kind: 'prune',
    run,
    job,
    store,
    kept: report.kept,
    removed: report.removed,
  });
  return { ...report, bytesFreed };
}

/** Who may write into the store but not delete from it, cannot be made to delete by whoever takes the host over. */
function skipped(tools: Tools, store: string): PruneReport {
  tools.log(`The store "${store}" is append-only: nothing is removed`);
  return { store, kept: 0, removed: 0, bytesFreed: 0, warnings: [], appendOnly: true };
}

function reportOf(store: string, verdicts: readonly Applied[]): Omit<PruneReport, 'bytesFreed'> {
  const reasons: Record<string, number> = {};
  for (const { counts } of verdicts) {
    for (const [reason, count] of Object.entries(counts)) reasons[reason] = (reasons[reason] ?? 0) + count;
  }
  const warnings = verdicts.flatMap((verdict) => [
    ...verdict.warnings,
    ...(verdict.refused ? [`Nothing was removed: ${verdict.refused}`] : []),
  ]);
  return {
    store,
    kept: verdicts.reduce((sum, verdict) => sum + verdict.kept.length, 0),
    removed: verdicts.reduce((sum, verdict) => sum + verdict.remove.length, 0),
    warnings: warnings.slice(0, 20),
    reasons,
  };
}

type Applied = RetentionVerdict & { counts: Record<string, number> };

/** One resource: what may go is forgotten by its id, and the store is asked whether it is really gone. */
async function applyRetention(retention: Retention, resource: string): Promise<Applied> {
  const { restic, job, keep, tools, listed } = retention;
  tools.progress({ phase: `choosing copies of ${resource}` });
  const own = copyTags(job, resource);
  const owner = ownerOf(retention, resource);
  const tagged = listed.filter((snapshot) => own.every((tag) => snapshot.tags.includes(tag)));
  const listing = madeBy(owner, tagged);
  const others = leftToOthers(restic, resource, owner, tagged);
  if (listing.length === 0)
    return leftAlone([], { warnings: [`There is no copy of "${resource}"`, ...others] });
  const good = await goodCopies(retention, resource, listing);
  if (!good) {
    return leftAlone(listing, {
      refused: `which copies of "${resource}" are good is known on "${owner}" alone, and it gave no answer`,
      warnings: others,
    });
  }
  const { result } = await runRestic(restic, planForgetVerb({ host: owner, tags: own, keep }));
  const plan = parseForget(result.stdout);
  const { rpoMs } = retention;
  const verdict = judgeRetention({ resource, listing, plan, good, rpoMs, nowMs: now().getTime() });
  for (const id of verdict.kept) tools.log(`keep ${id}: ${plan.reasons.get(id)?.join(', ') || 'held back'}`);
  for (const id of verdict.remove) tools.log(`remove ${id}: no rule keeps it`);
  if (verdict.remove.length > 0) await forget(restic, own, verdict);
  const isCopied = listing.some(({ id }) => good.has(id));
  if (isCopied && verdict.refused === undefined) await forgetParts(restic, { job, resource }, owner);
  const warnings = [...verdict.warnings, ...others];
  return { ...verdict, warnings, counts: countReasons(verdict.kept, plan.reasons) };
}

/** A machine of its own that uses the same names, or this one before it was renamed: whose they are, only a human can say. */
function leftToOthers(
  { store }: Restic,
  resource: string,
  owner: string,
  tagged: readonly Snapshot[],
): string[] {
  return otherHosts(owner, tagged).map((other) => {
    const count = madeBy(other, tagged).length;
    return `${count} copies of "${resource}" in "${store}" under the same names are of the host "${other}", not of "${owner}": retention leaves them alone`;
  });
}

/** The whole copy holds what they hold: of a file that was deleted since, they would keep the data for ever. */
export async function forgetParts(
  restic: Restic,
  { job, resource }: { job: string; resource: string },
  host: string,
): Promise<void> {
  const remove = madeBy(host, await listParts(restic, { job, resource })).map(({ id }) => id);
  for (const id of remove) restic.log(`remove ${id}: a part of the first upload, which is whole now`);
  if (remove.length > 0) await forget(restic, [tags.part(job, resource)], { remove, kept: [] });
}

/** A few kilobytes each, but one more with each check where sparse files change. */
async function forgetNotes(restic: Restic, left: readonly Snapshot[]): Promise<void> {
  const remove = staleNotes(left);
  for (const id of remove) restic.log(`remove ${id}: a note of sparse files, whose copies are gone`);
  if (remove.length > 0) await forget(restic, [sparseTag], { remove, kept: [] });
}

const leftAlone = (
  listing: readonly Snapshot[],
  why: Partial<Pick<RetentionVerdict, 'refused' | 'warnings'>>,
): Applied => {
  const kept = listing.map(({ id }) => id);
  return { remove: [], kept, warnings: [], counts: countReasons(kept, new Map()), ...why };
};

const ownerOf = ({ tools }: Pick<Retention, 'tools'>, resource: string): string =>
  workerHostOf(tools.config, resourceOf(tools.config, resource).host);

/** What was proved here, or what the host said that backs the resource up; undefined when it said nothing. */
async function goodCopies(
  retention: Retention,
  resource: string,
  listing: readonly Snapshot[],
): Promise<Set<string> | undefined> {
  const { tools, restic, job, goodElsewhere } = retention;
  if (ownerOf(retention, resource) === tools.host.name) {
    const proved = provedCopies(await readEvidence(tools.host), { job, resource, store: restic.store });
    return new Set(proved.map(({ snapshot }) => snapshot));
  }
  const told = Object.hasOwn(goodElsewhere, resource) ? goodElsewhere[resource] : undefined;
  if (!told) return undefined;
  const beginnings = new Set(told);
  return new Set(listing.flatMap(({ id }) => (beginnings.has(id.slice(0, beginningLength)) ? [id] : [])));
}

/** Of an id: the answer of another host goes through a history. */
const beginningLength = 12;
const mostTold = 1000;

/** Asked of the host that backs the resource up: the newest copies that it has proved good. */
export async function tellGoodCopies(tools: Tools, { job, resource, store }: StepInput): Promise<string[]> {
  jobWith(tools.config, { job, resource, store });
  checkHostOf(tools.config, resource, tools.host.name);
  const proved = provedCopies(await readEvidence(tools.host), { job, resource, store });
  return proved.slice(-mostTold).map(({ snapshot }) => snapshot.slice(0, beginningLength));
}

/** restic up to 0.18 ends with 0 when the server refused to delete. */
async function forget(
  restic: Restic,
  own: string[],
  { remove, kept }: Pick<RetentionVerdict, 'remove' | 'kept'>,
): Promise<void> {
  await deleting(restic, () => runRestic(restic, forgetVerb(remove)));
  const left = new Set((await listSnapshots(restic, own)).map(({ id }) => id));
  const stayed = remove.filter((id) => left.has(id));
  const lost = kept.filter((id) => !left.has(id));
  if (lost.length > 0) {
    const message = `${lost.length} copies that must stay in "${restic.store}" are gone (${lost[0]?.slice(0, 8)}, …). Stop all jobs on it and list it with restic`;
    throw new HoldfastError('HF_STORE_DAMAGED', message, { lost });
  }
  if (stayed.length === 0) return;
  throw refusesToDelete(restic, `${stayed.length} of ${remove.length} copies are still there`);
}

/** A server that takes copies and deletes none is one that was made so, more often than one with a wrong key. */
async function deleting<T>(restic: Restic, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'HF_STORE_DENIED') throw error;
    restic.log(error.message);
    throw refusesToDelete(restic, 'nothing of it was removed');
  }
}

const refusesToDelete = ({ store }: Restic, what: string): HoldfastError =>
  new HoldfastError(
    'HF_STORE_DENIED',
    `The store "${store}" refuses to delete: ${what}. If it is append-only on purpose, set "appendOnly: true" in stores.${store}.restic; else look at what its key may do`,
    { store },
  );

async function freeSpace(restic: Restic, maxUnused: string): Promise<number> {
  restic.progress({ phase: 'freeing space' });
  const { result } = await deleting(restic, () => runRestic(restic, pruneVerb(maxUnused)));
  return parsePruned(result.stdout);
}

/** With nothing that may be done for any resource, the run must not look like retention that worked. */
function refuseWhenAllRefuse(store: string, verdicts: readonly RetentionVerdict[]): void {
  const [first] = verdicts;
  if (!first?.refused || !verdicts.every(({ refused }) => refused !== undefined)) return;
  throw new HoldfastError(
    'HF_NOTHING_TO_DO',
    `Retention in "${store}" was refused: ${first.refused}`.slice(0, 300),
  );
}
