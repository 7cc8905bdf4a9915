import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { createDoctorActivities } from '../activities/doctor/activities.js';
import { createHostActivities } from '../activities/host/activities.js';
import { hookKind, putBackHook } from '../activities/host/hooks.js';
import { createHostQuestions } from '../activities/host/questions.js';
import { putBackWriter, writerKinds } from '../activities/host/writers.js';
import { createNotifyActivities } from '../activities/notify/activities.js';
import { createResticActivities } from '../activities/restic/activities.js';
import { createResticQuestions } from '../activities/restic/questions.js';
import { inPlaceKind, putBackInPlace } from '../activities/restic/take-place.js';
import { answer, attempt, createDoor } from '../activities/run.js';
import { createSnapraidActivities } from '../activities/snapraid/activities.js';
import { createZfsActivities } from '../activities/zfs/activities.js';
import { failbackKind, putBackFailback } from '../activities/zfs/failback-stop.js';
import { createFailoverActivities } from '../activities/zfs/failover-activities.js';
import { failoverKind, putBackFailover } from '../activities/zfs/failover-stop.js';
import { filesKind, putBackFiles } from '../activities/zfs/files-source.js';
import { createZfsQuestions } from '../activities/zfs/questions.js';
import { putBackRollBack, rollBackKind } from '../activities/zfs/roll-back-steps.js';
import { putBackSource, sourceKind } from '../activities/zfs/source.js';
import type { Config } from '../config/schema.js';
import { HoldfastError } from '../contracts/errors.js';
import { heavyQueue, hostQueue, transferQueue } from '../contracts/names.js';
import { configurationDigests } from '../schedules/configuration.js';
import { stateFolder } from '../system/environment.js';
import type { Host } from '../system/host.js';
import { watchConfig } from './config-source.js';
import { shutdownLimits } from './drain.js';
import { machinesOf } from './machines.js';
import { findServerBinary } from './server-binary.js';
import { holdfastVersion } from './version.js';

export interface HostWorkerOptions {
  connection: NativeConnection;
  namespace: string;
  config: Config;
  configFile: string;
  host: string;
}

/** Transfers at the same time on one host: each has a tool of its own that wants disk and memory. */
const heavySlots = 2;
/** For streams that hold a lease of their pool, which is their limit: as many as two pools of the host can have. */
const transferSlots = 32;
const quickSlots = 8;

export interface HostWorkers {
  workers: Worker[];
  /** Whose queues they ask: the worker's own host and those that it drives over ssh. */
  hosts: string[];
  /** After the last step has ended. */
  close(): void;
}

/** Three workers for each host: for short questions and restores, for what takes hours, and for streams whose number their pools limit. */
export async function createHostWorkers(options: HostWorkerOptions): Promise<HostWorkers> {
  const { config, configFile, host } = options;
  if (!config.hosts[host]) {
    throw new HoldfastError(
      'HF_NOT_IN_CONFIG',
      `There is no host "${host}" in ${configFile}: the hosts are ${Object.keys(config.hosts).join(', ')}`,
    );
  }
  const currentConfig = watchConfig(configFile);
  const machines = machinesOf(currentConfig, host, stateFolder());
  const workers = await Promise.all(
    machines.all.map((machine) =>
      workersOf(options, machine, activitiesOf(machine, machines.byName, currentConfig, configFile)),
    ),
  );
  return { workers: workers.flat(), hosts: machines.all.map(({ name }) => name), close: machines.close };
}

type Activities = NonNullable<WorkerOptions['activities']>;

/** bin lies beside dist. */
const ownEngine = {
  holdfast: [process.execPath, fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))],
  server: () => findServerBinary(),
};

function activitiesOf(
  host: Host,
  machine: (name: string) => Host,
  config: () => Config,
  configFile: string,
): Activities {
  const door = createDoor({ host, machine, config, configFile: resolve(configFile) });
  const putBack = {
    [inPlaceKind]: putBackInPlace,
    [hookKind]: putBackHook(config),
    [sourceKind]: putBackSource(config),
    [writerKinds.unit]: putBackWriter,
    [writerKinds.container]: putBackWriter,
    [rollBackKind]: putBackRollBack(config),
    [filesKind]: putBackFiles(config, machine),
    [failoverKind]: putBackFailover(config, machine),
    [failbackKind]: putBackFailback(config, machine),
  };
  return {
    ...createHostActivities(door),
    ...createHostQuestions({ host, answer, putBack }),
    ...createResticActivities(door),
    ...createZfsActivities(door),
    ...createSnapraidActivities(door),
    ...createFailoverActivities(door),
    ...createNotifyActivities({ host, config, attempt }),
    ...createDoctorActivities({
      door,
      answer,
      engine: ownEngine,
      host,
      machine,
      config,
      digests: configurationDigests,
      version: holdfastVersion,
    }),
    ...createResticQuestions({ host, config, answer }),
    ...createZfsQuestions({ host, config, machine, answer }),
  };
}

function workersOf(
  { connection, namespace, host }: HostWorkerOptions,
  { name }: Host,
  activities: Activities,
): Promise<Worker[]> {
  const shared: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace,
    identity: `holdfast@${host}`,
    activities,
    maxConcurrentActivityTaskPolls: 2,
    // With a heartbeat time-out of minutes, cancellation and progress still arrive within seconds.
    maxHeartbeatThrottleInterval: '3s',
    defaultHeartbeatThrottleInterval: '3s',
    ...shutdownLimits,
  };
  const slots = {
    [hostQueue(name)]: quickSlots,
    [heavyQueue(name)]: heavySlots,
    [transferQueue(name)]: transferSlots,
  };
  return Promise.all(
    Object.entries(slots).map(([taskQueue, maxConcurrentActivityTaskExecutions]) =>
      Worker.create({ ...shared, taskQueue, maxConcurrentActivityTaskExecutions }),
    ),
  );
}
