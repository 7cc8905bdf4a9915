import type { WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { HoldfastError } from '../contracts/errors.js';
import { parseRunId } from '../contracts/names.js';
import type { Temporal } from './context.js';
import { causesOf, grpcStatus } from './fail.js';
import { shown } from './jobs.js';

export interface FoundRun {
  run: string;
  handle: WorkflowHandle;
  description: WorkflowExecutionDescription;
}

/** The run of this name; only what has the form of a RUN is asked for, so that no other workflow is ever touched. */
export async function findRun(temporal: Temporal, run: string): Promise<FoundRun> {
  if (!parseRunId(run)) throw noSuchRun(run, 'a RUN looks like photos-offsite-2026-11-20T03:30:00Z');
  const handle = temporal.client.workflow.getHandle(run);
  try {
    return { run, handle, description: await handle.describe() };
  } catch (error) {
    if (isNotFound(error)) throw noSuchRun(run, 'Temporal keeps histories for a limited time');
    throw error;
  }
}

const noSuchRun = (run: string, hint: string): HoldfastError =>
  new HoldfastError('HF_RUN_NOT_FOUND', `There is no run "${shown(run)}" (${hint})`);

/** NOT_FOUND of the workflow, not of its namespace. */
const isNotFound = (error: unknown): boolean =>
  causesOf(error).some((cause) => cause.name === 'WorkflowNotFoundError') ||
  (causesOf(error).some((cause) => grpcStatus(cause) === 5) &&
    !causesOf(error).some((cause) => /namespace/i.test(cause.message)));
