import { HoldfastError } from '../../contracts/errors.js';
import type { MissingDisk, SnapArray } from './array.js';
import { askDiff, askStatus } from './ask.js';
import { check } from './check.js';
import type { ArrayDisk } from './conf.js';
import { type Dead, deadOf, deadWords } from './dead-disks.js';
import { missingDisks } from './guard.js';
import { shortParities } from './guard-parity.js';
import { mountedAt } from './mounted-at.js';
import { wasOpenedOn } from './open-repair.js';
import { changedSince, overwriteLines, overwritesOf, refuseNewer } from './overwrites.js';
import type { Change } from './parse-diff.js';
import type { ArrayStatus } from './parse-status.js';
import { noContent, type Procedure } from './procedure.js';
import { isWeak, weakLines } from './weak.js';

/** A dead data disk, computed anew onto an empty one that is mounted in its place. */

/** What a new file system, or a desktop, puts there by itself. */
const ownNames = /^(lost\+found|\.Trash-\d+)$/;

/** The lists of files that snapraid writes to each disk at once, also to the new one, whatever the configuration calls them. */
const isContent = ({ conf }: SnapArray, { folder }: ArrayDisk, name: string): boolean =>
  conf.content.some((file) => `${folder}/${name}`.replace(/\.(lock|tmp)$/, '') === file);

export async function diskProcedure(array: SnapArray, settings: Record<string, string>): Promise<Procedure> {
  const disk = dataDisk(array, settings.disk ?? '');
  return {
    subject: subjectOf(disk),
    without: disk.name,
    // A new disk in the place of another dead one: what is on none is computed from the parities that are left.
    bears: ({ isThere, isFailing }, planning) => planning || isThere === true || isFailing === true,
    device: () => mountedAt(array.tools.host, disk.folder),
    fix: { disk: disk.name },
    async plan() {
      const status = await askStatus(array);
      const missing = await missingDisks(array);
      const useless = (await shortParities(array, status)).map(({ name }) => name);
      const others = missing.filter((one) => one.disk !== disk.name);
      const dead = deadOf(array.conf, [{ disk: disk.name, why: '' }, ...others], useless);
      const refused = whyNever(status, dead) ?? (await whyNotReady(array, disk, missing));
      const files = status.filesOfDisk.get(disk.name) ?? 0;
      const { changes } = await askDiff(array);
      const changed = changes.filter((change) => endangers(change, disk));
      const overwrites = overwritesOf(changes, disk.name);
      const exact = settings.check === 'full' ? await lostByCheck(array, disk) : undefined;
      return {
        what: `rebuild the ${files} files of disk ${disk.name} at ${disk.folder}`,
        lines: [
          ...deadLines(dead, others, useless),
          ...weakLines(status),
          ...endangeredLines(changed, dead, isWeak(status)),
          ...overwriteLines(overwrites, disk.name),
          ...(exact ?? []),
        ],
        bound: [
          files,
          status.unsynced,
          status.bad,
          changed.map(({ disk: on, path }) => [on, path]).sort(),
          dead,
          // Not what is wrong with them: a disk that fails counts on while somebody thinks about it.
          others.map(({ disk: on, isFailing = false }) => [on, isFailing]),
          await mountedAt(array.tools.host, disk.folder),
          ...(overwrites.length > 0 ? [overwrites] : []),
        ],
        overwrites,
        ...(refused !== undefined && { refused }),
      };
    },
    refuseNewer: () => refuseNewer(array, disk.name),
    async prove(fix) {
      const audit = await check(array, { disk: disk.name }, { auditOnly: true });
      const isClean = audit.exitCode === 0 && audit.exit === 'ok' && audit.errors === 0;
      if (isClean)
        return { isClean, words: `every file of ${disk.name} was read again and is as its hash says` };
      const lost = new Set(fix.files.unrecoverable);
      const changed = changedSince(fix, (await askDiff(array)).changes, disk.name);
      const wrong = [
        ...new Set([...audit.troubledFiles, ...audit.files.damaged, ...audit.files.unrecoverable]),
      ];
      const newer = wrong.filter((file) => changed.has(file) && !lost.has(file));
      const why =
        newer.length > 0
          ? `, of ${newer.length} files that were changed, moved or deleted while it was rebuilt: ${newer.slice(0, 10).join(', ')}`
          : '';
      return {
        isClean,
        // A repair that failed and names no lost file is explained by nothing.
        isExplained:
          wrong.length > 0 &&
          (lost.size > 0 || fix.exit !== 'unrecoverable') &&
          wrong.every((file) => lost.has(file) || changed.has(file)),
        words: `${audit.errors} errors were found when the files of ${disk.name} were read again${why}`,
      };
    },
  };
}

