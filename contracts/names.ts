import type { NotifyEvent } from './notify.js';

/** Every name that two rooms must agree on is made here and nowhere else. */

/** What jobs, hosts, stores and resources may be called: the names go into workflow ids, tags and queues. */
export const namePattern = /^[a-z0-9-]{1,63}$/;

/** ZFS takes letters, digits and - _ . : and spaces; a name may not begin with "-", which would be an option. */
export const datasetForm = /^[a-zA-Z][a-zA-Z0-9_.: -]*(\/[a-zA-Z0-9_.:][a-zA-Z0-9_.: -]*)*$/;

/** The queue of the orchestrator: workflows only. */
export const workflowQueue = 'holdfast';

/** The queue of a host for short questions (look, list, inspect). */
export const hostQueue = (host: string): string => `host.${host}`;

/** The queue of a host for transfers, checks and restores: its slots are the concurrency limit. */
export const heavyQueue = (host: string): string => `host.${host}.heavy`;

/** The queue of a host for streams whose number their pools limit: see streamLeases. */
export const transferQueue = (host: string): string => `host.${host}.transfers`;

/** `2026-11-20T03:30:00Z`: the form in which Temporal appends the nominal time to a schedule's workflow ids. */
export const utcSeconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

/** The main operation goes by the job's name alone. */
export const operationName = (job: string, operation: string, main: string): string =>
  operation === main ? job : `${job}.${operation}`;

/** The first upload to a store has runs of its own, beside those of the job. */
const seedPrefix = 'seed-';
export const seedOperation = (store: string): string => `${seedPrefix}${store}`;
/** Which store a run uploads to for the first time; undefined for any other run. */
export const seededStore = (operation: string | undefined): string | undefined =>
  operation?.startsWith(seedPrefix) ? operation.slice(seedPrefix.length) : undefined;

/** RUN: workflow id, restic tag, ZFS property and note in one. `name` is what `operationName` gave. */
export const runId = (name: string, time: Date): string => `${name}-${utcSeconds(time)}`;

/**
 * One message through one channel. Temporal starts a workflow of one id once: an event of a run is told once, and a question that is asked
 * again is told again when what it is about has changed.
 */
export const notificationId = (run: string, channel: string, event: string, digest = ''): string =>
  `notify-${run}-${channel}-${event}${digest && `-${digest.slice(0, 16)}`}`;

const runIdForm = /^([a-z0-9-]{1,63})(?:\.([a-z0-9-]+))?-(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)$/;

/** Takes a RUN apart; undefined for anything that is not one (a lease, another tool's workflow). */
export function parseRunId(run: string): { job: string; operation?: string; time: string } | undefined {
  const [, job, operation, time] = runIdForm.exec(run) ?? [];
  return job && time ? { job, operation, time } : undefined;
}

export const watchOperation = 'returned';
/** What waits for the return of a dead source has a RUN of its own: of the moment of the failover that started it. */
export function watchRun(failover: string): string {
  const { job = '', time = '' } = parseRunId(failover) ?? {};
  return `${operationName(job, watchOperation, '')}-${time}`;
}

const notificationForm =
  /^notify-(by-hand|.+Z)-([a-z0-9-]{1,63})-(question|failed|warnings|ok|test)(?:-[0-9a-f-]{1,16})?$/;

/** Takes the name of a message apart; without a run it is a test that somebody sent. A channel's name has no capital letter, a RUN ends with one. */
export function parseNotificationId(
  id: string,
): { channel: string; event: NotifyEvent | 'test'; run?: string } | undefined {
  const [, run, channel, event] = notificationForm.exec(id) ?? [];
  if (run === undefined || channel === undefined) return undefined;
  return { channel, event: event as NotifyEvent | 'test', ...(run !== 'by-hand' && { run }) };
}

/** Schedules that we own begin so; everything else in the namespace is left alone. */
export const schedulePrefix = 'hf-';
export const scheduleId = (name: string): string => `${schedulePrefix}${name}`;

/** A lease is the child workflow of this id. Kinds keep a store and a resource of one name apart. */
export const leaseId = (lease: string): string => `lease-${lease}`;
export const resourceLease = (resource: string): string => `resource-${resource}`;
export const storeLease = (store: string): string => `store-${store}`;
/** Held as long as a first upload goes on, by its run. */
export const seedLease = (job: string, store: string): string => `seed-${job}.${store}`;
/** Streams of one resource to one store: other jobs and retention of the source go on beside it. */
export const replicationLease = (resource: string, store: string): string => `replica-${resource}.${store}`;
/** A stream that reads from a pool or writes to it holds one of these. A host's name has no dot, a pool's may. */
export const streamLeases = (host: string, pool: string, streams: number): string[] =>
  Array.from({ length: streams }, (_, at) => `stream-${host}.${pool}.${at + 1}`);
