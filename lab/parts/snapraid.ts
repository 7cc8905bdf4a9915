import { copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, snapraidPath } from '../places.js';
import { announce, attempt, buildFolder, type Part } from '../shell.js';
import { unpackDebian13 } from './debian13.js';

const libraries = 'usr/lib/x86_64-linux-gnu';

/**
 * A snapraid of a newer Debian, with the C library that it wants: it is started by that library's own loader. The loader is called
 * "snapraid" here, because its name is what the list of processes shows.
 */
export const ensureSnapraid = (version: string, suite: string): Promise<Part> =>
  attempt(async () => {
    if (snapraidPath(version) === undefined) {
      announce(`unpacking snapraid ${version} of Debian ${suite} into the cache`);
      await buildFolder(cached('snapraid', version), (folder) => unpack(folder, version, suite));
    }
    const path = snapraidPath(version);
    return path ? { path } : { missing: `the package of ${suite} brought no snapraid` };
  });

async function unpack(folder: string, version: string, suite: string): Promise<void> {
  if (process.arch !== 'x64') throw new Error('only the packages for amd64 are known');
  // What came after it would not be what the recorded logs are of.
  await unpackDebian13([`snapraid=${version}-1`, `libc6/${suite}`], folder, suite);
  renameSync(join(folder, 'usr/bin/snapraid'), join(folder, 'program'));
  renameSync(join(folder, libraries), join(folder, 'libraries'));
  for (const rest of ['usr', 'etc', 'var', '.fetch'])
    rmSync(join(folder, rest), { recursive: true, force: true });
  copyFileSync(join(folder, 'libraries/ld-linux-x86-64.so.2'), join(folder, 'libraries/snapraid'));
  writeFileSync(join(folder, 'snapraid'), starter, { mode: 0o755 });
}

const starter = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/libraries/snapraid" --library-path "$here/libraries" --argv0 snapraid "$here/program" "$@"
`;
