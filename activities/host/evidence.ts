import type { RestoreReport } from '../../contracts/jobs.js';
import { isoNow } from '../../system/clock.js';
import type { Host } from '../../system/host.js';
import type { Exchange } from '../restic/in-place.js';
import { type ArrayFact, subjectOfResource } from './evidence-array.js';
import type {
  FailoverDone,
  PoolScrubbed,
  ReplicasProved,
  ReplicasRemoved,
  RolledBack,
  SentBack,
  SnapshotsRemoved,
  SnapshotsTaken,
} from './evidence-zfs.js';

/**
 * What was proved and when: one JSON object a line in the state folder, only ever appended, only after the proof.
 * Losing the file means "not proved", never "ok".
 */

interface OfStore {
  run: string;
  store: string;
}
interface OfCopy extends OfStore {
  job: string;
  resource: string;
  snapshot: string;
  files: number;
  bytes: number;
}

/** The copy is in the store, of the planned path, and its counts are plausible (or were accepted by a human). */
export interface CopyProved extends OfCopy {
  kind: 'copy';
  restorePoint: string;
  bytesAdded: number;
  warnings: string[];
  adopted?: boolean;
  /** Far smaller than its elders, and a human has said that it is right so: the measure begins anew with it. */
  countsAccepted?: boolean;
}
/** The copy is in the store but was not proved: no measure for later ones, not good for retention, and no restore takes it by itself. */
export interface CopyRefused extends OfCopy {
  kind: 'copy-refused';
}
/** A portion of the first upload is in the store, and its source was still there at the end of it. */
export interface PartProved extends OfCopy {
  kind: 'seed-part';
  /** What this portion added, and how long it took: the measure of what is left. */
  bytesNew: number;
  tookMs: number;
}
/** The check ended clean; without a part only the structure was looked at. */
export interface CheckProved extends OfStore {
  kind: 'check-part';
  part?: number;
  parts?: number;
}
export interface PruneDone extends OfStore {
  kind: 'prune';
  job: string;
  kept: number;
  removed: number;
}
export interface RestoreProved extends OfStore {
  kind: 'restore';
  digest: string;
  report: RestoreReport;
  /** The time that the target folder gets back at the very end; only when the whole resource was restored. */
  folderMtimeNs?: string;
  /** The resource whose own place this was restored for, and no other's. */
  inPlaceOf?: string;
}
/** A restored tree stands where the resource is looked for; what was there before lies aside. */
export interface RestoredInPlace extends OfStore {
  kind: 'in-place';
  job: string;
  resource: string;
  exchange: Exchange;
}
/** holdfast.yaml lies in the store, as it was then. */
export interface ConfigStored extends OfStore {
  kind: 'config-copy';
  sha256: string;
  snapshot: string;
}
/** The notes of sparse files lie in the store, as they were then. */
export interface SparseStored extends OfStore {
  kind: 'sparse-copy';
  sha256: string;
  snapshot: string;
}
/** Something was paused, stopped or mounted: how it was before, so that it can be put back whatever happens. */
export interface UndoOpen {
  kind: 'undo-open';
  run: string;
  /** Which thing, unique within the run ("container:web"). */
  what: string;
  former: Record<string, unknown>;
}
export interface UndoDone {
  kind: 'undo-done';
  run: string;
  what: string;
}

export type Fact =
  | ArrayFact
  | PoolScrubbed
  | SnapshotsTaken
  | SnapshotsRemoved
  | ReplicasProved
  | FailoverDone
  | ReplicasRemoved
  | SentBack
  | RolledBack
  | CopyProved
  | CopyRefused
  | PartProved
  | CheckProved
  | PruneDone
  | RestoreProved
  | ConfigStored
  | SparseStored
  | RestoredInPlace
  | UndoOpen
  | UndoDone;
export type Evidence = Fact & { v: 1; at: string };