/** Whatever the store: two replicas of a resource that take over at the same time would be two sides. */
export const failoverLease = (resource: string): string => `failover-${resource}`;
/** Two runs of one job's snapshots, or its retention, wait for each other; other jobs may work on the same datasets. */
export const snapshotLease = (job: string): string => `snapshots-${job}`;
/** Held by what must not meet checks and retention: restores at work; prune and check take it with the store's own. */
export const storeReadLease = (store: string): string => `store-${store}-read`;
/**
 * A restore holds one of these from its plan to its end, its open question included; retention takes them all, a check none. There are several,
 * because a question that somebody has forgotten must not keep the next restore waiting.
 */
export const copiesLeases = (store: string): string[] => [1, 2, 3].map((place) => `copies-${store}.${place}`);

/** The tags that every snapshot of ours carries; `run` and `resource` together name exactly one snapshot of a host. */
export const tags = {
  job: (job: string): string => `job:${job}`,
  resource: (resource: string): string => `resource:${resource}`,
  run: (run: string): string => `run:${run}`,
  /** What a part of an unfinished first upload carries, instead of job and resource: nothing that looks for copies must find it. */
  part: (job: string, resource: string): string => `part:${job}/${resource}`,
  /** What a note of sparse files carries for each copy that it was made beside: no copy itself. */
  sparse: (resource: string, run: string): string => `sparse:${resource}/${run}`,
};

/** Workflow types: public and permanent, because they are in histories and schedules. */
export const workflowTypes = {
  backupRestic: 'backupRestic',
  snapshotDatasets: 'snapshotDatasets',
  pruneSnapshots: 'pruneSnapshots',
  scrubPool: 'scrubPool',
  replicateDatasets: 'replicateDatasets',
  parkReplicas: 'parkReplicas',
  pruneReplicas: 'pruneReplicas',
  maintainSnapraid: 'maintainSnapraid',
  scrubSnapraid: 'scrubSnapraid',
  repairSnapraid: 'repairSnapraid',
  rollBackReplicas: 'rollBackReplicas',
  releaseLeftovers: 'releaseLeftovers',
  failOver: 'failOver',
  failBack: 'failBack',
  pruneRestic: 'pruneRestic',
  checkRestic: 'checkRestic',
  restoreRestic: 'restoreRestic',
  restoreDatasets: 'restoreDatasets',
  initialiseStore: 'initialiseStore',
  readRunLog: 'readRunLog',
  listCopies: 'listCopies',
  listReplicas: 'listReplicas',
  holdLease: 'holdLease',
  undoLeftovers: 'undoLeftovers',
  watchReturned: 'watchReturned',
  probeHost: 'probeHost',
  drillFailures: 'drillFailures',
  notifyPeople: 'notifyPeople',
} as const;

export const updateNames = { approve: 'approve', deny: 'deny' } as const;
export const queryNames = { report: 'report' } as const;
export const signalNames = {
  leaseWaiting: 'leaseWaiting',
  leaseHeld: 'leaseHeld',
  leaseFree: 'leaseFree',
  releaseLease: 'releaseLease',
  areYouThere: 'areYouThere',
  tryNow: 'tryNow',
} as const;

/** A memo of a run: what it has found out about its thing, in a sentence for `status`. */
export const noteMemo = 'HfNote';

/** Search attributes as plain data: the server is given them at its start, `apply` registers them on a cluster. */
export const searchAttributes = {
  HfJob: 'KEYWORD',
  HfOperation: 'KEYWORD',
  HfHost: 'KEYWORD',
  HfTool: 'KEYWORD',
  /** Which resources in which stores: see schedules/covers.ts. */
  HfCovers: 'KEYWORD',
  HfOutcome: 'KEYWORD',
  HfWaiting: 'KEYWORD',
  HfBytes: 'INT',
  HfRestorePoint: 'DATETIME',
} as const;
export type SearchAttributeName = keyof typeof searchAttributes;

/** How long Temporal keeps runs that have ended. The server's own default of 3 days would forget last month's restore. */
export const runsKeptMs = 90 * 86_400_000;
