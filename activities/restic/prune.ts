import { resourceOf, workerHostOf } from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { PruneReport, StepInput } from '../../contracts/jobs.js';
import { now } from '../../system/clock.js';
import type { Tools } from '../door.js';
import { addEvidence, provedCopies, readEvidence } from '../host/evidence.js';
import { forgetVerb, type Keep, planForgetVerb, pruneVerb } from './command.js';
import { copyTags, listSnapshots, openRestic, type Restic, removeStaleLocks, runRestic } from './driver.js';
import { checkRunOfJob, jobWith } from './job.js';
import { parseForget, parsePruned } from './parse.js';
import { judgeRetention, type RetentionVerdict } from './retention.js';

/** Retention of one job in one store: plan, hold back, forget by id, look again, then free the space. */

interface Retention {
  tools: Tools;
  restic: Restic;
  job: string;
  keep: Keep;
  rpoMs: number | undefined;
}

/** Applies the job's `keep` to all of its resources in this store. */
export async function pruneStore(tools: Tools, input: StepInput): Promise<PruneReport> {
  const { job, store, run } = input;
  const { keep, prune, objective, resources } = jobWith(tools.config, { job, store });
  checkRunOfJob(run, job);
  if (!keep)
    throw new HoldfastError('HF_NOTHING_TO_DO', `The job "${job}" has no "keep": nothing is ever removed`);
  const restic = await openRestic(tools, store, `prune-${job}`);
  await removeStaleLocks(restic);
  const retention: Retention = { tools, restic, job, keep, rpoMs: objective.rpo };
  const verdicts: RetentionVerdict[] = [];
  for (const resource of resources) verdicts.push(await applyRetention(retention, resource));
  refuseWhenAllRefuse(store, verdicts);
  const bytesFreed = await freeSpace(restic, prune?.maxUnused ?? '5%');
  const kept = verdicts.reduce((sum, verdict) => sum + verdict.kept.length, 0);
  const removed = verdicts.reduce((sum, verdict) => sum + verdict.remove.length, 0);
  await addEvidence(tools.host, { kind: 'prune', run, job, store, kept, removed });
  const warnings = verdicts.flatMap((verdict) => [
    ...verdict.warnings,
    ...(verdict.refused ? [`Nothing was removed: ${verdict.refused}`] : []),
  ]);
  return { store, kept, removed, bytesFreed, warnings: warnings.slice(0, 20) };
}

/** One resource: what may go is forgotten by its id, and the store is asked whether it is really gone. */
async function applyRetention(retention: Retention, resource: string): Promise<RetentionVerdict> {
  const { restic, job, keep, tools } = retention;
  tools.progress({ phase: `choosing copies of ${resource}` });
  const own = copyTags(job, resource);
  const listing = await listSnapshots(restic, own);
  if (listing.length === 0) return { remove: [], kept: [], warnings: [`There is no copy of "${resource}"`] };
  const { result } = await runRestic(restic, planForgetVerb(own, keep));
  const plan = parseForget(result.stdout);
  const good = await goodCopies(retention, resource);
  const { rpoMs } = retention;
  const verdict = judgeRetention({ resource, listing, plan, good, rpoMs, nowMs: now().getTime() });
  for (const id of verdict.kept) tools.log(`keep ${id}: ${plan.reasons.get(id)?.join(', ') || 'held back'}`);
  for (const id of verdict.remove) tools.log(`remove ${id}: no rule keeps it`);
  if (verdict.remove.length > 0) await forget(restic, own, verdict);
  return verdict;
}

/** What was proved here; copies of a resource of another host were proved there, and that is not known on this one. */
async function goodCopies(
  { tools, restic, job }: Retention,
  resource: string,
): Promise<Set<string> | undefined> {
  const owner = workerHostOf(tools.config, resourceOf(tools.config, resource).host);
  if (owner !== tools.host.name) return undefined;
  const proved = provedCopies(await readEvidence(tools.host), { job, resource, store: restic.store });
  return new Set(proved.map(({ snapshot }) => snapshot));
}

/** restic up to 0.18 ends with 0 when the server refused to delete. */
async function forget(restic: Restic, own: string[], { remove, kept }: RetentionVerdict): Promise<void> {
  await runRestic(restic, forgetVerb(remove));
  const left = new Set((await listSnapshots(restic, own)).map(({ id }) => id));
  const stayed = remove.filter((id) => left.has(id));
  const lost = kept.filter((id) => !left.has(id));
  if (lost.length > 0) {
    const message = `${lost.length} copies that must stay in "${restic.store}" are gone (${lost[0]?.slice(0, 8)}, …). Stop all jobs on it and list it with restic`;
    throw new HoldfastError('HF_STORE_DAMAGED', message, { lost });
  }
  if (stayed.length === 0) return;
  const message = `The store "${restic.store}" did not remove ${stayed.length} of ${remove.length} copies. Look at what its key may do: deleting must be allowed for retention`;
  throw new HoldfastError('HF_STORE_DENIED', message, { stayed });
}

async function freeSpace(restic: Restic, maxUnused: string): Promise<number> {
  restic.progress({ phase: 'freeing space' });
  const { result } = await runRestic(restic, pruneVerb(maxUnused));
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
