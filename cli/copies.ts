import { randomUUID } from 'node:crypto';
import { storesOf, workerHostOf } from '../config/lookup.js';
import { suggestion } from '../config/mistakes.js';
import type { Config } from '../config/schema.js';
import {
  copiesName,
  type DatasetCopies,
  type ListCopiesInput,
  type StoreCopies,
} from '../contracts/copies.js';
import { HoldfastError } from '../contracts/errors.js';
import { copiesLeases, leaseId, parseRunId, workflowQueue, workflowTypes } from '../contracts/names.js';
import type { Context, Temporal } from './context.js';
import { type CopiesAnswer, copiesLines } from './copies-view.js';
import { exitCodes } from './exit-codes.js';
import { describeFailure, type Failure } from './fail.js';
import { findHost, findStore, shown, workerOfResource } from './jobs.js';
import { hasWorker } from './look.js';

/** What was typed. */
export interface CopiesWords {
  resource: string | undefined;
  store: string | undefined;
  host: string | undefined;
  limit: number;
}

const answerWithinMs = 90_000;

/** `copies`: asks each host that knows, and shows what the stores answer. */
export async function printCopies(context: Context, words: CopiesWords): Promise<number> {
  const questions = copiesQuestions(await context.config(), words);
  const temporal = await context.temporal();
  const answers = await askAll(questions, (question) => ask(context, temporal, question));
  const stores = await Promise.all(answers.map((answer) => withHolder(temporal, answer)));
  if (context.json) context.out(JSON.stringify({ stores }, null, 2));
  else for (const line of copiesLines(context, stores)) context.out(line);
  const unread = stores.filter(({ error }) => error !== undefined).length;
  if (unread === 0) return exitCodes.done;
  return unread === stores.length ? exitCodes.failed : exitCodes.warnings;
}

/** Which host is asked for which resources in which stores. Pure. */
export function copiesQuestions(config: Config, words: CopiesWords): ListCopiesInput[] {
  checkWords(config, words);
  const wanted = Object.values(config.jobs)
    .filter(({ kind }) => kind === 'restic-backup')
    .flatMap((job) =>
      job.resources.flatMap((resource) => storesOf(job).map((store) => ({ resource, store }))),
    )
    .filter(({ resource }) => words.resource === undefined || resource === words.resource)
    .filter(({ store }) => words.store === undefined || store === words.store);
  const datasets = datasetCopies(config, words);
  if (wanted.length === 0 && datasets.length === 0) {
    const next = 'Look at "jobs" in holdfast.yaml';
    throw new HoldfastError('HF_RUN_NOT_FOUND', 'No job keeps this in a store', { next });
  }
  const named = words.host === undefined ? undefined : workerHostOf(config, words.host);
  const hostOf = ({ resource }: { resource: string }): string => named ?? workerOfResource(config, resource);
  const byHost = groupBy(wanted, hostOf);
  const datasetsByHost = groupBy(datasets, hostOf);
  return [...new Set([...byHost.keys(), ...datasetsByHost.keys()])].map((host) => {
    const own = datasetsByHost.get(host);
    return {
      host,
      stores: [...groupBy(byHost.get(host) ?? [], ({ store }) => store)].map(([store, all]) => ({
        store,
        resources: [...new Set(all.map(({ resource }) => resource))],
      })),
      limit: words.limit,
      ...(own && { datasets: own }),
    };
  });
}

/** Snapshots on their own pools, and replicas; with a store only those there. */
function datasetCopies(config: Config, { resource: only, store: from }: CopiesWords): DatasetCopies[] {
  return Object.entries(config.jobs).flatMap(([name, job]): DatasetCopies[] => {
    const wanted = job.resources.filter((resource) => only === undefined || resource === only);
    if (job.kind === 'zfs-snapshot' && from === undefined)
      return wanted.map((resource) => ({ job: name, resource }));
    if (job.kind !== 'zfs-replication') return [];
    const stores = storesOf(job).filter((store) => from === undefined || store === from);
    return wanted.flatMap((resource) => stores.map((store) => ({ job: name, resource, store })));
  });
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function checkWords(config: Config, { resource, store, host }: CopiesWords): void {
  if (store !== undefined) findStore(config, store);
  if (host !== undefined) findHost(config, host);
  if (resource === undefined || Object.hasOwn(config.resources, resource)) return;
  const near = suggestion(resource, Object.keys(config.resources));
  throw new HoldfastError('HF_RUN_NOT_FOUND', `There is no resource "${shown(resource)}"${near}`, {
    next: 'Look at "resources" in holdfast.yaml',
  });
}

type Ask = (question: ListCopiesInput) => Promise<StoreCopies[]>;

/** A host that is away is named beside what the others answered; where none answered there is nothing to show. */
export async function askAll(questions: readonly ListCopiesInput[], ask: Ask): Promise<StoreCopies[]> {
  const answers = await Promise.allSettled(questions.map(ask));
  const silent = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  const grave = silent.find((reason) => describeFailure(reason).code !== 'HF_HOST_UNREACHABLE');
  if (grave !== undefined) throw grave;
  if (silent.length === answers.length) throw silent[0];
  return answers.flatMap((answer, index) => {
    const question = questions[index];
    if (answer.status === 'fulfilled') return answer.value;
    return question ? notAsked(question, describeFailure(answer.reason)) : [];
  });
}

function notAsked({ stores, datasets = [] }: ListCopiesInput, { code, message }: Failure): StoreCopies[] {
  const names = [...stores.map(({ store }) => store), ...datasets.map(copiesName)];
  return names.map((store) => ({ store, copies: [], more: 0, error: { code, message } }));
}

async function ask(context: Context, temporal: Temporal, question: ListCopiesInput): Promise<StoreCopies[]> {
  const { host } = question;
  if ((await hasWorker(temporal, host, context.now())) === false)
    throw new HoldfastError(
      'HF_HOST_UNREACHABLE',
      `No worker of host ${host} answers, and it reads the stores`,
      {
        next: `Start "holdfast worker --host ${host}" there, or ask another host's worker with --host NAME`,
      },
    );
  return temporal.client.workflow.execute<(input: ListCopiesInput) => Promise<StoreCopies[]>>(
    workflowTypes.listCopies,
    {
      workflowId: `copies-${randomUUID()}`,
      taskQueue: workflowQueue,
      args: [question],
      workflowExecutionTimeout: answerWithinMs,
    },
  );
}

/** An open restore holds retention of its store: whoever has one of the leases is said. */
async function withHolder(temporal: Temporal, answer: StoreCopies): Promise<CopiesAnswer> {
  const holders = await Promise.all(copiesLeases(answer.store).map((lease) => holderOf(temporal, lease)));
  const heldBy = holders.find((run) => run !== undefined && parseRunId(run)?.operation === 'restore');
  return { ...answer, ...(heldBy !== undefined && { heldBy }) };
}

async function holderOf(temporal: Temporal, lease: string): Promise<string | undefined> {
  const handle = temporal.client.workflow.getHandle(leaseId(lease));
  const held = await handle.describe().catch(() => undefined);
  if (held?.status.name !== 'RUNNING') return undefined;
  return held.raw.workflowExecutionInfo?.parentExecution?.workflowId ?? undefined;
}
