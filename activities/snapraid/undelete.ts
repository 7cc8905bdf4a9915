import { HoldfastError } from '../../contracts/errors.js';
import type { SnapArray } from './array.js';
import { ask } from './ask.js';
import { check } from './check.js';
import { parseTag, unreadable } from './parse.js';
import type { WorkEnd } from './parse-work.js';
import type { Procedure } from './procedure.js';
import { failing } from './sync-verdict.js';

/** Files that were deleted since the last sync come back from parity, with their times. What is there is not touched. */

export async function undeleteProcedure(
  array: SnapArray,
  settings: Record<string, string>,
): Promise<Procedure> {
  const path = relativePath(array, settings.path ?? '');
  const missing = patternsOf(path);
  const look = async (): Promise<WorkEnd> => {
    const end = await check(array, { missing });
    if (end.ioErrors > 0) throw failing(end, array.tools.host.name);
    return end;
  };
  return {
    subject: `deleted files at ${path}`,
    fix: { missing },
    async plan() {
      const { files } = await look();
      const found = [...files.recoverable].sort();
      const lost = [...files.unrecoverable].sort();
      if (found.length + lost.length === 0) {
        await refuseUnknown(array, path);
        return { what: `nothing is missing at ${path}`, lines: [], nothing: true, bound: path };
      }
      const lines = [
        ...lost.map((file) => `cannot be had back: ${file}`),
        ...found.map((file) => `comes back: ${file}`),
      ];
      const shown = lines.slice(0, 100);
      if (lines.length > shown.length) shown.push(`and ${lines.length - shown.length} more`);
      const what = `bring back ${found.length} deleted files at ${path}${lost.length > 0 ? `; ${lost.length} are lost` : ''}`;
      return { what: what.slice(0, 300), lines: shown, bound: [found, lost] };
    },
    async prove(fix) {
      const { files } = await look();
      const still = [...files.recoverable, ...files.unrecoverable];
      const lost = new Set(fix.files.unrecoverable);
      return {
        isClean: still.length === 0,
        isExplained: still.length > 0 && still.every((file) => lost.has(file)),
        words:
          still.length === 0
            ? 'nothing is missing there any more'
            : `${still.length} files are still missing`,
      };
    },
  };
}

/** In the array, at a disk's folder or in the pool: people name files as they see them. */
export function relativePath({ conf, config }: Pick<SnapArray, 'conf' | 'config'>, path: string): string {
  const folders = [
    ...conf.data.map(({ folder }) => folder),
    ...(config.pool === undefined ? [] : [config.pool]),
  ];
  const within = folders.find((folder) => path.startsWith(`${folder}/`));
  const relative = (within === undefined ? path : path.slice(within.length)).replace(/^\/+|\/+$/g, '');
  const isOdd =
    relative === '' || relative.split('/').some((part) => part === '..' || part === '.' || part === '');
  if (!isOdd && !relative.includes('\n')) return relative;
  throw new HoldfastError(
    'HF_PATH_NOT_FOUND',
    `"${path.slice(0, 100)}" is no path in the array: name a file or a folder as it lay there, without ".."`,
  );
}

/**
 * As a file and as a folder; what stands for other characters in snapraid's patterns is taken as it is, as the only one of a set: a backslash
 * before it does that in older versions alone. In a set, newer ones take each of the two backslashes by itself.
 */
export function patternsOf(relative: string): string[] {
  const literal = relative.replace(/[*?[]/g, '[$&]').replaceAll('\\', '[\\\\]');
  return [`/${literal}`, `/${literal}/`];
}

/** Since version 14 files are named only for who asks for that with an option that older ones do not know. */
async function listed(array: SnapArray): Promise<string[]> {
  const { lines } = await ask(array, { verb: 'list' });
  if (lines.some((line) => /^(file|link_\w+):/.test(line))) return lines;
  return (await ask(array, { verb: 'list', verbose: true })).lines;
}

/** What a sync has made permanent is not known any more; what is there is not missing. */
async function refuseUnknown(array: SnapArray, path: string): Promise<void> {
  const known = (await listed(array)).flatMap((line) => {
    const { name, values } = parseTag(line);
    const [disk = '', file = ''] = values;
    const isEntry = name === 'file' || name.startsWith('link_');
    return isEntry && (file === path || file.startsWith(`${path}/`)) ? [{ disk, file }] : [];
  });
  for (const { disk, file } of known) if (file === path) await refuseContradiction(array, disk, file);
  if (known.length > 0) return;
  throw new HoldfastError(
    'HF_PATH_NOT_FOUND',
    `The array knows nothing at "${path.slice(0, 100)}": it was never synced, or its deletion has been synced since`,
  );
}

/** The check must not have passed over it, as with a name that a version takes for a pattern: "nothing is missing" would be wrong. */
async function refuseContradiction({ tools, conf }: SnapArray, disk: string, file: string): Promise<void> {
  const folder = conf.data.find(({ name }) => name === disk)?.folder;
  if (folder === undefined || (await tools.host.facts(`${folder}/${file}`)) !== undefined) return;
  throw unreadable(
    `nothing is missing, but "${disk}:${file.slice(0, 100)}" is in its list and not on the disk`,
  );
}
