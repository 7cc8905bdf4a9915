import type { Config } from '../config/schema.js';
import type { Progress } from '../contracts/jobs.js';
import type { Host } from '../system/host.js';

/** What a step is given: a machine, its own configuration, and ways to say how it goes. Nothing here knows of Temporal. */
export interface Tools {
  host: Host;
  /** Another machine by its name in holdfast.yaml, reached over ssh: the other end of a transfer. */
  machine?: (name: string) => Host;
  /** The host's own holdfast.yaml, read anew when the file changed. */
  config: Config;
  /** Where it was read from; absent where there is no file, as in a rescue. */
  configFile?: string | undefined;
  run: string;
  /** 1 for the first try. */
  attempt: number;
  /** Whether an outage would still be waited for: for a step that can also end without what it waits for. Absent: never. */
  mayWait?: () => boolean;
  signal: AbortSignal;
  /** Remembered and sent from a timer; call it as often as you like. */
  progress(progress: Partial<Progress>): void;
  /** One line into the run's own log on this host. */
  log(line: string): void;
}

/** The least that a step's input says: which run asks, and how long an outage is waited for. */
export interface StepBasics {
  run: string;
  retryForMs: number;
}

/** The way into a step: heartbeat, cancellation and errors are settled once, in run.ts. */
export interface Door {
  step<I extends StepBasics, O>(input: I, body: (tools: Tools) => Promise<O>): Promise<O>;
}
