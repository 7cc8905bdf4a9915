import { HoldfastError } from '../../contracts/errors.js';
import type { StepInput } from '../../contracts/jobs.js';
import { tags } from '../../contracts/names.js';
import type { SeedReport } from '../../contracts/seeding.js';
import { ticks } from '../../system/clock.js';
import type { Tools } from '../door.js';
import {
  addEvidence,
  type PartProved,
  provedCopies,
  provedParts,
  readEvidence,
  refusedCopies,
} from '../host/evidence.js';
import { checkSourceThere, guardSource } from '../host/guard.js';
import { whatIsRead } from '../zfs/read-source.js';
import { copyTags, listSnapshots, openRestic, type Restic, removeStaleLocks } from './driver.js';
import { checkHostOf, checkRunOfJob, jobWith } from './job.js';
import { madeBy } from './made-by.js';
import type { BackupSummary, Snapshot } from './parse.js';
import { asResticWrites, leftOut, runBackup } from './run-backup.js';
import { measureSource } from './seed-measure.js';
import { partsIn } from './seed-parts.js';
import { type Position, secondsLeftAt, seedProgress } from './seed-progress.js';
import { type Bounds, isTaken, type Portion, portionsOf, type SourceNode, shortest } from './seed-split.js';
import { refuseOldVersion } from './versions.js';

/**
 * The first upload, one portion a step: what the source holds, what the newest part holds, and the next portion of the difference. Nothing
 * is remembered but the parts themselves, so it goes on after whatever happened. The copy that follows takes what changed or was left out.
 */

/** Each portion costs a walk over the source and fifty events in the history, which may have 51,200. */
const mostPortions = 200;
/** restic costs so much for every file that many small ones make a portion, too. */
const filesInPortion = 250_000;

/** As far as this host knows: the store itself is asked by whoever copies. */
export async function isSeeded(tools: Tools, input: StepInput): Promise<{ seeded: boolean }> {
  jobWith(tools.config, input);
  checkHostOf(tools.config, input.resource, tools.host.name);
  return { seeded: provedCopies(await readEvidence(tools.host), input).length > 0 };
}

/** Uploads the next portion; `done` when the copy itself comes next. What is in the store counts, not what is known of it: it may be a new one. */
export async function seedPortion(tools: Tools, input: StepInput): Promise<SeedReport> {
  const { seeding, exclude } = jobWith(tools.config, input);
  checkRunOfJob(input.run, input.job);
  checkHostOf(tools.config, input.resource, tools.host.name);
  if (!seeding) return nothingToSeed;
  const { guarded, frozen } = await whatIsRead(tools, input);
  await guardSource(guarded);
  const restic = await openRestic(tools, input.store, input.resource);
  await refuseOldVersion(restic);
  await removeStaleLocks(restic);
  restic.progress({ phase: 'asking the store' });
  const listing = madeBy(tools.host.name, await listSnapshots(restic, []));
  const evidence = await readEvidence(tools.host);
  if (hasCopy(listing, input, refusedCopies(evidence, input))) return nothingToSeed;
  restic.progress({ phase: 'measuring the source' });
  const directory = asResticWrites(guarded.config.directory);
  const { root, bounds } = await measureSource(tools, directory, (whole) =>
    boundsFor(whole, seeding.portion),
  );
  const parts = partsIn(listing, input);
  const seed = whereSeedStands(root, bounds, parts, provedParts(evidence, input));
  const part = await uploadNext(restic, input, {
    seed,
    exclude: leftOut(guarded.config, exclude),
    checkSource: async () => {
      await checkSourceThere(guarded);
      await frozen?.check();
    },
  });
  return reportOf(seed, part);
}

const nothingToSeed: SeedReport = {
  done: true,
  hasCopy: true,
  portionsDone: 0,
  portions: 0,
  bytesDone: 0,
  bytesTotal: 0,
};

const hasCopy = (
  listing: readonly Snapshot[],
  { job, resource }: StepInput,
  refused: ReadonlySet<string>,
): boolean =>
  listing.some(
    (snapshot) =>
      copyTags(job, resource).every((tag) => snapshot.tags.includes(tag)) && !refused.has(snapshot.id),
  );

/** A larger source has larger portions, so that their number stays the same. */
const boundsFor = (whole: Bounds, portion: number): Bounds => ({
  bytes: Math.max(portion, Math.ceil(whole.bytes / mostPortions)),
  files: Math.max(filesInPortion, Math.ceil(whole.files / mostPortions)),
});

interface Seed {
  root: SourceNode;
  portions: Portion[];
  /** By place in `portions`. */
  isDone: boolean[];
  /** Also one that was not proved: restic compares every file with it by itself. */
  parent: Snapshot | undefined;
  last: PartProved | undefined;
}

