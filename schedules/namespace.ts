import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { msToTs, optionalTsToMs } from '@temporalio/common/lib/time.js';
import { HoldfastError } from '../contracts/errors.js';
import { runsKeptMs, searchAttributes } from '../contracts/names.js';
import { asHoldfastError, grpcStatus, statusOf } from './service-errors.js';
import { durationWords } from './words.js';

/** What a namespace needs before anything of ours can run in it. */

/** What was done, and what could not be done but may stay so; both in words. */
export interface NamespaceReport {
  done: string[];
  warnings: string[];
}

/** Makes the namespace, its retention and its search attributes as they must be; does nothing when they are so. */
export async function ensureNamespaceReady(
  connection: Connection,
  namespace: string,
): Promise<NamespaceReport> {
  try {
    const made = await ensureNamespace(connection, namespace);
    const retention = made ? nothing : await ensureRetention(connection, namespace);
    const attributes = await ensureSearchAttributes(connection, namespace);
    return {
      done: [...(made ? [made] : []), ...retention.done, ...attributes.done],
      warnings: [...retention.warnings, ...attributes.warnings],
    };
  } catch (error) {
    throw asHoldfastError(error, `prepare namespace ${namespace}`);
  }
}

const nothing: NamespaceReport = { done: [], warnings: [] };

async function ensureNamespace(connection: Connection, namespace: string): Promise<string | undefined> {
  if (await exists(connection, namespace)) return undefined;
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      description: "Holdfast: a homelab's backups",
      workflowExecutionRetentionPeriod: msToTs(runsKeptMs),
    });
  } catch (error) {
    if (statusOf(error) !== grpcStatus.alreadyExists) {
      throw asHoldfastError(error, `create namespace ${namespace}, which does not exist`);
    }
  }
  // Every part of the server has a list of namespaces of its own, which it renews every few seconds.
  await waitFor(`namespace ${namespace} to be known to the whole server`, () =>
    isUsable(connection, namespace),
  );
  return `namespace ${namespace} created`;
}

async function exists(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } catch (error) {
    if (statusOf(error) === grpcStatus.notFound) return false;
    throw error;
  }
}

async function ensureRetention(connection: Connection, namespace: string): Promise<NamespaceReport> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const presentMs = optionalTsToMs(config?.workflowExecutionRetentionTtl) ?? 0;
  if (presentMs >= runsKeptMs) return nothing;
  const words = `retention of namespace ${namespace} (${durationWords(presentMs)})`;
  try {
    await connection.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: msToTs(runsKeptMs) },
    });
    return { done: [`${words} raised to 90d`], warnings: [] };
  } catch (error) {
    return { done: [], warnings: [refusedWords(error, `raise the ${words} to 90d`)] };
  }
}

/** For what we can live without; a server that is away is never one of these. */
function refusedWords(error: unknown, doing: string): string {
  const refused = asHoldfastError(error, doing);
  if (refused.code === 'HF_TEMPORAL_UNREACHABLE') throw refused;
  return refused.message;
}

/** The server's words for our plain data. */
export const typeNumbers = { KEYWORD: 2, INT: 3, DATETIME: 6 } as const;

type Attributes = [string, keyof typeof typeNumbers][];
export const ours: Attributes = Object.entries(searchAttributes);

async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<NamespaceReport> {
  const present = await listSearchAttributes(connection, namespace);
  if (typeof present === 'string') return { done: [], warnings: [present] };
  const wrong = ours.find(([name, type]) => present.has(name) && present.get(name) !== typeNumbers[type]);
  if (wrong) {
    throw new HoldfastError(
      'HF_TEMPORAL_REFUSED',
      `Search attribute ${wrong[0]} of namespace ${namespace} has another type than ${wrong[1]}: remove it there, or use another namespace`,
    );
  }
  const missing = ours.filter(([name]) => !present.has(name));
  if (missing.length === 0) {
    // Listed is not learned yet: a script of the cluster may have added them a moment ago.
    await untilUsable(connection, namespace, ours);
    return nothing;
  }
  await addSearchAttributes(connection, namespace, missing);
  return { done: [`search attributes added: ${missing.map(([name]) => name).join(', ')}`], warnings: [] };
}

/** Names and types, or why they may not be seen: a hosted cluster can have them all and still not show them. */
export async function listSearchAttributes(connection: Connection, namespace: string) {
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return new Map(Object.entries(customAttributes ?? {}));
  } catch (error) {
    return refusedWords(error, `look at the search attributes of namespace ${namespace}`);
  }
}

async function addSearchAttributes(connection: Connection, namespace: string, missing: Attributes) {
  const names = missing.map(([name]) => name).join(', ');
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, typeNumbers[type]])),
    });
  } catch (error) {
    if (statusOf(error) !== grpcStatus.alreadyExists) {
      throw asHoldfastError(error, `add the search attributes ${names} to namespace ${namespace}`);
    }
  }
  await untilUsable(connection, namespace, missing);
}

const untilUsable = (connection: Connection, namespace: string, attributes: Attributes): Promise<void> =>
  waitFor(`the search attributes of namespace ${namespace}`, () =>
    isUsable(connection, namespace, attributes),
  );

/** A search that names the attributes is refused until the server has learned them. */
async function isUsable(connection: Connection, namespace: string, attributes: Attributes = []) {
  const query = attributes.map(([name]) => `${name} IS NOT NULL`).join(' OR ');
  try {
    await connection.workflowService.listWorkflowExecutions({ namespace, query, pageSize: 1 });
    return true;
  } catch (error) {
    const status = statusOf(error);
    if (status === grpcStatus.notFound || status === grpcStatus.invalidArgument) return false;
    throw error;
  }
}

const waitAttempts = 240;
const waitPauseMs = 250;

async function waitFor(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (let attempts = 0; attempts < waitAttempts; attempts++) {
    if (await condition()) return;
    await pause(waitPauseMs);
  }
  throw new HoldfastError(
    'HF_TEMPORAL_REFUSED',
    `Waited a minute in vain for ${what}; try again in a minute`,
  );
}
