import type { JobInput } from './jobs.js';

/** What `holdfast do` asks a workflow. Only add optional fields. */

/** One run of a procedure that only a human starts. What it changes it asks first: the yes is an Update, never part of this. */
export interface ActionInput extends Omit<JobInput, 'operation' | 'options' | 'seeding' | 'hooks'> {
  action: string;
  /** As given with --set; the host checks what they mean. */
  settings: Record<string, string>;
  /** Ends with the plan in its summary and changes nothing. */
  planOnly?: true;
  /** Which host works on each store, where that is not the source's own. */
  storeHosts?: Record<string, string>;
}
