/** What a run leaves out while a host is away. */
export interface AwayHost {
  host: string;
  /** Milliseconds since 1970. */
  untilMs: number;
  /** For people: which host, until when and why. */
  words: string;
  resources: string[];
  stores: string[];
  /** What a run covers while this host and all after it in the list are away; empty: nothing is left to be done. */
  covers: string;
  /** Replicas that may be in use instead of what is away, and the hosts on whose queues they are asked. */
  replicas?: { resource: string; store: string; host: string }[];
  /** Copies that lag because their store is away, and the hosts on whose queues their sources are asked. */
  lagging?: { resource: string; store: string; host: string }[];
}