/** Only a part that was proved says that its paths are done: the source may have gone away under any other. */
export function whereSeedStands(
  root: SourceNode,
  bounds: Bounds,
  parts: readonly Snapshot[],
  proved: readonly PartProved[],
): Seed {
  const portions = portionsOf(root, bounds);
  const isProof = ({ snapshot }: PartProved, { id }: Snapshot): boolean => id.startsWith(snapshot);
  const newest = parts.findLast((part) => proved.some((proof) => isProof(proof, part)));
  const last = newest && proved.find((proof) => isProof(proof, newest));
  // What fits into one portion is a copy like any other.
  const isDone = portions.map((portion) => portions.length === 1 || isTaken(portion, newest?.paths ?? []));
  return { root, portions, isDone, parent: parts.at(-1), last };
}

interface Upload {
  seed: Seed;
  exclude: readonly string[];
  checkSource(): Promise<void>;
}

/** Undefined when nothing is left to upload. */
async function uploadNext(restic: Restic, input: StepInput, upload: Upload): Promise<PartProved | undefined> {
  const { seed, exclude, checkSource } = upload;
  const next = seed.isDone.indexOf(false);
  if (next < 0) return undefined;
  const pathsFile = await writePaths(restic, input, pathsUpTo(seed, next));
  const at = positionOf(seed, next);
  const started = ticks();
  const { summary } = await runBackup(
    { ...restic, progress: seedProgress(restic, at) },
    {
      host: restic.host.name,
      tags: ['holdfast', tags.part(input.job, input.resource), tags.run(input.run)],
      exclude,
      paths: [],
      pathsFile,
      ...(seed.parent && { parent: seed.parent.id }),
    },
    at.phase,
  );
  await checkSource();
  return provePart(restic, input, { summary, tookMs: ticks() - started, last: seed.last });
}

/** Everything that is done, and one portion more. */
function pathsUpTo({ root, portions, isDone }: Seed, next: number): string[] {
  const taken = portions.filter((_, at) => isDone[at] || at === next);
  return shortest(root, new Set(taken.flatMap(({ units }) => units.map(({ path }) => path))));
}

async function writePaths({ host }: Restic, { job, resource, store }: StepInput, paths: readonly string[]) {
  const folder = `${host.stateFolder}/seeds`;
  // Names may hold "-": with it between them two jobs could be given each other's paths.
  const file = `${folder}/${job}.${resource}.${store}`;
  await host.makeFolder(folder);
  await host.writeFile(file, paths.map((path) => `${path}\0`).join(''));
  return file;
}

const sumOf = (portions: readonly Portion[], key: 'bytes' | 'files'): number =>
  portions.reduce((sum, portion) => sum + portion[key], 0);

/** What is done counts as restic took it, because `exclude` leaves things out; what is to come counts as it was measured. */
function countedBytes(portions: readonly Portion[], done: readonly Portion[], taken: PartProved | undefined) {
  const bytesDone = Math.min(taken?.bytes ?? 0, sumOf(done, 'bytes'));
  const bytesLeft = sumOf(portions, 'bytes') - sumOf(done, 'bytes');
  return { bytesDone, bytesTotal: bytesDone + bytesLeft };
}

function positionOf({ portions, isDone, last }: Seed, next: number): Position {
  const done = portions.filter((_, at) => isDone[at]);
  const { bytesDone, bytesTotal } = countedBytes(portions, done, last);
  return {
    phase: `seeding, portion ${done.length + 1} of ${portions.length}`,
    bytesBefore: bytesDone,
    portionBytes: portions[next]?.bytes ?? 0,
    bytesTotal,
    filesTotal: sumOf(portions, 'files'),
    readBefore: last?.bytes ?? 0,
    bytesPerSecondBefore: last ? (last.bytesNew * 1000) / Math.max(1, last.tookMs) : 0,
  };
}

async function provePart(
  { host, store }: Restic,
  { job, resource, run }: StepInput,
  {
    summary,
    tookMs,
    last,
  }: { summary: BackupSummary | undefined; tookMs: number; last: PartProved | undefined },
): Promise<PartProved> {
  if (!summary?.snapshot) {
    const message = `restic ended well for a portion of "${resource}" into "${store}", but never said what it made`;
    throw new HoldfastError('HF_COPY_NOT_PROVED', message);
  }
  const { snapshot, files, bytes } = summary;
  const bytesNew = Math.max(0, bytes - (last?.bytes ?? 0));
  const proof = {
    kind: 'seed-part',
    run,
    job,
    resource,
    store,
    snapshot,
    files,
    bytes,
    bytesNew,
    tookMs,
  } as const;
  await addEvidence(host, proof);
  return proof;
}

function reportOf(seed: Seed, part: PartProved | undefined): SeedReport {
  const next = seed.isDone.indexOf(false);
  const done = seed.portions.filter((_, at) => seed.isDone[at] || (part && at === next));
  const { bytesDone, bytesTotal } = countedBytes(seed.portions, done, part ?? seed.last);
  const rate = part ? (part.bytesNew * 1000) / Math.max(1, part.tookMs) : 0;
  const secondsLeft = secondsLeftAt(bytesTotal - bytesDone, rate);
  return {
    done: done.length === seed.portions.length,
    portionsDone: done.length,
    portions: seed.portions.length,
    bytesDone,
    bytesTotal,
    ...(!part && { idle: true }),
    ...(secondsLeft !== undefined && { secondsLeft }),
  };
}
