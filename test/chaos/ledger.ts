import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEvidence } from '../../activities/host/evidence.js';
import { configTag } from '../../activities/restic/config-copy.js';
import { sparseTag } from '../../activities/restic/sparse-copy.js';
import type { Estate } from '../support/estate.js';
import { locksOnDisk } from '../support/locks.js';
import { resticsOf } from './killer.js';

/** What must be true of evidence and repository, whatever was killed when. */

export interface Ledger {
  /** What the source held when the run was started. */
  backupStarted(run: string, source: { files: number; bytes: number }): void;
  pruneStarted(run: string): void;
  /** At any moment: the evidence names nothing that is not there, and there is at most one copy that it does not name yet. */
  assertNothingInvented(): void;
  /** When every run so far has ended well. */
  assertSettled(): Promise<void>;
  readonly backups: number;
  readonly prunes: number;
}

interface Snapshot {
  id: string;
  tags: string[];
}

/** `keep`: how many of the newest copies the job's retention leaves. */
export function createLedger(estate: Estate, keep: number): Ledger {
  const backups = new Map<string, { files: number; bytes: number }>();
  const prunes: string[] = [];
  /** Copies that retention had removed when all was quiet the last time, and prunes that had been started by then. */
  let removedBefore = 0;
  let prunesBefore = 0;
  /** How many copies must be gone, because a prune that has ended was started after them. */
  let removable = 0;
  /** Snapshots of holdfast.yaml and of notes of sparse files, which are no copies of anything: by id, with their tag. */
  const beside = new Map<string, string>();

  return {
    get backups() {
      return backups.size;
    },
    get prunes() {
      return prunes.length;
    },
    backupStarted: (run, source) => void backups.set(run, source),
    pruneStarted(run) {
      prunes.push(run);
      removable = Math.max(0, copiesIn(estate).length - keep);
    },
    assertNothingInvented() {
      const before = copiesIn(estate);
      const there = snapshotFiles(estate);
      const after = copiesIn(estate);
      const most = prunes.length > 0 ? after.length - keep : 0;
      const invented = before.filter(({ snapshot }, index) => !there.has(snapshot) && index >= most);
      assert.deepEqual(invented, [], 'the evidence names copies that the repository does not hold');
      const named = new Set(after.map(({ snapshot }) => snapshot));
      const unnamed = [...there].filter((id) => !named.has(id) && !beside.has(id));
      // The first check or retention also stores these, one of each: they are known as such when all is quiet.
      const seen = new Set(beside.values());
      assert(
        unnamed.length <= 1 + besideTags.filter((tag) => !seen.has(tag)).length,
        `${unnamed.length} copies that no run has proved: ${unnamed.join(', ')}`,
      );
    },
    async assertSettled() {
      assert.deepEqual(resticsOf(estate), [], 'a restic is left');
      assert.deepEqual(locksOnDisk(estate.repository), [], 'a lock is left');
      const copies = copiesIn(estate);
      assert.deepEqual(
        copies.map(({ run, files, bytes, warnings }) => ({ run, files, bytes, warnings })).sort(byRun),
        [...backups].map(([run, source]) => ({ run, ...source, warnings: [] })).sort(byRun),
        'each backup has its proof, once, with all files of the source',
      );
      const all = (await estate.restic('snapshots', '--no-lock')) as Snapshot[];
      const snapshots = all.filter(({ tags }) => tags.includes('holdfast'));
      for (const { id, tags } of all)
        for (const tag of besideTags) if (tags.includes(tag)) beside.set(id, tag);
      const kept = copies.slice(copies.length - snapshots.length);
      assert.deepEqual(
        snapshots.map(({ id, tags }) => ({ id, run: runOf(tags) })),
        kept.map(({ snapshot, run }) => ({ id: snapshot, run })),
        'the repository holds the newest copies, each once, with the tag of its run',
      );
      const removed = copies.length - snapshots.length;
      const pruned = prunes.length > prunesBefore;
      const most = pruned ? Math.max(0, copies.length - keep) : removedBefore;
      assert(removed >= removable && removed <= most, `${removed} are gone: ${removable} to ${most} may be`);
      removedBefore = removed;
      prunesBefore = prunes.length;
    },
  };
}

const besideTags = [configTag, sparseTag];

const byRun = (a: { run: string }, b: { run: string }): number => (a.run < b.run ? -1 : 1);

const runOf = (tags: readonly string[]): string | undefined =>
  tags.find((tag) => tag.startsWith('run:'))?.slice('run:'.length);

/** The proved copies, in the order in which they were proved. */
function copiesIn({ stateFolder }: Estate) {
  const file = join(stateFolder, 'evidence.jsonl');
  const entries = existsSync(file) ? parseEvidence(readFileSync(file, 'utf8')) : [];
  return entries.flatMap((entry) => (entry.kind === 'copy' ? [entry] : []));
}

/** The name of a snapshot's file is its id: seen without restic, at any moment. Files being written have other names. */
const snapshotFiles = ({ repository }: Estate): Set<string> =>
  new Set(readdirSync(join(repository, 'snapshots')).filter((name) => /^[0-9a-f]{64}$/.test(name)));
