import { basename } from 'node:path';
import type { SnapArray } from './array.js';
import { folderOfFile, placesOf } from './conf.js';
import { missingDisks } from './guard.js';

/**
 * A disk that is away may take its folder with it, where that lay below its mount point, or leave an empty one on the system disk, where a
 * list of files or another such disk lies already. snapraid then answers no question at all, just when somebody must know what is at stake:
 * it is asked with an empty folder in the place of each that is away.
 */

/** For questions alone: whatever writes must see the array as it is. */
export async function withStandIn<R>(array: SnapArray, body: (asked: SnapArray) => Promise<R>): Promise<R> {
  const { tools, called, input } = array;
  const { host } = tools;
  const gone = await goneFolders(array);
  if (gone.size === 0) return body(array);
  const own = `${host.stateFolder}/snapraid`;
  const [empty, file] = ['empty', 'conf'].map((name) => `${own}/${input.run}.${input.resource}.${name}`);
  if (empty === undefined || file === undefined) return body(array);
  try {
    const text = standInText(await host.readFile(called.config), gone, empty);
    for (const folder of text.folders) await host.makeFolder(folder);
    await host.writeFile(file, text.conf);
    tools.log(`${[...gone].join(', ')} is gone: an empty folder is looked at in its place`);
    return await body({ ...array, called: { ...called, config: file, hasStandIns: true } });
  } finally {
    for (const made of [empty, file]) await host.removeTree(made, own).catch(() => undefined);
  }
}

async function goneFolders(array: SnapArray): Promise<Set<string>> {
  const { conf, tools } = array;
  const missing = await missingDisks(array);
  const away = missing.filter(({ isThere, isFailing }) => !isThere && !isFailing).map(({ disk }) => disk);
  const places = placesOf(conf);
  const gone = new Set(places.flatMap(({ name, folder }) => (away.includes(name) ? [folder] : [])));
  const folders = [...places.map(({ folder }) => folder), ...conf.content.map(folderOfFile)];
  for (const folder of folders) if (!(await tools.host.facts(folder))) gone.add(folder);
  return gone;
}

/** Pure. Lists of files that are gone are left out: snapraid refuses to look where it could not write one. */
export function standInText(
  text: string,
  gone: ReadonlySet<string>,
  empty: string,
): { conf: string; folders: string[] } {
  const isGone = (folder: string): boolean => [...gone].some((one) => isWithin(folder, one));
  const folders = [empty];
  const lines = text.split('\n').flatMap((line) => {
    const [, key = '', rest = ''] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
    if (key === 'content') return isGone(folderOfFile(rest)) ? [] : [line];
    if (/parity$/.test(key)) {
      const files = rest
        .split(',')
        .map((one) => (isGone(folderOfFile(one)) ? `${empty}/${basename(one)}` : one));
      return [`${key} ${files.join(',')}`];
    }
    const [, name = '', folder = ''] = /^(\S+)\s+(.*?)\/*$/.exec(rest) ?? [];
    if ((key !== 'data' && key !== 'disk') || !isGone(folder)) return [line];
    folders.push(`${empty}/${folders.length}`);
    return [`${key} ${name} ${folders.at(-1)}`];
  });
  return { conf: lines.join('\n'), folders };
}

const isWithin = (folder: string, of: string): boolean => folder === of || folder.startsWith(`${of}/`);
