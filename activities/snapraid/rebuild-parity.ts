import { HoldfastError } from '../../contracts/errors.js';
import type { SnapArray } from './array.js';
import { askDiff, askStatus } from './ask.js';
import { check } from './check.js';
import { folderOfFile } from './conf.js';
import { missingDisks } from './guard.js';
import { mountedAt } from './mounted-at.js';
import type { Change } from './parse-diff.js';
import { noContent, type Procedure } from './procedure.js';
import { isWeak, weakLines } from './weak.js';

/** A lost parity, computed anew from the data disks: never by a sync that takes everything as it is. */

export async function parityProcedure(
  array: SnapArray,
  settings: Record<string, string>,
): Promise<Procedure> {
  const name = settings.parity ?? '';
  const parity = array.conf.parity.find((one) => one.name === name);
  if (!parity) throw unknownParity(array, name);
  const folders = parity.files.map((file) => folderOfFile(file));
  const device = async (): Promise<string> => {
    const mounts: string[] = [];
    for (const folder of folders) mounts.push(await mountedAt(array.tools.host, folder));
    return mounts.join(', ');
  };
  return {
    subject: name,
    without: name,
    device,
    fix: { disk: name },
    async plan() {
      const away = (await missingDisks(array)).find(({ disk }) => disk === name);
      const status = await askStatus(array);
      const { blocks, unsynced, bad } = status;
      const { changes } = await askDiff(array);
      const there = await Promise.all(parity.files.map((file) => array.tools.host.exists(file)));
      const places = folders.join(', ');
      return {
        what: `compute ${name} anew: ${blocks} blocks at ${places}`,
        lines: [
          ...(there.some(Boolean) ? ['a parity file is there: what is right in it stays'] : []),
          ...weakLines(status),
          changes.length === 0
            ? `nothing was changed since the last sync${isWeak(status) ? '' : ': it will be whole'}`
            : `${changes.length} files were changed since the last sync: their blocks get their parity by the sync afterwards`,
        ],
        bound: [blocks, unsynced, bad, there, await device()],
        ...(status.isEmpty && { refused: noContent }),
        ...(away && { refused: `${name} ${away.why}: mount the new disk there first` }),
      };
    },
    async prove() {
      const { errors, exitCode } = await check(array, { disk: name });
      const isClean = exitCode === 0 && errors === 0;
      // Only blocks whose data is not what it was at the last sync may be wrong: the sync that follows writes their parity.
      const isExplained = (await askDiff(array)).changes.some(isOfSynced);
      return {
        isClean,
        isExplained,
        words: isClean
          ? `${name} was read again and is right in every block`
          : `${errors} blocks of ${name} are not right`,
      };
    },
  };
}

/** What was added has no parity yet. */
const isOfSynced = ({ kind }: Change): boolean =>
  kind !== 'added' && kind !== 'copied' && kind !== 'restored';

function unknownParity({ conf, called }: SnapArray, name: string): HoldfastError {
  const known = conf.parity.map((one) => one.name).join(', ');
  return new HoldfastError(
    'HF_PATH_NOT_FOUND',
    `${called.config} has no parity "${name.slice(0, 60)}"; it has: ${known}`,
  );
}
