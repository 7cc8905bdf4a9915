import { HoldfastError } from '../../contracts/errors.js';
import type { SnapArray } from './array.js';
import { askDiff, askStatus, failed } from './ask.js';
import type { ArrayDisk } from './conf.js';
import { missingDisks } from './guard.js';
import { mountedAt } from './mounted-at.js';
import { wasOpenedOn } from './open-repair.js';
import type { Change } from './parse-diff.js';
import { parseWork } from './parse-work.js';
import { noContent, type Procedure } from './procedure.js';
import { isWeak, weakLines } from './weak.js';
import { work } from './work.js';

/** A dead data disk, computed anew onto an empty one that is mounted in its place. */

/** What a new file system and snapraid put there by themselves. */
const ownNames = /^(lost\+found|snapraid\.content(\.lock|\.tmp)?|\.Trash-\d+)$/;

export async function diskProcedure(array: SnapArray, settings: Record<string, string>): Promise<Procedure> {
  const disk = dataDisk(array, settings.disk ?? '');
  return {
    subject: subjectOf(disk),
    without: disk.name,
    device: () => mountedAt(array.tools.host, disk.folder),
    fix: { disk: disk.name },
    async plan() {
      const status = await askStatus(array);
      const refused = status.isEmpty ? noContent : await whyNotReady(array, disk);
      const files = status.filesOfDisk.get(disk.name) ?? 0;
      const changed = (await askDiff(array)).changes.filter((change) => endangers(change, disk));
      const exact = settings.check === 'full' ? await lostByCheck(array, disk) : undefined;
      return {
        what: `rebuild the ${files} files of disk ${disk.name} at ${disk.folder}`,
        lines: [
          ...weakLines(status),
          ...endangeredLines(changed, array.conf.parity.length, isWeak(status)),
          ...(exact ?? []),
        ],
        bound: [
          files,
          status.unsynced,
          status.bad,
          changed.map(({ disk: on, path }) => [on, path]).sort(),
          await mountedAt(array.tools.host, disk.folder),
        ],
        ...(refused !== undefined && { refused }),
      };
    },
    async prove(fix) {
      const { lines, result } = await work(array, {
        verb: 'check',
        what: { disk: disk.name },
        auditOnly: true,
      });
      const audit = parseWork('check', lines);
      if (audit.exit === undefined) throw failed('check', result, array);
      const isClean = result.exitCode === 0 && audit.exit === 'ok' && audit.errors === 0;
      const lost = new Set(fix.files.unrecoverable);
      const wrong = [...audit.troubledFiles, ...audit.files.damaged, ...audit.files.unrecoverable];
      return {
        isClean,
        isExplained: wrong.length > 0 && wrong.every((file) => lost.has(file)),
        words: isClean
          ? `every file of ${disk.name} was read again and is as its hash says`
          : `${audit.errors} errors were found when the files of ${disk.name} were read again`,
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
async function whyNotReady(array: SnapArray, disk: ArrayDisk): Promise<string | undefined> {
  const { host } = array.tools;
  // A new disk has no marker and no files: that is as it should be.
  const away = (await missingDisks(array)).find(({ disk: name, isThere }) => name === disk.name && !isThere);
  if (away) return `Disk ${disk.name} ${away.why}: mount the new disk there first`;
  // What a rebuild has brought there that did not come to its end is no surprise.
  if (await wasOpenedOn(array, subjectOf(disk), await mountedAt(host, disk.folder))) return undefined;
  const there = (await host.list(disk.folder)).filter((name) => !ownNames.test(name));
  return there.length === 0 ? undefined : notEmpty(disk, there);
}

const notEmpty = ({ name, folder }: ArrayDisk, there: readonly string[]): string =>
  `Disk ${name} at ${folder} is not empty (${there.slice(0, 3).join(', ').replace(/\p{C}/gu, '?')}): is it the new one?`;

/** Blocks of other disks that changed since the last sync stand for what they were: they cannot help any more. */
const endangers = ({ kind, disk }: Change, { name }: ArrayDisk): boolean =>
  disk !== name && (kind === 'removed' || kind === 'updated');

function endangeredLines(changed: readonly Change[], parities: number, weak: boolean): string[] {
  const disks = [...new Set(changed.map(({ disk }) => disk))];
  if (changed.length === 0)
    return [
      `nothing on the other disks was removed or changed since the last sync${weak ? '' : ': every file can be had back'}`,
    ];
  const certain = disks.length < parities && !weak;
  const words = certain
    ? `every file can be had back all the same: they lie on ${disks.length} disk, and there are ${parities} parities`
    : 'what shares its places with them can be lost: check=full names each';
  return [
    `${changed.length} files on ${disks.join(', ')} were removed or changed since the last sync; ${words}`,
    ...changed
      .slice(0, 50)
      .map(({ kind, disk, path }) => `  ${kind} ${disk}:${path}`.replace(/\p{C}/gu, '?').slice(0, 200)),
  ];
}

async function lostByCheck(array: SnapArray, disk: ArrayDisk): Promise<string[]> {
  const { lines, result } = await work(array, { verb: 'check', what: { disk: disk.name } });
  const { exit, files } = parseWork('check', lines);
  if (exit === undefined) throw failed('check', result, array);
  return [
    `everything was read: ${files.recoverable.length} files can be had back, ${files.unrecoverable.length} are lost`,
    ...files.unrecoverable.slice(0, 100).map((file) => `  lost ${file}`),
  ];
}
