import type { Progress, RunReport } from '../contracts/jobs.js';

/** One look at a run, in plain data: what follow, show and status draw. */
export interface Snapshot {
  at: Date;
  /** Temporal's own word: RUNNING, COMPLETED, FAILED, CANCELLED, … */
  status: string;
  /** Absent while no orchestrator answers. */
  report?: RunReport;
  pending: PendingStep[];
  /** The orchestrator has not taken up the run's next task since this moment. */
  noOrchestratorSince?: Date;
}

/** An activity that has been asked for and has not ended. */
export interface PendingStep {
  id: string;
  activity: string;
  state: 'scheduled' | 'started' | 'paused' | 'stopping';
  attempt: number;
  /** The host whose queue it waits in; undefined when the server does not say. */
  host?: string;
  scheduledAt?: Date;
  startedAt?: Date;
  /** The newest heartbeat. */
  progress?: Progress;
  /** Why the attempt before this one failed. */
  failure?: { code?: string; message: string };
  /** When the next attempt begins; absent while one runs. */
  nextAttemptAt?: Date;
  /** Undefined when it was not asked. */
  hostHasWorker?: boolean;
}

/** How long a step may lie in a queue before we say that nobody takes it. */
const patienceMs = 5000;

/** What a step waits for, in words; undefined while it is being worked on. */
export function waitOf(step: PendingStep, now: Date): string | undefined {
  if (step.state === 'paused') return 'paused by an operator in Temporal';
  if (step.nextAttemptAt && step.nextAttemptAt > now) return undefined;
  if (step.state !== 'scheduled' || !step.scheduledAt) return undefined;
  if (now.getTime() - queuedSince(step).getTime() < patienceMs) return undefined;
  const host = step.host ?? '?';
  return step.hostHasWorker === false
    ? `waiting for a worker of host ${host}`
    : `waiting for host ${host}: its worker is busy, or has just gone`;
}

/** A retry goes back into the queue when its pause is over; the first scheduling is long past then. */
const queuedSince = (step: PendingStep): Date =>
  step.nextAttemptAt ?? step.startedAt ?? step.scheduledAt ?? new Date(0);

/** What the whole run waits for, the most useful reason first. */
export function waitOfRun(snapshot: Snapshot): string | undefined {
  const forStep = snapshot.pending.map((step) => waitOf(step, snapshot.at)).find((wait) => wait);
  if (forStep) return forStep;
  if (snapshot.report?.waitingFor) return `waiting for ${snapshot.report.waitingFor}`;
  const since = snapshot.noOrchestratorSince;
  const late = since && snapshot.at.getTime() - since.getTime() >= patienceMs;
  return late ? 'waiting for an orchestrator ("holdfast orchestrator" or "holdfast up")' : undefined;
}
