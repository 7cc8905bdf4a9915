import type { AttributePlan } from './attributes.js';
import type { AwayHost } from './away.js';
import type { HookTime } from './hooks.js';
import type { Notifying } from './notify.js';
import type { PlanWords } from './plan-words.js';
import type { StreamLimits } from './replication.js';
import type { FinishedPortion } from './seeding.js';
import type { SnapraidOptions } from './snapraid.js';
import type { HandedSparseNote } from './sparseness.js';

/** Inputs and outputs of workflows and activities: what goes over the wire between machines of different age. Only add optional fields. */

/** How long things may take. Milliseconds. */
export interface Limits {
  /** A step whose worker gives no sign for so long is given to the next worker of the host. */
  deadHostAfterMs: number;
  /** A step that fails with an outage is tried again until so long has passed without progress. */
  retryForMs: number;
  /** The longest that one step may take in all. */
  giveUpAfterMs: number;
}

/** A resource and the host whose worker handles it. */
export interface Source {
  resource: string;
  host: string;
  /** Read from snapshots, which are made ready first and let go at the end. */
  frozen?: true;
}

/** One run of one operation: names and routing only. What the names mean, each host reads in its own file. */
export interface JobInput extends StreamLimits, Notifying {
  job: string;
  operation: string;
  sources: Source[];
  stores: string[];
  limits: Limits;
  options?: RunOptions;
  /** Of runs that were started before uploads had runs of their own: portions first, then the copy, in this very run. */
  seeding?: boolean;
  /** Of a job that seeds: what a store has no copy of is left to a run of its own ("aside"), which is this one ("here"). */
  firstUpload?: 'aside' | 'here';
  /** Which hooks the job has; what they are, the host knows. */
  hooks?: HookTime[];
  snapraid?: SnapraidOptions;
  /** Hosts of the job that are known to be away; the first to come back first. */
  away?: AwayHost[];
}

export interface RunOptions {
  /** Take a copy that is far smaller than the earlier ones as the new normal. */
  acceptCounts?: boolean;
}

/** What one step on a host is asked: the thing by name, and the run that asks. Of a source alone, however many stores it goes to: no store. */
export interface StepInput {
  job: string;
  run: string;
  resource: string;
  store: string;
  /** See Limits; the activity's door uses it to tell an outage that lasts from one that passes. */
  retryForMs: number;
  acceptCounts?: boolean;
  /** The first copy in a store is refused: it is to be uploaded by portions before. */
  seedFirst?: true;
  /** Counts what a run that uploads portions reads: each from snapshots of its own. */
  portion?: number;
}
export type SourceStepInput = Omit<StepInput, 'store' | 'seedFirst'>;

/** A copy that was proved: it is in the store, holds the planned path, and its counts are plausible. */
export interface Copy {
  resource: string;
  store: string;
  /** The tool's own id of the copy (restic: the full snapshot id). */
  snapshot: string;
  /** ISO 8601 UTC: the source's state of this moment is what the copy holds. */
  restorePoint: string;
  files: number;
  bytes: number;
  /** What the store had to take in addition. */
  bytesAdded: number;
  /** What is missing or odd, in words; a copy with warnings is kept and shown as such. At most 20, the log has all. */
  warnings: string[];
  /** The tool is newer than what this version of ours was tried with: said once a run. */
  unknownTool?: string;
  /** True when an earlier attempt of the run had made the copy already. */
  adopted?: boolean;
}

export type Outcome = 'ok' | 'warnings' | 'skipped' | 'failed' | 'refused' | 'cancelled';

/** What a run hands back when it did what it was asked, or (`skipped`) nothing, because a host is known to be away. */
export interface RunResult {
  outcome: 'ok' | 'warnings' | 'skipped';
  copies: Copy[];
  /** In words, for the end of `run --follow`. */
  summary: string;
  warnings: string[];
  /** What a check has read. */
  checks?: CheckReport[];
  /** What a run that makes no copies holds: ISO 8601 UTC. */
  restorePoint?: string;
}

/** The heartbeat of a long step: small and flat, because the Web UI shows it as it is. Advisory: the truth is in the tool. */
export interface Progress {
  v: 1;
  phase: string;
  bytesDone: number;
  bytesTotal: number;
  filesDone: number;
  filesTotal: number;
  bytesPerSecond: number;
  secondsLeft?: number;
  /** The most that any attempt has reached: only what goes beyond is progress, reading the same again is not. */
  furthestBytes?: number;
  furthestFiles?: number;
  /** While seeding: what this portion has added so far; without any, reading again what was there is no progress. */
  newBytes?: number;
  /** ISO 8601 UTC: when it last went further. */
  movedAt: string;
}

