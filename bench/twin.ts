import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resticPath } from '../lab/places.js';
import { type Estate, startEstate } from '../test/support/estate.js';

/** An estate and, beside it, the same repository for restic by hand: both begin each time as they were when they were made. */
export interface Twin {
  estate: Estate;
  /** The restic that counts its starts, for both. */
  restic: string;
  /** Of restic by hand. */
  environment: NodeJS.ProcessEnv;
  /** Both repositories and caches as new; what was copied before is gone. */
  renew(): void;
  /** The verbs that were started since the last time. */
  takeStarts(): string[];
}

export async function startTwin(): Promise<Twin> {
  let counter = '';
  let starts = '';
  const estate = await startEstate({
    databaseFile: true,
    change: (config) => {
      // The first change is made before anything is started, in the estate's own folder.
      const folder = join(config.resources.photos.directory, '..');
      starts = join(folder, 'starts');
      counter ||= writeCounter(folder, starts, config.hosts.nas.tools.restic);
      config.hosts.nas.tools.restic = counter;
    },
  });
  writeFileSync(join(estate.source, 'the only file'), 'so that the copy is not empty\n');
  const made = await estate.holdfast('init-store', 'vault');
  if (made.code !== 0) throw new Error(made.stderr);
  const pristine = join(estate.folder, 'pristine');
  cpSync(estate.repository, pristine, { recursive: true });
  const byHand = join(estate.folder, 'twin');
  const caches = [join(estate.stateFolder, 'cache/restic'), join(estate.folder, 'twin-cache')];
  return {
    estate,
    restic: counter,
    environment: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      RESTIC_REPOSITORY: byHand,
      RESTIC_PASSWORD_FILE: join(estate.folder, 'password'),
      RESTIC_CACHE_DIR: caches[1],
      RESTIC_PROGRESS_FPS: '1',
    },
    renew() {
      for (const folder of [estate.repository, byHand, ...caches])
        rmSync(folder, { recursive: true, force: true });
      for (const folder of [estate.repository, byHand]) cpSync(pristine, folder, { recursive: true });
      for (const folder of caches) mkdirSync(folder, { recursive: true });
    },
    takeStarts() {
      const verbs = existsSync(starts) ? readFileSync(starts, 'utf8').split('\n') : [];
      rmSync(starts, { force: true });
      return verbs.filter((verb) => verb !== '');
    },
  };
}

/** One line a start, then the real one in its place. */
function writeCounter(folder: string, starts: string, restic: string): string {
  const path = join(folder, 'restic');
  const real = restic.startsWith('/') ? restic : (resticPath() ?? restic);
  writeFileSync(path, `#!/bin/sh\necho "$1" >> '${starts}'\nexec '${real}' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}