const subjectOf = ({ name }: ArrayDisk): string => `disk ${name}`;

function dataDisk({ conf, called }: SnapArray, name: string): ArrayDisk {
  const disk = conf.data.find((one) => one.name === name);
  if (disk) return disk;
  const isParity = conf.parity.some((parity) => parity.name === name);
  const known = conf.data.map((one) => one.name).join(', ');
  throw new HoldfastError(
    'HF_PATH_NOT_FOUND',
    isParity
      ? `"${name}" is a parity: use rebuild-parity`
      : `${called.config} has no data disk "${name.slice(0, 60)}"; it has: ${known}`,
  );
}

/** A rebuild onto the folder of an unmounted disk would fill the system disk; one onto files of somebody else could replace them. */
async function whyNotReady(
  array: SnapArray,
  disk: ArrayDisk,
  missing: readonly MissingDisk[],
): Promise<string | undefined> {
  const { host } = array.tools;
  // A new disk has no marker and no files: that is as it should be.
  const away = missing.find(({ disk: name, isThere }) => name === disk.name && !isThere);
  if (away) return `Disk ${disk.name} ${away.why}: mount the new disk there first`;
  const other = missing.find((one) => one.disk !== disk.name && !one.isThere && !one.isFailing);
  if (other) return `${other.disk} ${other.why} too: bring it back, or mount a new disk there as well, first`;
  // What a rebuild has brought there that did not come to its end is no surprise.
  if (await wasOpenedOn(array, subjectOf(disk), await mountedAt(host, disk.folder))) return undefined;
  const there = (await host.list(disk.folder)).filter(
    (name) => !ownNames.test(name) && !isContent(array, disk, name),
  );
  return there.length === 0 ? undefined : notEmpty(disk, there);
}

/** Without a list of the files, or without any parity, nothing can be computed. */
function whyNever({ isEmpty }: ArrayStatus, { left }: Dead): string | undefined {
  if (isEmpty) return noContent;
  return left === 0
    ? 'No parity is left: without one nothing can be had back. Bring one back first'
    : undefined;
}

const deadLines = (dead: Dead, others: readonly MissingDisk[], useless: readonly string[]): string[] => [
  ...[deadWords(dead).trim()].filter((words) => words !== ''),
  ...others.map(({ disk, why }) => `${disk} ${why}`),
  ...useless.map((name) => `${name} is too short, or its file is gone: it does not count`),
];

const notEmpty = ({ name, folder }: ArrayDisk, there: readonly string[]): string =>
  `Disk ${name} at ${folder} is not empty (${there.slice(0, 3).join(', ').replace(/\p{C}/gu, '?')}): is it the new one?`;

/** Blocks of other disks that changed since the last sync stand for what they were: they cannot help any more. */
const endangers = ({ kind, disk }: Change, { name }: ArrayDisk): boolean =>
  disk !== name && (kind === 'removed' || kind === 'updated');

function endangeredLines(changed: readonly Change[], { data, left }: Dead, weak: boolean): string[] {
  const disks = [...new Set(changed.map(({ disk }) => disk))];
  // A disk that is away counts once, also where snapraid takes its files for deleted ones.
  const unknown = new Set([...data, ...disks]).size;
  if (changed.length === 0)
    return [
      `nothing on the other disks was removed or changed since the last sync${weak || unknown > left ? '' : ': every file can be had back'}`,
    ];
  const certain = unknown <= left && !weak;
  const words = certain
    ? `every file can be had back all the same: they lie on ${disks.length} disk, and there are ${left} parities`
    : 'what shares its places with them can be lost: check=full names each';
  return [
    `${changed.length} files on ${disks.join(', ')} were removed or changed since the last sync; ${words}`,
    ...changed
      .slice(0, 50)
      .map(({ kind, disk, path }) => `  ${kind} ${disk}:${path}`.replace(/\p{C}/gu, '?').slice(0, 200)),
  ];
}

async function lostByCheck(array: SnapArray, disk: ArrayDisk): Promise<string[]> {
  const { files } = await check(array, { disk: disk.name });
  return [
    `everything was read: ${files.recoverable.length} files can be had back, ${files.unrecoverable.length} are lost`,
    ...files.unrecoverable.slice(0, 100).map((file) => `  lost ${file}`),
  ];
}
