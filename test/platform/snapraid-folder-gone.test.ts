import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { planByHand } from '../../activities/snapraid/by-hand.js';
import { parseConf } from '../../activities/snapraid/conf.js';
import { guardDisks } from '../../activities/snapraid/guard.js';
import { snapraidVersions } from '../../lab/places.js';
import { noise } from '../support/content.js';
import { fakeArray } from '../support/fake-snapraid.js';
import { needs } from '../support/needs.js';

/** A disk whose folder lay below its mount point takes it along: snapraid then refuses every question, and it is asked all the same. */

const skip = needs('snapraid');

function folders(binary: string) {
  const { array, folder } = fakeArray();
  for (const name of ["media d3 'é", 'd2/files', 'q']) mkdirSync(join(folder, name), { recursive: true });
  const [d2, d3] = [join(folder, 'd2/files'), join(folder, "media d3 'é")];
  rmSync(join(folder, 'p/parity'));
  for (const [disk, place] of [join(folder, 'd1'), d2, d3].entries())
    for (let at = 0; at < 5; at += 1)
      writeFileSync(join(place, `film ${at}.mkv`), noise(60_000, disk * 10 + at));
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

for (const { version, path } of snapraidVersions())
  describe(`with the folder of a disk gone, snapraid ${version}`, { skip }, () => {
    test('the plan of its replacement says what is at stake on the others, and leaves nothing behind', async () => {
      const { array, folder, d2, d3 } = folders(path);
      rmSync(join(d3, 'film 1.mkv'));
      renameSync(d2, join(folder, 'away'));
      await assert.rejects(guardDisks(array), {
        code: 'HF_ARRAY_DISK_MISSING',
        message: /^Do not sync "media": disk d2 has no folder .*replace-disk --set disk=d2 --plan$/,
      });
      const input = { ...array.input, action: 'replace-disk', settings: { disk: 'd2', check: 'full' } };
      const plan = await planByHand(array, input);
      assert.equal(plan.what, `rebuild the 5 files of disk d2 at ${d2}`);
      assert.match(plan.refused ?? '', /^Disk d2 has no folder .*: mount the new disk there first$/);
      const words = plan.lines.join('\n');
      assert.match(
        words,
        /^1 files on d3 were removed or changed since the last sync; every file can be had back/m,
      );
      assert.match(words, /^ {2}removed d3:film 1\.mkv$/m);
      assert.match(words, /^everything was read: 5 files can be had back, 0 are lost$/m);
      assert(!existsSync(d2), 'the folder of the disk was made');
      assert.deepEqual(readdirSync(`${array.tools.host.stateFolder}/snapraid`), []);
    });

    test('the plan of a lost parity says what it has to do', async () => {
      const { array, folder } = folders(path);
      renameSync(join(folder, 'q'), join(folder, 'away'));
      const input = { ...array.input, action: 'rebuild-parity', settings: { parity: '2-parity' } };
      const plan = await planByHand(array, input);
      assert.match(plan.refused ?? '', /^2-parity has no folder .*: mount the new disk there first$/);
      assert.match(plan.lines.join('\n'), /nothing was changed since the last sync: it will be whole/);
    });
  });
