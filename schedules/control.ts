import type { Client } from '@temporalio/client';
import { operationsOf } from '../config/lookup.js';
import type { Config } from '../config/schema.js';
import { HoldfastError } from '../contracts/errors.js';
import { scheduleId } from '../contracts/names.js';
import { describeSchedule, listIds } from './observe.js';
import { mapBounded, requestsAtOnce } from './pool.js';
import { asHoldfastError } from './service-errors.js';

/** What became of one schedule of a job. */
export interface ControlledSchedule {
  id: string;
  /** `already`: was so before, its note is left alone. `missing`: in the configuration, but not applied yet. */
  done: 'paused' | 'resumed' | 'already' | 'missing';
  note: string;
}

/** Stops all schedules of a job; a run that goes on is not touched. */
export const pauseJob = (
  client: Client,
  config: Config,
  job: string,
  note: string,
): Promise<ControlledSchedule[]> =>
  controlJob(client, config, job, { pause: true, note: note.trim() || 'Paused with holdfast pause' });

/** Lets all schedules of a job go on. */
export const resumeJob = (
  client: Client,
  config: Config,
  job: string,
  note = '',
): Promise<ControlledSchedule[]> =>
  controlJob(client, config, job, { pause: false, note: note.trim() || 'Resumed with holdfast resume' });

/** An empty note would be no request at all: the server tells pause and resume by their text. */
interface Request {
  pause: boolean;
  note: string;
}

async function controlJob(
  client: Client,
  config: Config,
  job: string,
  request: Request,
): Promise<ControlledSchedule[]> {
  const verb = request.pause ? 'pause' : 'resume';
  try {
    const ids = await idsOfJob(client, config, job);
    const results = await mapBounded(ids, requestsAtOnce, (id) => controlOne(client, id, request));
    if (results.some(({ done }) => done !== 'missing')) return results;
  } catch (error) {
    throw asHoldfastError(error, `${verb} job ${job}`);
  }
  throw new HoldfastError(
    'HF_RUN_NOT_FOUND',
    `Job ${job} has no schedule to ${verb}: run "holdfast apply" first`,
  );
}

/** Also what an older configuration has left behind: a job that is paused must not start anything. */
async function idsOfJob(client: Client, config: Config, job: string): Promise<string[]> {
  const main = scheduleId(job);
  const listed = (await listIds(client)).filter((id) => id === main || id.startsWith(`${main}.`));
  const known = Object.hasOwn(config.jobs, job) || listed.length === 0 ? scheduledIds(config, job) : [];
  return [...new Set([...known, ...listed])].sort();
}

const scheduledIds = (config: Config, job: string): string[] =>
  operationsOf(config, job)
    .filter(({ schedule }) => schedule !== undefined)
    .map(({ name }) => scheduleId(name));

async function controlOne(client: Client, id: string, request: Request): Promise<ControlledSchedule> {
  const before = await describeSchedule(client, id);
  if (!before) return { id, done: 'missing', note: '' };
  if (before.paused === request.pause) return { id, done: 'already', note: before.note };
  const handle = client.schedule.getHandle(id);
  await (request.pause ? handle.pause(request.note) : handle.unpause(request.note));
  const after = await describeSchedule(client, id);
  if (after?.paused !== request.pause) {
    throw new HoldfastError(
      'HF_TEMPORAL_REFUSED',
      `Schedule ${id} is still ${request.pause ? 'active' : 'paused'}`,
    );
  }
  return { id, done: request.pause ? 'paused' : 'resumed', note: after.note };
}
