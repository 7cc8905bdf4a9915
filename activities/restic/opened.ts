import type { Progress } from '../../contracts/jobs.js';
import type { Host } from '../../system/host.js';
import type { RepositoryAccess, ResticTool } from './command.js';

/** What every verb stands on: one opened repository, for one piece of work. */
export interface Restic {
  host: Host;
  signal: AbortSignal;
  progress(progress: Partial<Progress>): void;
  log(line: string): void;
  tool: ResticTool;
  /** The store's name in holdfast.yaml. */
  store: string;
  repository: RepositoryAccess;
  /** Held by each restic of this piece of work: a retry waits for the orphan of a killed worker. */
  lock: string;
  /** 1 for the first try. */
  attempt: number;
}
