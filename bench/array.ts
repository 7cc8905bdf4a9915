import { makeArray, type TestArray } from '../test/support/array.js';
import { startArrayEstate } from '../test/support/array-estate.js';
import { noise } from '../test/support/content.js';
import type { Estate } from '../test/support/estate.js';
import { type Figure, median } from './figures.js';
import { settleDisk, timed } from './measure.js';

/** The nightly procedure beside the bare commands, on the same array with the same changes, taking turns in who is first. */

const megabytesPerNight = 60;

export async function measureArray(repetitions: number): Promise<Figure[]> {
  const array = makeArray({
    disks: 4,
    parities: 2,
    megabytes: 40 + repetitions * 2 * (megabytesPerNight / 2),
  });
  for (const disk of Object.keys(array.data))
    for (let at = 0; at < 500; at += 1) array.write(disk, `Films/${at % 9}/${at}.mkv`, noise(20_000, at));
  const estate = await startArrayEstate(array, (config) => {
    config.jobs.nightly.steps = ['touch', 'sync', 'scrub'];
    config.jobs.nightly.scrub = { percent: 10, olderThan: '0s' };
  });
  try {
    await night(estate);
    return await sideBySide(estate, array, repetitions);
  } finally {
    await estate.stop();
  }
}

async function sideBySide(estate: Estate, array: TestArray, repetitions: number): Promise<Figure[]> {
  const ours: number[] = [];
  const theirs: number[] = [];
  let seed = 0;
  const change = async (): Promise<void> => {
    for (const disk of ['d1', 'd2'])
      for (let at = 0; at < 10; at += 1) {
        seed += 1;
        array.write(disk, `new/${seed}.mkv`, noise((megabytesPerNight / 20) * 1e6, seed));
      }
    await settleDisk();
  };
  for (let times = 0; times < repetitions; times += 1) {
    const sides = [
      async () => void ours.push((await timed(() => night(estate))).seconds),
      async () => void theirs.push((await timed(async () => bareCommands(array))).seconds),
    ];
    for (const side of times % 2 === 0 ? sides : sides.reverse()) {
      await change();
      await side();
    }
  }
  const part = `SnapRAID, ${megabytesPerNight} MB new of 2000 files`;
  return [
    { part, what: 'status, touch, diff, sync -h, scrub, status by hand', unit: 's', values: theirs },
    { part, what: 'holdfast run --follow', unit: 's', values: ours },
    {
      part,
      what: 'holdfast over the bare commands',
      unit: 's',
      values: [median(ours) - median(theirs)],
      note: 'of the medians; looks at status and diff again right before and after the sync',
    },
  ];
}

async function night(estate: Estate): Promise<void> {
  const { code, stderr } = await estate.holdfast('run', 'nightly', '--follow');
  if (code !== 0) throw new Error(`the job ended with ${code}: ${stderr}`);
}

function bareCommands(array: TestArray): void {
  const steps = [
    ['status'],
    ['touch'],
    ['diff'],
    ['-h', 'sync'],
    ['-p', '10', '-o', '0', 'scrub'],
    ['status'],
  ];
  for (const args of steps) {
    const { code, stderr } = array.snapraid(...args);
    const wanted = args[0] === 'diff' ? 2 : 0;
    if (code !== wanted) throw new Error(`snapraid ${args.join(' ')} ended with ${code}: ${stderr}`);
  }
}
