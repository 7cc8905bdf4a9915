import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { temporalPath } from '../lab/places.js';
import { measureArray } from './array.js';
import { measureLarge, measureSmall } from './backups.js';
import { type Figure, machine, renderFigures } from './figures.js';
import { measureHistories } from './histories.js';
import { measureManyJobs } from './many-jobs.js';
import { execute } from './measure.js';
import { measureProcesses } from './processes.js';
import { startTwin } from './twin.js';
import { measureZfs } from './zfs.js';

/**
 * `npm run bench -- [--large] [--quick] [--only backups,large,processes,histories,many] [--json FILE]`: measures on this machine.
 * `npm run bench -- zfs [--datasets 50] [--turns 3] [--megabytes 500] [--kilobytes-each 100] [--disk-operations 150] [--no-syncoid] [--quick] [--json FILE]`: replication of ZFS beside other
 * tools, in the lab; its disks cost nothing unless they are held to so many operations a second, as a hard disk.
 * `npm run bench -- snapraid`: the nightly procedure beside the bare commands, on an array of loop devices. As root.
 * It judges nothing: what is slow here may be the machine.
 */

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    datasets: { type: 'string', default: '50' },
    turns: { type: 'string' },
    megabytes: { type: 'string' },
    'kilobytes-each': { type: 'string', default: '100' },
    'disk-operations': { type: 'string' },
    'no-syncoid': { type: 'boolean', default: false },
    large: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: 'processes,backups,histories,many' },
    json: { type: 'string' },
  },
});
const parts = new Set(
  positionals.length > 0 ? positionals : [...given.only.split(','), ...(given.large ? ['large'] : [])],
);
const repetitions = given.quick ? 2 : 7;

async function withTwin(): Promise<Figure[]> {
  if (!['processes', 'backups', 'histories', 'large'].some((part) => parts.has(part))) return [];
  const twin = await startTwin();
  try {
    twin.renew();
    return [
      ...(parts.has('processes') ? await measureProcesses(twin.estate, repetitions) : []),
      // Before the large sources: a copy with one file after one with 500 would not be believed.
      ...(parts.has('histories') ? await measureHistories(twin) : []),
      ...(parts.has('backups') ? await measureSmall(twin, repetitions) : []),
      ...(parts.has('backups') ? await measureLarge(twin, given.quick ? 200e6 : 2e9, 3) : []),
      ...(parts.has('large') ? await measureLarge(twin, 20e9, 2) : []),
    ];
  } finally {
    await twin.estate.stop();
  }
}

async function withCrowd(): Promise<Figure[]> {
  if (!parts.has('many')) return [];
  const crowd = given.quick ? { jobs: 50, runsOfJob: 4 } : { jobs: 500, runsOfJob: 10 };
  return measureManyJobs({ ...crowd, repetitions: given.quick ? 2 : 5 });
}

async function withHosts(): Promise<Figure[]> {
  if (!parts.has('zfs')) return [];
  const datasets = Number(given.datasets);
  const isFast = given['no-syncoid'] || datasets > 100;
  const turns = Number(given.turns ?? (given.quick ? 1 : 3));
  const megabytes = Number(given.megabytes ?? (given.quick ? 0 : 500));
  const slow = given['disk-operations'];
  const diskOperations = slow === undefined ? undefined : Number(slow);
  const kilobytesEach = Number(given['kilobytes-each']);
  return measureZfs({ datasets, kilobytesEach, isFast, turns, megabytes, diskOperations });
}

const firstLine = async (file: string, ...args: string[]): Promise<string> =>
  (await execute(file, args)).stdout.split('\n')[0] ?? '';

const about = machine({
  restic: await firstLine('restic', 'version'),
  temporal: await firstLine(temporalPath() ?? 'temporal', '--version'),
});
const array = parts.has('snapraid') ? await measureArray(given.quick ? 2 : 5) : [];
const figures = [...(await withTwin()), ...(await withCrowd()), ...(await withHosts()), ...array];
console.log(
  Object.entries(about)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n'),
);
console.log(`\n${renderFigures(figures)}`);
if (given.json) writeFileSync(given.json, `${JSON.stringify({ about, figures }, null, 2)}\n`);
