/** Programs that the configuration names, run before and after a step. */

export type HookTime = 'before' | 'after';

/** The hooks of a job on the host of one of its resources. */
export interface HookStepInput {
  job: string;
  run: string;
  resource: string;
  when: HookTime;
  /** See Limits. */
  retryForMs: number;
}

/** What writes to one of a job's resources; which programs that are, the host knows. */
export interface WriterStepInput {
  job: string;
  run: string;
  resource: string;
  /** See Limits. */
  retryForMs: number;
}
