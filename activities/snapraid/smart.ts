import type { DiskHealth, SnapraidSmartReport } from '../../contracts/snapraid.js';
import type { RunResult } from '../../system/host.js';
import { addEvidence } from '../host/evidence.js';
import type { BareArray, SnapArray } from './array.js';
import { ask } from './ask.js';
import { type ArrayDisk, placesOf } from './conf.js';
import { areAllAsleep, parseSmartctl, type SmartFacts, snapraidSmart } from './parse-smart.js';

/** The health of the disks under an array, as they tell it themselves. */

export interface Health extends SmartFacts {
  disk: string;
  device: string;
}

/** Without smartctl, and of what is no real disk (a loop device, a virtual one), nothing is known: that is no trouble. */
export async function askHealth(array: BareArray, disks: readonly ArrayDisk[]): Promise<Health[]> {
  if ((await array.tools.host.findProgram(array.smartctl)) === undefined) return [];
  const asked = new Map<string, SmartFacts | undefined>();
  const found: Health[] = [];
  for (const { name, folder } of disks) {
    for (const which of await askedFor(array, name, folder)) {
      const device = which.join(' ');
      if (!asked.has(device)) asked.set(device, await askDevice(array, which));
      const facts = asked.get(device);
      const isTold = found.some((one) => one.disk === name && one.device === device);
      if (facts && !isTold) found.push({ disk: name, device, ...facts });
    }
  }
  return found;
}

/** What smartctl is told for a disk: a device, or what snapraid.conf says of it, where %s stands for the device. */
async function askedFor(array: BareArray, name: string, folder: string): Promise<string[][]> {
  const own = array.conf.smartctl.get(name);
  // Behind a controller the device is another one than that of the file system.
  if (own !== undefined && !own.some((word) => word.includes('%s'))) return [own];
  const devices = await devicesOf(array, folder);
  return devices.map(
    (device) => own?.map((word) => word.replace(/(?:\/dev\/)?%s/, () => device)) ?? [device],
  );
}

async function askDevice(
  { tools: { host, signal }, smartctl }: BareArray,
  which: readonly string[],
): Promise<SmartFacts | undefined> {
  const args = ['--json', '--health', '--attributes', '--nocheck=standby', ...which];
  return parseSmartctl((await host.run({ file: smartctl, args }, { signal })).stdout);
}

/**
 * The whole disks below a folder: smartctl knows no encrypted or logical volume, and those of several disks are as ill as the worst.
 * Without the root within the file system, which a subvolume or a folder that is mounted elsewhere has.
 */
async function devicesOf({ tools: { host, signal } }: BareArray, folder: string): Promise<string[]> {
  const mount = ['--noheadings', '--nofsroot', '--output', 'SOURCE', '--target', folder];
  const { exitCode, stdout } = await host.run({ file: 'findmnt', args: mount }, { signal });
  const source = stdout.trim().split('\n')[0] ?? '';
  if (exitCode !== 0 || !source.startsWith('/dev/')) return [];
  const below = ['--noheadings', '--list', '--inverse', '--paths', '--output', 'TYPE,NAME', source];
  const disks = disksIn((await host.run({ file: 'lsblk', args: below }, { signal })).stdout);
  return disks.length > 0 ? disks : [source];
}

/** Of a list by lsblk. */
const disksIn = (listing: string): string[] => [
  ...new Set(listing.split('\n').flatMap((line) => /^disk\s+(\/dev\/\S+)/.exec(line)?.[1] ?? [])),
];

const hotFrom = 55;
const likelyFrom = 50;

/** What the disks say, and the probability that snapraid makes of it. */
export async function reportHealth(array: SnapArray): Promise<SnapraidSmartReport> {
  const { lines, result } = await ask(array, { verb: 'smart' });
  const places = placesOf(array.conf);
  const told = snapraidSmart(lines).filter(({ unknown }) => !unknown);
  const asked = await askHealth(array, places);
  const disks = [...new Set([...told, ...asked].map(({ disk }) => disk))].map((disk): DiskHealth => {
    const ours = worstOf(asked.filter((one) => one.disk === disk));
    const theirs = worstOf(told.filter((one) => one.disk === disk));
    return { disk, device: '', ...theirs, ...ours };
  });
  const { tools, input } = array;
  await addEvidence(tools.host, { kind: 'array-smart', run: input.run, resource: input.resource, disks });
  const known = new Set(disks.map(({ disk }) => disk));
  const unknown = [...new Set(places.map(({ name }) => name))].filter((name) => !known.has(name));
  return { resource: input.resource, disks, unknown, warnings: healthWarnings(disks, result) };
}

type OfDevices = Omit<DiskHealth, 'disk'>;

/** A parity that is split lies on several devices under one name. */
function worstOf(devices: readonly OfDevices[]): Partial<OfDevices> {
  const most = (name: 'temperature' | 'failureProbability'): Partial<OfDevices> => {
    const told = devices.flatMap((one) => one[name] ?? []);
    return told.length > 0 ? { [name]: Math.max(...told) } : {};
  };
  const troubles = [...new Set(devices.flatMap(({ trouble }) => trouble ?? []))];
  return {
    ...(devices.length > 0 && { device: devices.map(({ device }) => device).join(', ') }),
    ...most('temperature'),
    ...most('failureProbability'),
    ...(troubles.length > 0 && { trouble: troubles.join(', ') }),
  };
}

/** snapraid ends with 1 when a disk fails or is about to, and names it in a table for people alone. Pure. */
export function healthWarnings(
  disks: readonly DiskHealth[],
  { exitCode, stderrTail }: Pick<RunResult, 'exitCode' | 'stderrTail'>,
): string[] {
  const warnings = disks.flatMap(warningsOf);
  if (exitCode === 0 || disks.some(({ trouble }) => trouble !== undefined)) return warnings;
  const words = stderrTail.trim().split('\n').slice(-2).join(' ').slice(0, 150);
  // Version 14 ends so where a single disk is none that it can ask, such as a virtual one.
  if (disks.length === 0)
    return [
      `the health of no disk is known: snapraid smart ended with ${exitCode}${words ? ` (${words})` : ''}`,
    ];
  return [
    ...warnings,
    `snapraid smart ended with ${exitCode}: a disk fails or is about to, or its health cannot be asked for${words ? ` (${words})` : ''}. Look with "snapraid smart"`,
  ];
}

function warningsOf({ disk, trouble, temperature = 0, failureProbability = 0 }: DiskHealth): string[] {
  return [
    ...(trouble === undefined ? [] : [`disk ${disk}: ${trouble}`]),
    ...(temperature >= hotFrom ? [`disk ${disk} has ${temperature} °C`] : []),
    ...(failureProbability >= likelyFrom
      ? [`disk ${disk} fails within a year with ${failureProbability} % probability`]
      : []),
  ];
}

/** Where the disks can be told to sleep; what is no real disk cannot. */
export async function spinDown(array: SnapArray): Promise<{ down: boolean }> {
  if (!array.job.spinDown) return { down: false };
  const { lines, result } = await ask(array, { verb: 'down' });
  array.tools.log(`snapraid down: exit ${result.exitCode} ${result.stderrTail.trim().slice(-200)}`);
  return { down: result.exitCode === 0 && areAllAsleep(lines) };
}
