import type { Connection } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { runsKeptMs } from '../contracts/names.js';
import { listSearchAttributes, ours, typeNumbers } from './namespace.js';
import { asHoldfastError, grpcStatus, statusOf } from './service-errors.js';

/** What `ensureNamespaceReady` would have to do; only looks. */
export interface NamespaceState {
  exists: boolean;
  serverVersion: string;
  retention: { presentMs: number; wantedMs: number };
  /** Names; `refused` is why they may not be seen. */
  attributes: { missing: string[]; wrong: string[]; refused?: string };
}

/** Says what is, so that the caller may look without the right to change. */
export async function inspectNamespace(connection: Connection, namespace: string): Promise<NamespaceState> {
  try {
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    const described = await describe(connection, namespace);
    return {
      exists: described !== undefined,
      serverVersion: serverVersion ?? '',
      retention: {
        presentMs: optionalTsToMs(described?.config?.workflowExecutionRetentionTtl) ?? 0,
        wantedMs: runsKeptMs,
      },
      attributes: described ? await inspectAttributes(connection, namespace) : { missing: [], wrong: [] },
    };
  } catch (error) {
    throw asHoldfastError(error, `look at namespace ${namespace}`);
  }
}

async function describe(connection: Connection, namespace: string) {
  try {
    return await connection.workflowService.describeNamespace({ namespace });
  } catch (error) {
    if (statusOf(error) === grpcStatus.notFound) return undefined;
    throw error;
  }
}

async function inspectAttributes(
  connection: Connection,
  namespace: string,
): Promise<NamespaceState['attributes']> {
  const present = await listSearchAttributes(connection, namespace);
  if (typeof present === 'string') return { missing: [], wrong: [], refused: present };
  return {
    missing: ours.filter(([name]) => !present.has(name)).map(([name]) => name),
    wrong: ours
      .filter(([name, type]) => present.has(name) && present.get(name) !== typeNumbers[type])
      .map(([name]) => name),
  };
}
