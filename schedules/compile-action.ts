import type { Action, ActionName } from '../config/actions.js';
import { jobOf, replicaStoreOf, storesOf, workerHostOf } from '../config/lookup.js';
import type { Config, JobConfig } from '../config/schema.js';
import type { ActionInput } from '../contracts/actions.js';
import { workflowQueue, workflowTypes } from '../contracts/names.js';
import { dayMs, limitsOf, sourceOf, streamLimits, toolOf } from './compile.js';
import { notifyOf } from './notify-routes.js';
import type { CompiledRun } from './types.js';
import { clipBytes, listWords } from './words.js';

export const typeOfAction: Record<ActionName, string> = {
  park: workflowTypes.parkReplicas,
  undelete: workflowTypes.repairSnapraid,
  'replace-disk': workflowTypes.repairSnapraid,
  'rebuild-parity': workflowTypes.repairSnapraid,
  'roll-back': workflowTypes.rollBackReplicas,
  'release-leftovers': workflowTypes.releaseLeftovers,
  failover: workflowTypes.failOver,
  failback: workflowTypes.failBack,
};

const changesSides: ReadonlySet<ActionName> = new Set<ActionName>(['failover', 'failback']);

export type CompiledAction = Omit<CompiledRun, 'args'> & { args: [ActionInput] };

/** One run of a job's by-hand procedure, from the configuration and what was set on the command line. Pure. */
export function compileAction(
  config: Config,
  jobName: string,
  { name, summary }: Action,
  { settings, planOnly }: Pick<ActionInput, 'settings' | 'planOnly'>,
): CompiledAction {
  const job = jobOf(config, jobName);
  const sources = job.resources.map((resource) => sourceOf(config, job, resource));
  const limits = limitsOf(config, job);
  return {
    workflowType: typeOfAction[name],
    name: `${jobName}.${name}`,
    args: [
      {
        job: jobName,
        action: name,
        settings,
        sources,
        stores: storesOf(job),
        limits,
        ...(planOnly && { planOnly }),
        ...notifyOf(config, jobName),
        ...(job.kind === 'zfs-replication' && {
          ...streamLimits(config, job),
          storeHosts: storeHostsOf(config, job),
        }),
      },
    ],
    taskQueue: workflowQueue,
    searchAttributes: {
      HfJob: jobName,
      HfOperation: name,
      HfHost: sources[0]?.host,
      HfTool: toolOf[job.kind],
      // Which replica is in use is told by what was done, never by what was only planned.
      ...(changesSides.has(name) && !planOnly && { HfCovers: settings.store ?? storesOf(job)[0] }),
    },
    memo: {},
    staticSummary: clipBytes(`${name} of ${listWords(job.resources, 5)} (${jobName})`, 200),
    staticDetails: `**${jobName}**, by hand: ${summary}`,
    // A question may wait for a day.
    executionTimeoutMs: limits.giveUpAfterMs + 2 * dayMs,
  };
}

/** A replica may have to take over from a machine that is gone: then its own host does the work. */
const storeHostsOf = (config: Config, job: JobConfig): Record<string, string> =>
  Object.fromEntries(
    storesOf(job).map((store) => [store, workerHostOf(config, replicaStoreOf(config, store).host)]),
  );
