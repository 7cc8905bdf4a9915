import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached, resticPath, versions } from '../places.js';
import { announce, attempt, buildFolder, type Part } from '../shell.js';
import { unpackDebian13 } from './debian13.js';

/** A second restic, of another age than the machine's own: what we read from it must hold for both. */
export const ensureSecondRestic = (): Promise<Part> =>
  attempt(async () => {
    if (resticPath('0.18') === undefined) {
      announce(`unpacking restic ${versions.restic} of Debian 13 into the cache`);
      await buildFolder(cached('restic', versions.restic), async (folder) => {
        await unpackDebian13(['restic'], folder);
        renameSync(join(folder, 'usr/bin/restic'), join(folder, 'restic'));
        for (const rest of ['usr', '.fetch']) rmSync(join(folder, rest), { recursive: true, force: true });
      });
    }
    const path = resticPath('0.18');
    return path ? { path } : { missing: 'the package of Debian 13 brought no restic' };
  });
