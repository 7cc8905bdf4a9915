import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bzfsPath, cached, onPath, syncoidPath, versions } from '../places.js';
import { announce, attempt, buildFolder, type Part, sh } from '../shell.js';
import { aptInstall } from './apt.js';
import { unpackDebian13 } from './debian13.js';

/** Other tools that replicate ZFS, for `npm run bench -- zfs` alone: in the cache, so that nothing of the machine changes. */

export const ensureBzfs = (): Promise<Part> =>
  attempt(async () => {
    if (bzfsPath() === undefined) {
      if (onPath('python3') === undefined) await aptInstall(['python3-venv']);
      announce(`bzfs ${versions.bzfs} of PyPI into the cache`);
      // Not buildFolder: the programs of an environment hold its path.
      const folder = cached('bzfs', versions.bzfs);
      rmSync(folder, { recursive: true, force: true });
      await sh('python3', ['-m', 'venv', folder]);
      await sh(join(folder, 'bin/pip'), ['install', '--quiet', `bzfs==${versions.bzfs}`]);
    }
    const path = bzfsPath();
    return path ? { path } : { missing: 'PyPI brought no bzfs' };
  });

/** The package itself, without what it depends on: Debian would install zfs-fuse for it. */
export const ensureSyncoid = (): Promise<Part> =>
  attempt(async () => {
    if (syncoidPath() === undefined) {
      announce('unpacking syncoid of Debian 13 into the cache');
      await buildFolder(cached('syncoid'), async (folder) => {
        await unpackDebian13(['sanoid', 'libcapture-tiny-perl'], folder);
        renameSync(join(folder, 'usr/sbin/syncoid'), join(folder, 'syncoid.pl'));
        writeFileSync(
          join(folder, 'syncoid'),
          '#!/bin/sh\nhere=$(dirname "$0")\nexec perl -I "$here/usr/share/perl5" "$here/syncoid.pl" "$@"\n',
        );
        chmodSync(join(folder, 'syncoid'), 0o755);
      });
    }
    const path = syncoidPath();
    return path ? { path } : { missing: 'the package of Debian 13 brought no syncoid' };
  });
