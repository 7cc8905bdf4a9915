import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noise } from '../test/support/content.js';
import { type Figure, median } from './figures.js';
import { runTool, settleDisk, timed } from './measure.js';
import type { Twin } from './twin.js';

/** A job against restic by hand: the same data, the same machine, one after the other, taking turns in who is first. */

const gigabyte = 1e9;
const fileBytes = 4_000_000;

/** A copy of next to nothing: what is left is the price of a run. */
export async function measureSmall(twin: Twin, repetitions: number): Promise<Figure[]> {
  const small = await sideBySide(twin, repetitions);
  const startSeconds: number[] = [];
  for (let times = 0; times < repetitions; times += 1)
    startSeconds.push(
      (await timed(() => runTool(twin.restic, ['snapshots', '--json', '--no-lock'], twin.environment)))
        .seconds,
    );
  const start = median(startSeconds);
  const over = small.ours.map((seconds, index) => seconds - (small.theirs[index] ?? 0));
  return [
    { part: 'one file', what: 'restic backup by hand', unit: 's', values: small.theirs },
    { part: 'one file', what: 'a restic start (snapshots)', unit: 's', values: startSeconds },
    { part: 'one file', what: 'holdfast run --follow', unit: 's', values: small.ours },
    {
      part: 'one file',
      what: 'holdfast over restic',
      unit: 's',
      values: over,
      wantedAtMost: 2 * start + 0.5,
      note: 'wanted: two restic starts and 0.5 s',
    },
    {
      part: 'one file',
      what: 'over restic and the starts beside the copy',
      unit: 's',
      values: over.map((seconds) => seconds - 2 * start),
      wantedAtMost: 0.5,
    },
    {
      part: 'one file',
      what: 'restic starts a run',
      unit: 'starts',
      values: small.starts,
      wantedAtMost: 3,
      note: small.verbs,
    },
  ];
}

/** The source and one repository at a time, with something to spare. */
const roomFactor = 2.25;

/** A source of this size that restic can neither compress nor deduplicate. */
export async function measureLarge(twin: Twin, bytes: number, repetitions: number): Promise<Figure[]> {
  const part = bytes < gigabyte ? `${bytes / 1e6} MB` : `${bytes / gigabyte} GB`;
  const { bavail, bsize } = statfsSync(twin.estate.folder);
  if (bavail * bsize < bytes * roomFactor) {
    process.stderr.write(`bench: ${part} left out: the disk has no room for a source and a repository\n`);
    return [];
  }
  const folder = join(twin.estate.source, 'large');
  mkdirSync(folder);
  for (let index = 0; index * fileBytes < bytes; index += 1)
    writeFileSync(join(folder, `${index}.bin`), noise(fileBytes, index));
  const { ours, theirs } = await sideBySide(twin, repetitions);
  rmSync(folder, { recursive: true });
  return [
    { part, what: 'restic backup by hand', unit: 's', values: theirs },
    { part, what: 'holdfast run --follow', unit: 's', values: ours },
    {
      part,
      what: 'holdfast to restic',
      unit: '×',
      values: [median(ours) / median(theirs)],
      wantedAtMost: 1.03,
      note: 'of the medians',
    },
    { part, what: 'holdfast', unit: 'MB/s', values: ours.map((seconds) => bytes / 1e6 / seconds) },
  ];
}

interface Sides {
  ours: number[];
  theirs: number[];
  starts: number[];
  verbs: string;
}

async function sideBySide(twin: Twin, repetitions: number): Promise<Sides> {
  const sides: Sides = { ours: [], theirs: [], starts: [], verbs: '' };
  const ours = async (): Promise<void> => {
    twin.takeStarts();
    sides.ours.push((await timed(() => runJob(twin))).seconds);
    const verbs = twin.takeStarts();
    sides.starts.push(verbs.length);
    sides.verbs = verbs.join(', ');
  };
  const theirs = async (): Promise<void> => {
    sides.theirs.push((await timed(() => runByHand(twin))).seconds);
  };
  for (let times = 0; times < repetitions; times += 1) {
    for (const side of times % 2 === 0 ? [ours, theirs] : [theirs, ours]) {
      // Before each side: two repositories of a large source would need too much room at once.
      twin.renew();
      await settleDisk();
      await side();
    }
  }
  return sides;
}

async function runJob({ estate }: Twin): Promise<void> {
  const ended = await estate.holdfast('run', 'photos-offsite', '--follow');
  if (ended.code !== 0) throw new Error(`the job ended with ${ended.code}: ${ended.stderr}`);
}

const runByHand = ({ restic, environment, estate }: Twin): Promise<void> =>
  runTool(restic, ['backup', '--json', '--host=nas', '--tag=by-hand', '--', estate.source], environment);
