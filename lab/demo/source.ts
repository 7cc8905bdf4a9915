import { cpSync, type Dirent, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTree, type TreeMade } from '../../test/support/data.js';

/** What a Debian machine has of text and images; what is not there is made up for below. */
const fromThisMachine = [
  '/usr/share/doc',
  '/usr/share/icons',
  '/usr/share/pixmaps',
  '/usr/share/common-licenses',
];
const wantedFiles = 2500;
const wantedBytes = 300 * 2 ** 20;
const mostOfOne = 8 * 2 ** 20;

function* filesBelow(folder: string): Generator<{ path: string; size: number }> {
  const entries: Dirent[] = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield { path, size: statSync(path).size };
  }
}

/** Real documents and images, with their owners, modes and times. */
function copyRealFiles(target: string): { files: number; bytes: number } {
  const copied = { files: 0, bytes: 0 };
  for (const folder of fromThisMachine.filter((path) => existsSync(path))) {
    let ofThis = 0;
    for (const { path, size } of filesBelow(folder)) {
      if (ofThis >= 600 || size > mostOfOne) continue;
      cpSync(path, join(target, path), { preserveTimestamps: true });
      ofThis += 1;
      copied.files += 1;
      copied.bytes += size;
    }
  }
  return copied;
}

/** A few thousand files: this machine's own, made ones, and one of each odd thing; with the marker that the job asks for. */
export function makeSource(folder: string): TreeMade & { real: number } {
  const real = copyRealFiles(join(folder, 'from this machine'));
  const made = makeTree(join(folder, 'made'), {
    files: Math.max(500, wantedFiles - real.files),
    bytes: Math.max(200 * 2 ** 20, wantedBytes - real.bytes),
    seed: 2026,
    binaryNames: true,
  });
  writeFileSync(join(folder, '.holdfast'), 'the right disk\n');
  return {
    ...made,
    files: made.files + real.files + 1,
    bytes: made.bytes + real.bytes,
    real: real.files,
  };
}
