import type { LeftoverFacts } from './leftovers.js';

/** What "holdfast doctor" asks hosts and is answered: facts only, judged by who asked. Only add optional fields. */

export interface ProbeHostInput {
  host: string;
}

/** The host's clock between two readings of Temporal's. Milliseconds since 1970. */
export interface ClockReading {
  beforeMs: number;
  hostMs: number;
  afterMs: number;
}

export interface HostAnswer {
  clock: ClockReading;
  facts: HostFacts;
}

/** A machine and what it may reach, as its worker found it. */
export interface HostFacts {
  v: 1;
  /** ISO 8601 UTC, by the host's own clock. */
  at: string;
  holdfast: string;
  node: string;
  /** Of the worker; 0 is root. */
  uid: number;
  stateFolder: string;
  /** The configuration that the worker really uses: a digest for each section, or why it cannot use it. */
  configuration: { digests: Record<string, string> } | { error: string };
  tools: ToolFacts[];
  ssh?: SshFacts;
  /** Why the worker cannot write its state folder; absent when it can. */
  stateError?: string;
  evidence: EvidenceFacts;
  /** What ended or running runs have not put back yet, in words; at most 10. */
  openUndos: string[];
  space: SpaceFacts[];
  sources: SourceFacts[];
  stores: StoreFacts[];
  /** Those that its worker sends through; absent where there are none. */
  channels?: ChannelFacts[];
  /** Of the resources in ZFS; absent where there are none. */
  pools?: PoolFacts[];
  /** Where there are resources in ZFS. */
  zfs?: ZfsFacts;
  /** Where there is a program zfs. */
  leftovers?: LeftoverFacts;
  /** How many sources, stores and disks without fault did not fit into the answer. */
  leftOut?: number;
  /** How many with a fault did not. */
  leftOutBad?: number;
}

/** Of a host that a worker on another machine drives over ssh. */
export interface SshFacts {
  /** "user@address:port". */
  place: string;
  /** Of the user there. */
  uid: number;
  /** Its clock between two readings of its worker's. */
  clock: ClockReading;
  sudo: { program: string /** Why it may not be run; absent when it may. */; error?: string }[];
}

export interface ToolFacts {
  name: string;
  /** Absent: not there. */
  path?: string;
  version?: string;
  /** Why the program is there and does not answer. */
  error?: string;
}

export interface EvidenceFacts {
  entries: number;
  /** Lines that are torn, or of a newer version. */
  unreadable: number;
  error?: string;
}

export interface SpaceFacts {
  what: string;
  path: string;
  bytesFree: number;
}

export interface SourceFacts {
  resource: string;
  directory: string;
  /** What the guard of every run would say. */
  error?: string;
  /** One entry near the top that the worker may not read. */
  unreadable?: string;
  /** What runs go on in spite of. */
  warning?: string;
  /** What is to be done about it. */
  next?: string;
}

export interface ZfsFacts {
  /** Of OpenZFS, "2.3.9". */
  version: string;
  /** What the user of the host would need and is not allowed. */
  missing: { dataset: string; user: string; permissions: string[] }[];
  /** What runs go on without, until what has arrived of a stream is to be given up. */
  wanted?: { dataset: string; user: string; permissions: string[] }[];
  /** Other tools that work on the datasets of our replications, and what they left there; at most 10. */
  others?: { dataset: string; side: 'source' | 'target'; who: string; by: string }[];
  /** Where everybody's snapshots travel: the newest that others made of either end, so that names can be compared. */
  named?: NamedFacts[];
  /**
   * What replications want here between both ends of a stream, and is not there. `other`: the host at the other end, where one of them would
   * do as well; `neither`: it has none.
   */
  lacks?: { job: string; program: string; other?: string; neither?: true }[];
  error?: string;
}

/** One end of a replication, as its host sees it. */
export interface NamedFacts {
  job: string;
  resource: string;
  side: 'source' | 'target';
  dataset: string;
  /** Name, guid, and the tool that makes such names where one is known: short, because an answer has little room. */
  snapshots: [name: string, guid: string, who?: string][];
}

export interface PoolFacts {
  pool: string;
  /** Why nothing else is known. */
  error?: string;
  /** ONLINE, DEGRADED, … */
  state?: string;
  usedPercent?: number;
  bytesFree?: number;
  /** So much of it must stay free by the configuration of the host's worker. */
  floorPercent?: number;
  /** In data, not repaired. */
  errors?: number;
  busyWith?: 'scrub' | 'resilver';
  /** ISO 8601 UTC: end of the last whole scrub. */
  scrubbedAt?: string;
}

export interface SecretFacts {
  /** "password", or the name of a variable or a header. */
  of: string;
  /** "the file /etc/holdfast/key": never a value. */
  place: string;
  error?: string;
  /** Everybody on the machine can read it; `hidden` when only a folder above keeps them out. */
  exposed?: 'readable' | 'hidden' | 'writable';
}

/** What the sender of a channel has of what it needs; nothing is sent to find out. */
export interface ChannelFacts {
  channel: string;
  secrets: SecretFacts[];
  /** Of a channel that is a command: it is not there, or may not be run. */
  missingProgram?: string;
}

export interface LockFacts {
  id: string;
  /** ISO 8601; empty when the lock could not be read. */
  since: string;
  by: string;
  exclusive: boolean;
}

export interface StoreFacts {
  store: string;
  secrets: SecretFacts[];
  /** Why the store is of no use now; absent when it answered and opened. */
  error?: { code: string; message: string };
  /** Of the repository's format. */
  format?: number;
  locks: LockFacts[];
  /** A server of the kind that may take additions only: that shows when something is to be removed. */
  mayBeAppendOnly?: boolean;
  /** More than could be looked at. */
  moreLocks?: number;
}

/** Names only, as everywhere: what is drilled is read from the host's own file. */
export interface DrillInput {
  job: string;
  resource: string;
  host: string;
}

export interface DrillStepInput {
  job: string;
  resource: string;
  run: string;
  retryForMs: number;
}

/** One mishap that was played. */
export interface DrillScene {
  mishap: string;
  expected: string;
  /** The code that came; "ok" when nothing was said. */
  came: string;
  message: string;
  /** What was found afterwards, in words. */
  endState: string;
  passed: boolean;
  /** It could not be played on this host; the message says why. Such a scene has not passed. */
  skipped?: true;
}

export interface DrillReport {
  scenes: DrillScene[];
  /** What was copied aside for it, in words. */
  sample: string;
  /** The scratch folder is gone again. */
  removed: boolean;
}

export type FindingLevel = 'ok' | 'note' | 'warning' | 'blocking';

/** One line of what the doctor says. */
export interface Finding {
  level: FindingLevel;
  /** A host of the configuration, "temporal", or "here" for where the command was given. */
  host: string;
  subject: string;
  found: string;
  /** What to do; empty when there is nothing to do. */
  next: string;
}
