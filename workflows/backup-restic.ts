import { patched, sleep } from '@temporalio/workflow';
import type { Copy, JobInput, RunResult, Source } from '../contracts/jobs.js';
import { resourceLease, seedLease, storeLease } from '../contracts/names.js';
import { copyTo, freeze, look, summarise, type Work } from './steps/copy.js';
import { each, resultsOf, settleEach, settleSideBySide } from './steps/each.js';
import {
  copySeeded,
  coverEachSince,
  coverOnlyCopied,
  isSeeded,
  leaveToUpload,
  seedNext,
} from './steps/first-upload.js';
import {
  type Branch,
  eachStoreByItself,
  withLeases,
  withLeasesApart,
  withLeasesOf,
  withLeasesToTheEnd,
} from './steps/lease.js';
import type { Report } from './steps/report.js';
import { runJob } from './steps/run-job.js';
import { type Undo, withUndo } from './steps/undo.js';

/** Copies every resource of a job to every one of its stores and proves each copy. */
export const backupRestic = (job: JobInput): Promise<RunResult> =>
  runJob(job, async (input, report) => {
    if (input.firstUpload === 'aside') return copyBesideUploads(input, report);
    if (input.firstUpload === 'here') return uploadFirst(input, report);
    if (input.seeding) return summarise(await seedInThisRun(input, report));
    if (input.stores.length > 1 && patched(eachStoreByItself)) return copyToEach(input, report);
    return summarise(await withLeasesToTheEnd(leasesOf(input), report, () => copyAll(input, report)));
  });

const resourceLeasesOf = ({ sources }: JobInput): string[] =>
  sources.map(({ resource }) => resourceLease(resource));

const leasesOf = (input: JobInput): string[] => [
  ...resourceLeasesOf(input),
  ...input.stores.map((store) => storeLease(store)),
];

/** A store is free for others as soon as its own copies are made or given up, however long another one is away. */
const copyToEach = async (input: JobInput, report: Report): Promise<RunResult> =>
  summarise(
    await withLeasesToTheEnd(resourceLeasesOf(input), report, () =>
      copyAll(input, report, (stores, body) => withLeasesApart(stores.map(branchOf), report, body)),
    ),
  );

const branchOf = (store: string): Branch => ({ name: store, leases: [storeLease(store)] });

const copyAll = (
  input: Work,
  report: Report,
  atStores: typeof settleSideBySide<string, Copy[]> = settleSideBySide,
): Promise<Copy[]> =>
  withUndo(async (undo) => {
    let looked: ReturnType<typeof lookAtEach> | undefined;
    // Not before a store is free: what is read is then as new as it can be.
    const lookOnce = () => (looked ??= lookAtEach(input, report, undo));
    // Every store takes the resources one after the other, and waits for no other store.
    const copied = await atStores(input.stores, async (store) =>
      each((await lookOnce()).there, (source) => copyTo(store, source, input, report)),
    );
    return resultsOf<Copy[]>([...copied, ...(await lookOnce()).missing]).flat();
  });

/** What is there to be copied, and the failures of what is not. */
async function lookAtEach(input: Work, report: Report, undo: Undo) {
  const looked = await settleEach(input.sources, async (source) => {
    if (source.frozen) await freeze(source, input, report, undo);
    await look(source, input, report);
  });
  const there = input.sources.filter((_, index) => looked[index]?.status === 'fulfilled');
  return { there, missing: looked.filter((one) => one.status === 'rejected') };
}

/** Of a job that seeds: a store that has a copy gets its next one, however long the first upload to another store goes on. */
const copyBesideUploads = (input: JobInput, report: Report): Promise<RunResult> =>
  withLeasesToTheEnd(resourceLeasesOf(input), report, () =>
    withUndo(async (undo) => {
      const { there, missing } = await lookAtEach(input, report, undo);
      const done = await settleSideBySide(input.stores, (store) => copyOrLeave(store, there, input, report));
      const stores = resultsOf<Beside>([...done, ...missing]);
      const copies = stores.flatMap((store) => store.copies);
      const left = stores.flatMap((store) => store.left);
      if (left.length > 0) coverOnlyCopied(input, copies, report);
      return summarise(copies, left);
    }),
  );

interface Beside {
  copies: Copy[];
  /** What was left to the first upload, in words. */
  left: string[];
}

async function copyOrLeave(
  store: string,
  sources: Source[],
  input: JobInput,
  report: Report,
): Promise<Beside> {
  const asked = await each(sources, async (source) => ({
    source,
    seeded: await isSeeded(store, source, input),
  }));
  const unseeded = asked.flatMap(({ source, seeded }) => (seeded ? [] : [source]));
  const left = await leaveToUpload(store, unseeded, input, report);
  const seeded = asked.flatMap((one) => (one.seeded ? [one.source] : []));
  if (seeded.length === 0) return { copies: [], left };
  // A portion of another upload to this store may go on for hours: only this store waits for it.
  const copy = () => each(seeded, (source) => copySeeded(store, source, input, report));
  const copied = await (input.stores.length > 1 && patched(eachStoreByItself)
    ? withLeasesOf(branchOf(store), report, copy)
    : withLeases([storeLease(store)], report, copy));
  const gone = seeded.filter((_, at) => copied[at] === undefined);
  return {
    copies: copied.flatMap((copy) => copy ?? []),
    left: [...left, ...(await leaveToUpload(store, gone, input, report))],
  };
}

/** Portion by portion, then the copy, which sends only what is not there yet; one resource after the other, into one store. */
async function uploadFirst(input: JobInput, report: Report): Promise<RunResult> {
  const [store = ''] = input.stores;
  let portion = 0;
  const upload = async (source: Source): Promise<Copy[] | undefined> => {
    if (portion >= mostPortions) return undefined;
    const own = (): Work => ({ ...input, sources: [source], portion });
    for (let done = false; !done && portion < mostPortions; ) {
      portion += 1;
      ({ done } = await withLeases([storeLease(store)], report, () => seedNext(own(), report)));
      // Checks, prunes and the other backups to this store wait for weeks otherwise: the lease is free now.
      if (!done) await sleep(betweenPortions, { summary: 'let others have their turn' });
    }
    portion += 1;
    return withLeases(leasesOf(own()), report, () => copyAll(own(), report));
  };
  return withLeasesToTheEnd([seedLease(input.job, store)], report, async () => {
    const uploaded = await each(input.sources, upload);
    const copies = uploaded.flatMap((copied) => copied ?? []);
    const left = input.sources.filter((_, at) => uploaded[at] === undefined);
    const words = left.map(({ resource }) => `${resource} → ${store}: its turn comes with the next run`);
    if (input.sources.length > 1 && patched('2026-11-first-uploads-tell-each-moment'))
      coverEachSince(input, copies, report);
    else if (left.length > 0) coverOnlyCopied(input, copies, report);
    return summarise(copies, words);
  });
}

const betweenPortions = '10s';
/** A source that grows as fast as it is uploaded: the copy itself takes the rest, and the history stays short. */
const mostPortions = 500;

/** One resource and one store, as it was before uploads had runs of their own: such runs go on for weeks. */
async function seedInThisRun(input: JobInput, report: Report): Promise<Copy[]> {
  const leases = leasesOf(input);
  for (let portions = 0; portions < mostPortions; portions += 1) {
    const copies = await withLeases(leases, report, async () =>
      (await seedNext(input, report)).done ? copyAll(input, report) : undefined,
    );
    if (copies) return copies;
    await sleep(betweenPortions, { summary: 'let others have their turn' });
  }
  return withLeases(leases, report, () => copyAll(input, report));
}
