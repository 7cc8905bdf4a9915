import { basename } from 'node:path';
import type { SnapArray } from './array.js';
import { folderOfFile, placesOf } from './conf.js';

/**
 * A disk that is away may take its folder with it, where that lay below its mount point. snapraid then answers no question at all, just
 * when somebody must know what is at stake: it is asked with an empty folder in the place of the one that is gone.
 */

/** For questions alone: whatever writes must see the array as it is. */
export async function withStandIn<R>(array: SnapArray, body: (asked: SnapArray) => Promise<R>): Promise<R> {
  const { tools, called, conf, input } = array;
  const { host } = tools;
  const folders = [...placesOf(conf).map(({ folder }) => folder), ...conf.content.map(folderOfFile)];
  const gone = new Set<string>();
  for (const folder of new Set(folders)) if (!(await host.facts(folder))) gone.add(folder);
  if (gone.size === 0) return body(array);
  const own = `${host.stateFolder}/snapraid`;
  const [empty, file] = ['empty', 'conf'].map((name) => `${own}/${input.run}.${input.resource}.${name}`);
  if (empty === undefined || file === undefined) return body(array);
  try {
    await host.makeFolder(empty);
    await host.writeFile(file, standInText(await host.readFile(called.config), gone, empty));
    tools.log(`${[...gone].join(', ')} is gone: an empty folder is looked at in its place`);
    return await body({ ...array, called: { ...called, config: file } });
  } finally {
    for (const made of [empty, file]) await host.removeTree(made, own).catch(() => undefined);
  }
}

/** Pure. Lists of files that are gone are left out: snapraid refuses to look where it could not write one. */
export function standInText(text: string, gone: ReadonlySet<string>, empty: string): string {
  const lines = text.split('\n').flatMap((line) => {
    const [, key = '', rest = ''] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
    if (key === 'content') return gone.has(folderOfFile(rest)) ? [] : [line];
    if (/parity$/.test(key)) {
      const files = rest
        .split(',')
        .map((one) => (gone.has(folderOfFile(one)) ? `${empty}/${basename(one)}` : one));
      return [`${key} ${files.join(',')}`];
    }
    const [, name = '', folder = ''] = /^(\S+)\s+(.*?)\/*$/.exec(rest) ?? [];
    return (key === 'data' || key === 'disk') && gone.has(folder) ? [`${key} ${name} ${empty}`] : [line];
  });
  return lines.join('\n');
}
