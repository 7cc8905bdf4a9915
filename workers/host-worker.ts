import { resolve } from 'node:path';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { createDoctorActivities } from '../activities/doctor/activities.js';
import { createHostActivities } from '../activities/host/activities.js';
import { createHostQuestions } from '../activities/host/questions.js';
import { createResticActivities } from '../activities/restic/activities.js';
import { createResticQuestions } from '../activities/restic/questions.js';
import { inPlaceKind, putBackInPlace } from '../activities/restic/take-place.js';
import { answer, createDoor } from '../activities/run.js';
import type { Config } from '../config/schema.js';
import { HoldfastError } from '../contracts/errors.js';
import { heavyQueue, hostQueue } from '../contracts/names.js';
import { configurationDigests } from '../schedules/configuration.js';
import { stateFolder } from '../system/environment.js';
import { localHost } from '../system/local-host.js';
import { watchConfig } from './config-source.js';
import { shutdownLimits } from './drain.js';
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
const quickSlots = 8;

/** The two workers of a host: one for short questions and restores, one for what takes hours. */
export async function createHostWorkers({
  connection,
  namespace,
  config,
  configFile,
  host,
}: HostWorkerOptions): Promise<Worker[]> {
  if (!config.hosts[host]) {
    throw new HoldfastError(
      'HF_NOT_IN_CONFIG',
      `There is no host "${host}" in ${configFile}: the hosts are ${Object.keys(config.hosts).join(', ')}`,
    );
  }
  const machine = localHost({ name: host, stateFolder: stateFolder() });
  const currentConfig = watchConfig(configFile);
  const door = createDoor({ host: machine, config: currentConfig, configFile: resolve(configFile) });
  const shared: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace,
    identity: `holdfast@${host}`,
    activities: {
      ...createHostActivities(door),
      ...createHostQuestions({ host: machine, answer, putBack: { [inPlaceKind]: putBackInPlace } }),
      ...createResticActivities(door),
      ...createDoctorActivities({
        door,
        answer,
        host: machine,
        config: currentConfig,
        digests: configurationDigests,
        version: holdfastVersion,
      }),
      ...createResticQuestions({ host: machine, config: currentConfig, answer }),
    },
    maxConcurrentActivityTaskPolls: 2,
    // With a heartbeat time-out of minutes, cancellation and progress still arrive within seconds.
    maxHeartbeatThrottleInterval: '3s',
    defaultHeartbeatThrottleInterval: '3s',
    ...shutdownLimits,
  };
  return Promise.all([
    Worker.create({ ...shared, taskQueue: hostQueue(host), maxConcurrentActivityTaskExecutions: quickSlots }),
    Worker.create({
      ...shared,
      taskQueue: heavyQueue(host),
      maxConcurrentActivityTaskExecutions: heavySlots,
    }),
  ]);
}
