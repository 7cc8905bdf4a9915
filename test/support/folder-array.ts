import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConf } from '../../activities/snapraid/conf.js';
import { noise } from './content.js';
import { type FakeOptions, fakeArray } from './fake-snapraid.js';

/** A real snapraid on plain folders: three data disks, two parities. Needs no root; nothing is mounted. */
export function folderArray(binary: string, options?: FakeOptions) {
  const { array, folder } = fakeArray(options);
  for (const name of ["media d3 'é", 'd2/files', 'q']) mkdirSync(join(folder, name), { recursive: true });
  const [d2, d3] = [join(folder, 'd2/files'), join(folder, "media d3 'é")];
  rmSync(join(folder, 'p/parity'));
  for (const [disk, place] of [join(folder, 'd1'), d2, d3].entries())
    for (let at = 0; at < 5; at += 1) {
      const film = join(place, `film ${at}.mkv`);
      writeFileSync(film, noise(60_000, disk * 10 + at));
      // Files of one size that are written within one tick of the clock are one moved file to snapraid, where an inode is used again.
      const seconds = 1_795_000_000.25 + disk * 10 + at;
      utimesSync(film, seconds, seconds);
    }
  // All of it lies on one device, which snapraid refuses otherwise.
  const file = join(folder, 'snapraid');
  writeFileSync(file, `#!/bin/sh\nexec '${binary}' --test-skip-device "$@"\n`);
  chmodSync(file, 0o755);
  const conf = [
    `parity ${folder}/p/parity`,
    `2-parity ${folder}/q/2-parity`,
    `content ${folder}/c/content`,
    `content ${d2}/content`,
    `data d1 ${folder}/d1/`,
    `data d2 ${d2}/`,
    `data d3 ${d3}`,
  ].join('\n');
  writeFileSync(array.called.config, conf);
  execFileSync(file, ['-c', array.called.config, 'sync'], { stdio: 'ignore' });
  return { array: { ...array, called: { ...array.called, file }, conf: parseConf(conf) }, folder, d2, d3 };
}
