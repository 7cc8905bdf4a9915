import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverStepInput, StoppedSide } from '../../contracts/failover.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { markUndone, openUndos, recordFormerState } from '../host/undo.js';
import { giveBackLeft, isFinish } from './failback-give.js';
import { backStep } from './failback-look.js';
import { lastPattern, snapshotReplica } from './failback-ready.js';
import { othersWithHooks, runFailoverHooks, undoFailoverHooks } from './failover-hooks.js';
import { openFailover } from './failover-job.js';
import { rootOf } from './listing.js';
import { openReplication } from './replicate-job.js';
import { type Role, roleOf } from './role.js';
import { standBy, standUp } from './stand-by.js';

/** The side in use stops for the change: its programs, then every writer. Until the other side is in use, all of it can be undone. */

export const failbackKind = 'failback';
export const backOf = ({ resource, store }: Pick<FailoverStepInput, 'resource' | 'store'>): string =>
  `${failbackKind}:${resource}.${store}`;

export async function stopReplica(tools: Tools, input: FailoverStepInput): Promise<StoppedSide> {
  const { host, run } = tools;
  const { target, targetRoot, job } = openFailover(tools, input);
  const role = roleOf(await rootOf(target, targetRoot));
  const own = role?.kind === 'standby' && role.run === run;
  if (role?.kind !== 'promoted' && !own)
    throw new HoldfastError(
      'HF_FAILOVER_REFUSED',
      `${targetRoot} is not the one in use any more. Nothing was changed`,
    );
  const part = { kind: failbackKind, what: backOf(input) };
  const former = {
    job: input.job,
    resource: input.resource,
    store: input.store,
    hooks: input.withHooks === true || (await othersWithHooks(host, run, part)),
    promotedBy: role.run,
  };
  await recordFormerState(host, run, part.what, former);
  const warnings = input.withHooks ? await undoFailoverHooks(tools, target, job.failover.start) : [];
  tools.progress({ phase: 'making the replica stand by' });
  await standBy(target, targetRoot, { kind: 'standby', run, store: input.store }, tools.log);
  const replication = await openReplication(tools, backStep(input));
  return { snapshot: await snapshotReplica(tools, input, replication, lastPattern), warnings };
}

/** Undoes `stopReplica`, unless the other side has become the one in use meanwhile. */
export async function resumeReplica(tools: Tools, input: FailoverStepInput): Promise<{ resumed: boolean }> {
  const { host, run, config, machine = () => host } = tools;
  openFailover(tools, input);
  const [open] = (await openUndos(host, run)).filter(({ what }) => what === backOf(input));
  if (!open) return { resumed: false };
  await putBackFailback(() => config, machine)(host, open.what, open.former, run);
  await markUndone(host, run, open.what);
  return { resumed: true };
}

/** For the journal as well, when a run ended without its own clean-up. Safe to do twice. */
export const putBackFailback =
  (config: () => Config, machine: (name: string) => Host) =>
  async (host: Host, what: string, former: Record<string, unknown>, run: string): Promise<void> => {
    const [job, resource, store] = [String(former.job), String(former.resource), String(former.store)];
    const { signal } = new AbortController();
    const quiet = () => undefined;
    const tools = { host, machine, config: config(), run, attempt: 1, signal, progress: quiet, log: quiet };
    if (isFinish(what)) return giveBackLeft(tools, what, former);
    const {
      target,
      targetRoot,
      job: found,
    } = openFailover(tools, { job, run, resource, store, retryForMs: 0, settings: {} });
    const role = roleOf(await rootOf(target, targetRoot));
    const promoted: Role = { kind: 'promoted', run: String(former.promotedBy), store };
    if (role?.kind === 'standby' && role.run === run) await standUp(target, targetRoot, quiet, promoted);
    if (former.hooks !== true || (await othersWithHooks(host, run, { kind: failbackKind, what }))) return;
    await runFailoverHooks(tools, target, found.failover.start);
  };
