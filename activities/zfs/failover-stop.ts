import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverPlan, FailoverStepInput, StoppedSide } from '../../contracts/failover.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { markUndone, openUndos, recordFormerState } from '../host/undo.js';
import { othersWithHooks, runFailoverHooks, undoFailoverHooks } from './failover-hooks.js';
import { openFailover } from './failover-job.js';
import { lookForFailover } from './failover-look.js';
import { planFailover } from './failover-plan.js';
import { listTrees, type Zfs } from './listing.js';
import { type Role, roleOf } from './role.js';
import { ensureSnapshots } from './snapshot.js';
import { standBy, standUp } from './stand-by.js';

/** The first half of a failover whose source lives: its writers are stopped, it stands by, its last state is kept. All of it can be undone. */

/** By it the journal of former states knows what to put back. */
export const failoverKind = 'failover';
export const whatOf = ({ resource, store }: Pick<FailoverStepInput, 'resource' | 'store'>): string =>
  `${failoverKind}:${resource}.${store}`;

/** The journal's name for the same from the moment on in which the replica may be taking over. */
export const takeOverOf = (input: Pick<FailoverStepInput, 'resource' | 'store'>): string =>
  `${whatOf(input)}${takeOver}`;
const takeOver = ':take-over';

/** No other part of the run waits for it with the programs: they are given back with what this run can still put back itself. */
export const cutFormer = ({ hooks, ...former }: Record<string, unknown>): Record<string, unknown> => ({
  ...former,
  hooksToo: hooks === true,
});

export const lastSnapshotPattern = 'holdfast_failover_{time}';

export async function planFailoverStep(tools: Tools, input: FailoverStepInput): Promise<FailoverPlan> {
  const { facts } = await lookForFailover(tools, input);
  const { plan } = planFailover(facts);
  for (const line of plan.lines) tools.log(line);
  return plan;
}

/** Asked again right before anything is done: the yes was for what was shown, and for nothing else. */
export async function checkApproved(tools: Tools, input: FailoverStepInput) {
  const look = await lookForFailover(tools, input);
  const planned = planFailover(look.facts);
  if (planned.plan.digest === input.digest) return { ...look, ...planned };
  throw new HoldfastError(
    'HF_NOT_APPROVED',
    `What was approved for ${input.run} is not how things are now: ${look.facts.sourceRoot} or its replica has changed. Nothing was changed; start it again and look at the new plan`.slice(
      0,
      300,
    ),
  );
}

export async function stopSource(tools: Tools, input: FailoverStepInput): Promise<StoppedSide> {
  const { host, run } = tools;
  const { source, sourceRoot, job, selection } = openFailover(tools, input);
  const role: Role = { kind: 'standby', run, store: input.store };
  const [open] = await openUndos(host, run).then((all) => all.filter(({ what }) => what === whatOf(input)));
  // An earlier attempt of this run has begun: what it changed is not what was shown.
  if (!open) await checkApproved(tools, input);
  const part = { kind: failoverKind, what: whatOf(input) };
  const former = {
    job: input.job,
    resource: input.resource,
    store: input.store,
    hooks: input.withHooks === true || (await othersWithHooks(host, run, part)),
  };
  await recordFormerState(host, run, part.what, former);
  if (input.withHooks) await runFailoverHooks(tools, source, job.failover.stop);
  tools.progress({ phase: 'making the source stand by' });
  await standBy(source, sourceRoot, role, tools.log);
  tools.progress({ phase: 'taking the last snapshot' });
  const wanted = { job: input.job, run, pattern: lastSnapshotPattern, resources: [selection] };
  const plan = await ensureSnapshots({ ...tools, host: source.host }, source, wanted, { mayStandBy: true });
  return { snapshot: plan.name, warnings: [] };
}

/** Undoes `stopSource`, unless the replica has become the one in use meanwhile: then two sides could be written to. */
export async function putSourceBack(tools: Tools, input: FailoverStepInput): Promise<{ putBack: boolean }> {
  const { host, run, config } = tools;
  openFailover(tools, input);
  const [open] = (await openUndos(host, run)).filter(({ what }) => what === whatOf(input));
  if (!open) return { putBack: false };
  await putBackFailover(
    () => config,
    (name) => machineOf(tools, name),
  )(host, open.what, open.former, run);
  await markUndone(host, run, open.what);
  return { putBack: true };
}

const machineOf = ({ host, machine }: Pick<Tools, 'host' | 'machine'>, name: string): Host => {
  if (name === host.name) return host;
  if (machine) return machine(name);
  throw new HoldfastError('HF_INTERNAL', `"${name}" cannot be reached from here`);
};

/** For the journal as well, when a run ended without its own clean-up. Safe to do twice. */
export const putBackFailover =
  (config: () => Config, machine: (name: string) => Host) =>
  async (host: Host, what: string, former: Record<string, unknown>, run: string): Promise<void> => {
    const input = {
      job: String(former.job),
      run,
      resource: String(former.resource),
      store: String(former.store),
      retryForMs: 0,
      settings: {},
    };
    const { signal } = new AbortController();
    const tools = {
      host,
      machine,
      config: config(),
      run,
      attempt: 1,
      signal,
      progress: () => undefined,
      log: () => undefined,
    };
    const { source, target, sourceRoot, targetRoot, job } = openFailover(tools, input);
    const replica = roleOf((await listed(target, targetRoot)).get(targetRoot));
    // Once it has been touched the source is one of a failback's two sides, for which that answers.
    if (replica?.kind === 'promoted' || (replica && what.endsWith(takeOver))) return;
    const own = roleOf((await listed(source, sourceRoot)).get(sourceRoot));
    const isOwn = own?.kind === 'standby' && own.run === run;
    // By now it stands by for a later run, which has stopped the programs as well.
    if (own && !isOwn) return;
    if (isOwn) await standUp(source, sourceRoot, tools.log);
    if (former.hooks !== true && former.hooksToo !== true) return;
    if (await othersWithHooks(host, run, { kind: failoverKind, what })) return;
    await undoFailoverHooks(tools, source, job.failover.stop);
  };

const listed = (zfs: Zfs, root: string) =>
  listTrees(zfs, { roots: [root], depth: 0, types: ['filesystem', 'volume'] });