/** On the machine of the worker: nothing of what we know is lost with a host that is driven over ssh. */
const evidenceFile = ({ driver }: Host): string => `${driver.stateFolder}/evidence.jsonl`;

/** Everything that is known; a line torn by a crash, or written by a newer version, is left out. */
export async function readEvidence(host: Host): Promise<Evidence[]> {
  const file = evidenceFile(host);
  if (!(await host.driver.exists(file))) return [];
  return parseEvidence(await host.driver.readFile(file));
}

/** The pure half of `readEvidence`. */
export const parseEvidence = (text: string): Evidence[] =>
  text.split('\n').flatMap((line) => {
    try {
      const entry = JSON.parse(line) as Partial<Evidence> | null;
      return entry?.v === 1 && typeof entry.kind === 'string' ? [entry as Evidence] : [];
    } catch {
      return [];
    }
  });

/** Adds a fact, unless the same run has stated it already: a retry must not count twice. */
export async function addEvidence(host: Host, fact: Fact): Promise<void> {
  const known = await readEvidence(host);
  if (known.some((entry) => isSameStatement(entry, fact))) return;
  const { kind, ...rest } = fact;
  await host.driver.appendLine(evidenceFile(host), JSON.stringify({ v: 1, at: isoNow(), kind, ...rest }));
}

function isSameStatement(known: Fact, fact: Fact): boolean {
  if (known.kind !== fact.kind || known.run !== fact.run) return false;
  return subjectOf(known) === subjectOf(fact);
}

/** What a fact is about: one run says one thing of a kind about it. */
function subjectOf(fact: Fact): string {
  switch (fact.kind) {
    case 'copy':
    case 'copy-refused':
    case 'seed-part':
      return `${fact.store}/${fact.resource}/${fact.snapshot}`;
    case 'check-part':
      return `${fact.store}/${fact.part ?? 0}/${fact.parts ?? 0}`;
    case 'restore':
      return `${fact.store}/${fact.digest}`;
    case 'snapshots':
      return `${fact.resource}/${fact.snapshot}`;
    case 'rolled-back':
      return fact.resource;
    case 'snapshots-removed':
      return fact.job;
    case 'failover':
      return `${fact.store}/${fact.resource}/${fact.what}`;
    case 'replicas':
    case 'replicas-removed':
    case 'sent-back':
      return `${fact.store}/${fact.resource}`;
    case 'undo-open':
    case 'undo-done':
      return fact.what;
    default:
      return 'store' in fact ? fact.store : subjectOfResource(fact);
  }
}

/** The proved copies of one resource in one store, oldest first. */
export const provedCopies = (
  evidence: readonly Evidence[],
  wanted: Pick<OfCopy, 'job' | 'resource' | 'store'>,
): (CopyProved & { at: string })[] =>
  evidence.filter(
    (entry): entry is CopyProved & { v: 1; at: string } => entry.kind === 'copy' && isOf(entry, wanted),
  );

/** The ids of copies whose proof failed. */
export const refusedCopies = (
  evidence: readonly Evidence[],
  wanted: Pick<OfCopy, 'job' | 'resource' | 'store'>,
): Set<string> =>
  new Set(
    evidence.flatMap((entry) =>
      entry.kind === 'copy-refused' && isOf(entry, wanted) ? [entry.snapshot] : [],
    ),
  );

/** The parts of an unfinished first upload that were proved, oldest first. */
export const provedParts = (
  evidence: readonly Evidence[],
  wanted: Pick<OfCopy, 'job' | 'resource' | 'store'>,
): PartProved[] =>
  evidence.filter(
    (entry): entry is PartProved & Evidence => entry.kind === 'seed-part' && isOf(entry, wanted),
  );

const isOf = (copy: OfCopy, { job, resource, store }: Pick<OfCopy, 'job' | 'resource' | 'store'>): boolean =>
  copy.job === job && copy.resource === resource && copy.store === store;
