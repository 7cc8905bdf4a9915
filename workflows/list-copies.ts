import { ActivityFailure, proxyActivities, TimeoutFailure } from '@temporalio/workflow';
import { copiesName, type ListCopiesInput, type StoreCopies } from '../contracts/copies.js';
import { hostQueue } from '../contracts/names.js';
import { diagnose, failure } from './steps/failure.js';
import type { HostSteps } from './steps/on-host.js';

/** What is returned is kept in the history. */
const maxCharacters = 15_000;

/** Asks a host which copies its stores hold: one that does not answer is named, and the others are told. */
export async function listCopies(input: ListCopiesInput): Promise<StoreCopies[]> {
  const { host, stores, limit, datasets = [] } = input;
  const { resticListCopies, zfsListCopies } = proxyActivities<HostSteps>({
    taskQueue: hostQueue(host),
    scheduleToStartTimeout: '20s',
    startToCloseTimeout: '1m',
    retry: { maximumAttempts: 1 },
    summary: 'list copies',
  });
  const share = Math.floor(maxCharacters / Math.max(1, stores.length + datasets.length));
  return Promise.all([
    ...stores.map(({ store, resources }) =>
      resticListCopies({ store, resources, limit, maxCharacters: share }).catch((error: unknown) =>
        unread(store, host, error),
      ),
    ),
    ...datasets.map((one) =>
      zfsListCopies({ ...one, limit, maxCharacters: share }).catch((error: unknown) =>
        unread(copiesName(one), host, error),
      ),
    ),
  ]);
}

function unread(store: string, host: string, error: unknown): StoreCopies {
  const timeout = error instanceof ActivityFailure ? error.cause : undefined;
  if (timeout instanceof TimeoutFailure && timeout.timeoutType === 'SCHEDULE_TO_START')
    throw failure('HF_HOST_UNREACHABLE', `No worker of host ${host} answers`);
  const { code, message } = diagnose(error);
  return { store, copies: [], more: 0, error: { code, message: message.slice(0, 300) } };
}
