import { join } from 'node:path';
import { HoldfastError } from '../../contracts/errors.js';
import type { BareArray, MissingDisk, SnapArray } from './array.js';
import { type ArrayDisk, placesOf } from './conf.js';
import { deadOf, deadWords } from './dead-disks.js';
import { mountOf, sharing, unmounted, unplugged } from './mounts.js';
import { askHealth } from './smart.js';

/** Before anything is compared: is every disk there, and is it the right one? An empty mount point looks like a disk whose files were deleted. */

/** Throws when a disk is missing or failing: no sync may run then, and none is offered. */
export async function guardDisks(array: SnapArray): Promise<void> {
  const missing = await missingDisks(array);
  // From the data disks everything else is computed: they come first.
  const first = missing.find(({ disk }) => array.conf.data.some(({ name }) => name === disk)) ?? missing[0];
  if (!first) return;
  const { resource } = array.input;
  const named = missing.map(({ disk, why }) => `${disk} ${why}`).join('; ');
  const several = deadWords(deadOf(array.conf, missing));
  throw new HoldfastError(
    'HF_ARRAY_DISK_MISSING',
    `Do not sync "${resource}": ${several}disk ${named.slice(0, 150)}. ${nextFor(array, first)}`,
    { disks: missing.map(({ disk }) => disk) },
  );
}

/** A disk without its marker may well be the right one: just rebuilt, from an array that leaves hidden files out. */
const nextFor = (array: SnapArray, { disk, marker }: MissingDisk): string =>
  marker === undefined
    ? `Plan: ${planCommand(array, disk)}`
    : `If it is the right disk, with its files: touch ${quoted(marker)}. If it is a new one: ${planCommand(array, disk)}`;

const quoted = (path: string): string =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;

/** A parity is computed anew, a data disk is rebuilt. */
export const planCommand = ({ conf, input: { job } }: SnapArray, disk: string): string =>
  conf.parity.some(({ name }) => name === disk)
    ? `holdfast do ${job} rebuild-parity --set parity=${disk} --plan`
    : `holdfast do ${job} replace-disk --set disk=${disk} --plan`;

/** Every disk that is not there as it should be, and what is wrong with it. */
export async function missingDisks(array: BareArray): Promise<MissingDisk[]> {
  const { conf } = array;
  if (conf.data.length === 0 || conf.parity.length === 0) throw noDisks(array);
  const found: MissingDisk[] = [];
  const there: ArrayDisk[] = [];
  // First, because reading of such a disk fails.
  const gone = await unplugged(array, placesOf(conf));
  for (const disk of placesOf(conf)) {
    if (gone.some((one) => one.disk === disk.name)) continue;
    const why = await whyAway(array, disk);
    if (why !== undefined) found.push({ disk: disk.name, ...why });
    // One without its marker can be failing too, or lie on the disk of another.
    if (why === undefined || why.isThere) there.push(disk);
  }
  return [
    ...gone,
    ...found,
    ...(await sharing(array, there)),
    ...(await unmounted(array, there)),
    ...(await failing(array, there)),
  ];
}

async function whyAway(
  { tools, config, conf }: BareArray,
  disk: ArrayDisk,
): Promise<Omit<MissingDisk, 'disk'> | undefined> {
  const { host, signal } = tools;
  const facts = await host.facts(disk.folder);
  if (!facts) return { why: `has no folder ${disk.folder}` };
  if (config.mounted && (await mountOf(host, disk.folder)) === undefined)
    return { why: `is not mounted at ${disk.folder}` };
  if (!conf.data.includes(disk)) return undefined;
  const own = config.disks[disk.name];
  const marker = own?.marker ?? config.marker;
  const proof = marker === undefined ? undefined : join(disk.folder, marker);
  if (proof !== undefined && !(await host.exists(proof)))
    return { why: `has no marker ${proof}`, isThere: true, marker: proof };
  const least = own?.leastFiles ?? config.leastFiles ?? 0;
  if (least === 0) return undefined;
  const { files } = await host.countTree(disk.folder, { files: least, bytes: 0 }, signal);
  if (files >= least) return undefined;
  return { why: `holds ${files} files, and ${least} at least are expected`, isThere: true };
}

/** A disk that says of itself that it fails is not written to any more. */
async function failing(array: BareArray, disks: readonly ArrayDisk[]): Promise<MissingDisk[]> {
  const health = await askHealth(array, disks);
  return health.flatMap(({ disk, isFailing, trouble }) =>
    isFailing ? [{ disk, why: `is failing: ${trouble}`, isFailing: true as const }] : [],
  );
}

const noDisks = ({ called, tools: { host } }: BareArray): HoldfastError =>
  new HoldfastError(
    'HF_CONFIG_INVALID',
    `${called.config} on "${host.name}" names no data disk or no parity: is it the right file?`,
  );