/** Which part of a copy goes where. The place is checked against what the host allows, on the host. */
export interface RestoreInput extends Notifying {
  job: string;
  resource: string;
  /** The worker that reads the store and writes the target. */
  host: string;
  /** The host that backs the resource up; only when it is another: it is asked which files were sparse. */
  sourceHost?: string;
  store: string;
  /** Absolute path of a new or empty folder on `host`; empty for a restore in place, whose target the host knows. */
  target: string;
  /** Onto the resource's own directory; only where its host allows it. */
  inPlace?: boolean;
  /** Nothing is restored: what this run moved aside comes back. */
  undo?: string;
  /** Relative to the resource; none means all of it. */
  paths: string[];
  /** Restored before everything else, into a folder of their own. */
  first?: string[];
  /** A snapshot id or its beginning (at least 4 characters). */
  copy?: string;
  /** ISO 8601: the newest copy that is not younger. */
  at?: string;
  /** How owners and groups are mapped: FROM:TO:COUNT, uid=… or gid=…; the host must allow it. */
  mapIds?: string[];
  /** Access lists and extended attributes are compared even where that reads all the data a second time. */
  compareAttributes?: true;
  /** The plan is taken as approved. */
  approved?: boolean;
  /** How long the plan waits for a yes. Milliseconds, default 1 h. */
  approveWithinMs?: number;
  limits: Limits;
}

/** What a restore will do, as shown before it does it. */
export interface RestorePlan extends PlanWords {
  snapshot: string;
  restorePoint: string;
  target: string;
  paths: string[];
  files: number;
  bytes: number;
  /** Free bytes at the target. */
  bytesFree: number;
  /** True when the target holds the unfinished work of an earlier attempt at the very same plan. */
  resumes: boolean;
  /** sha256 of the plan and its listing; an approval is bound to it. */
  digest: string;
  /** What will be moved aside, and where to; its size is of the moment of the plan. */
  inPlace?: { directory: string; aside: string; files: number; bytes: number };
  /** What comes before everything else, into which folder. */
  first?: { paths: string[]; target: string; files: number; bytes: number; digest: string };
  /** How access lists and extended attributes will be compared, and what that reads. */
  attributes?: AttributePlan;
}

export interface RestoreStepInput
  extends Omit<RestoreInput, 'limits' | 'host' | 'sourceHost' | 'approved' | 'approveWithinMs' | 'notify'> {
  run: string;
  retryForMs: number;
  /** Of the plan that was approved; the step refuses any other. */
  digest?: string;
  /** From the host of the source, when this host is another. It is compared with, and nothing else: whatever it says can only warn. */
  sparse?: HandedSparseNote;
}

/** What was compared, and what was found to differ. */
export interface RestoreReport {
  snapshot: string;
  restorePoint: string;
  target: string;
  files: number;
  bytes: number;
  /** What was compared with the copy, one entry per property, in words. */
  verified: string[];
  /** What could not be compared and why. */
  notVerified: string[];
  warnings: string[];
  /** Where what was there before lies now; only after a restore in place. */
  movedAside?: string;
  /** What came before everything else; ISO 8601 UTC since when it has been there. */
  first?: { target: string; files: number; bytes: number; readyAt: string };
}

export interface RestoreResult {
  outcome: 'ok' | 'warnings';
  report: RestoreReport;
  summary: string;
  warnings: string[];
}

/** What a check read. */
export interface CheckReport {
  store: string;
  /** Which part of how many was read, 1-based; absent when only the structure was checked. */
  part?: number;
  parts?: number;
  warnings: string[];
}

/** What an approval is given for: the digest must be the one of the plan that is shown. */
export interface ApprovalAnswer {
  digest: string;
  by: string;
  note?: string;
}

/** One line of the table that the Web UI and `show` display. */
export interface StepLine {
  name: string;
  state: 'waiting' | 'running' | 'done' | 'warned' | 'failed' | 'skipped';
  note: string;
}

/** The answer to the query `report`. */
export interface RunReport {
  waitingFor?: string;
  /** The digest of what a human is asked about right now; absent when nothing is asked. */
  asks?: string;
  steps: StepLine[];
  plan?: RestorePlan;
  seeding?: FinishedPortion;
  /** What is asked, in words, where there is no plan of a restore. */
  question?: string;
  questionDetails?: string[];
}
