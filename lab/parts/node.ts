import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, nodePath } from '../places.js';
import { announce, attempt, buildFolder, type Part, sh } from '../shell.js';

/** Another Node ("20.19", "26"), as npm carries it for this machine. No install script of a package runs. */
export const ensureNode = (version: string): Promise<Part> =>
  attempt(async () => {
    if (nodePath(version) === undefined) {
      const carrier = `node-linux-${process.arch}`;
      announce(`npm install ${carrier}@${version} into the cache`);
      await buildFolder(cached('node', version), async (folder) => {
        writeFileSync(join(folder, 'package.json'), '{ "private": true }');
        await sh('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${carrier}@${version}`], {
          cwd: folder,
        });
        mkdirSync(join(folder, 'bin'));
        symlinkSync(join('..', 'node_modules', carrier, 'bin', 'node'), join(folder, 'bin', 'node'));
        await sh(join(folder, 'bin', 'node'), ['--version']);
      });
    }
    const path = nodePath(version);
    return path ? { path } : { missing: `npm carries no Node ${version} for this machine` };
  });
