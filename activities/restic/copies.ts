import { resourceOf, storesOf, workerHostOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import type { KnownCopy, ListCopiesStep, StoreCopies } from '../../contracts/copies.js';
import { HoldfastError } from '../../contracts/errors.js';
import { tags } from '../../contracts/names.js';
import type { Tools } from '../door.js';
import { type Evidence, provedCopies, provedParts, readEvidence } from '../host/evidence.js';
import { listSnapshots, openRestic } from './driver.js';
import { jobWith } from './job.js';
import { knownOf, pointOf, proofOf } from './known.js';
import type { Snapshot } from './parse.js';
import { partsIn } from './seed-parts.js';

/** Which copies a store holds, and what is known of each: the store says what is there, the evidence what was proved. */

/** One listing for all of the resources. */
export async function listCopies(tools: Tools, step: ListCopiesStep): Promise<StoreCopies> {
  const { host, config } = tools;
  const { store, resources, limit, maxCharacters } = step;
  const asked = resources.flatMap((resource) => jobsOf(config, resource, store));
  const restic = await openRestic(tools, store, 'copies');
  const listing = await listSnapshots(restic, []);
  const evidence = await readEvidence(host);
  const known = asked.flatMap(({ job, resource }) => {
    const home = workerHostOf(config, resourceOf(config, resource).host);
    return knownCopies(listing, evidence, { job, resource, store, home, host: host.name });
  });
  const wanted = resources.flatMap((resource) => newestOf(known, resource).slice(0, limit));
  const copies = fitting(newestFirst(wanted), maxCharacters);
  return { store, copies, more: known.length - copies.length };
}

/** The jobs that put this resource into this store; none at all is a question that this host does not answer. */
function jobsOf(config: Config, resource: string, store: string): { job: string; resource: string }[] {
  const all = Object.entries(config.jobs).filter(([, job]) => job.resources.includes(resource));
  const found = all.filter(([, job]) => storesOf(job).includes(store));
  for (const [job] of found) jobWith(config, { job, resource, store });
  if (found.length > 0) return found.map(([job]) => ({ job, resource }));
  throw new HoldfastError(
    'HF_NOT_IN_CONFIG',
    `No job in this host's holdfast.yaml keeps "${resource}" in "${store}"; give every host the same file`,
  );
}

interface Wanted {
  job: string;
  resource: string;
  store: string;
  /** The host that makes the copies. */
  home: string;
  /** The one that is asked. */
  host: string;
}

/** The copies of one job and resource, newest first. Pure. */
export function knownCopies(
  listing: readonly Snapshot[],
  evidence: readonly Evidence[],
  wanted: Wanted,
): KnownCopy[] {
  const { job, resource, home } = wanted;
  const proved = new Map(provedCopies(evidence, wanted).map((copy) => [copy.snapshot, copy]));
  const known = knownOf(evidence);
  const ofIt = listing.filter(
    (copy) => copy.tags.includes(tags.job(job)) && copy.tags.includes(tags.resource(resource)),
  );
  const copies = ofIt.map((snapshot): KnownCopy => {
    const { id, hostname, summary } = snapshot;
    const { files, bytes, at } = proved.get(id) ?? { ...summary, at: undefined };
    const restored = restoredAt(evidence, id, wanted.store);
    const provedAt = restored ?? at;
    return {
      resource,
      job,
      run: runOf(snapshot),
      snapshot: id,
      restorePoint: pointOf(known, snapshot),
      ...(files !== undefined && { files }),
      ...(bytes !== undefined && { bytes }),
      ...(hostname !== home && { madeBy: hostname }),
      proof: proofOf(known, snapshot, wanted.host),
      ...(provedAt && { provedAt, provedBy: restored ? 'restore' : 'backup' }),
      held: false,
    };
  });
  const parts = partsIn(listing, wanted).slice(-1);
  return markHeld(newestFirst([...copies, ...parts.map((part) => knownPart(part, evidence, wanted))]));
}

/** Of the parts of a first upload the newest one holds all others. */
function knownPart(part: Snapshot, evidence: readonly Evidence[], wanted: Wanted): KnownCopy {
  const { id, time, hostname, summary } = part;
  const proof = provedParts(evidence, wanted).find(({ snapshot }) => id.startsWith(snapshot));
  const { files, bytes } = proof ?? summary ?? {};
  return {
    resource: wanted.resource,
    job: wanted.job,
    run: runOf(part),
    snapshot: id,
    restorePoint: new Date(time).toISOString(),
    ...(files !== undefined && { files }),
    ...(bytes !== undefined && { bytes }),
    isPart: true,
    ...(hostname !== wanted.home && { madeBy: hostname }),
    proof: 'not proved',
    held: false,
  };
}

const runOf = ({ tags: all }: Snapshot): string => {
  const [prefix] = [tags.run('')];
  return (
    all
      .find((tag) => tag.startsWith(prefix))
      ?.slice(prefix.length)
      .slice(0, 100) ?? ''
  );
};

/** The last time that a restore of this copy was compared with it. */
const restoredAt = (evidence: readonly Evidence[], snapshot: string, store: string): string | undefined =>
  evidence.findLast(
    (entry) => entry.kind === 'restore' && entry.store === store && entry.report.snapshot === snapshot,
  )?.at;

const newestFirst = (copies: readonly KnownCopy[]): KnownCopy[] =>
  copies.toSorted((a, b) => Date.parse(b.restorePoint) - Date.parse(a.restorePoint));

const newestOf = (copies: readonly KnownCopy[], resource: string): KnownCopy[] =>
  newestFirst(copies.filter((copy) => copy.resource === resource));

/** Where nothing is known of proofs, as on another host, the newest that was not refused is what retention keeps. */
function markHeld(copies: KnownCopy[]): KnownCopy[] {
  const held =
    copies.find(({ proof }) => proof === 'proved') ??
    copies.find(({ proof, madeBy }) => proof === 'unknown' && madeBy === undefined);
  return copies.map((copy) => ({ ...copy, held: copy === held }));
}

/** As many of the newest as fit. */
function fitting(copies: KnownCopy[], maxCharacters: number): KnownCopy[] {
  let length = 0;
  const end = copies.findIndex((copy) => {
    length += JSON.stringify(copy).length + 1;
    return length > maxCharacters;
  });
  return end < 0 ? copies : copies.slice(0, end);
}
