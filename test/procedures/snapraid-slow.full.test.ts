import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { snapraidPath, versions } from '../../lab/places.js';
import { fill, makeArray, type TestArray } from '../support/array.js';
import { endOf, startArrayEstate } from '../support/array-estate.js';
import { noise } from '../support/content.js';
import type { Estate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

/** A new snapraid that is told to be slow (--bw-limit), so that its hours end in the middle. */

const skip = needs('temporal', 'mount', 'snapraid', 'snapraid-14.9');

describe('a new snapraid in the middle of a scrub', { skip }, () => {
  let estate: Estate;
  let array: TestArray;
  const folder = temporaryFolder('slow');
  const slow = join(folder, 'slow');
  const logOf = (run: string): string => {
    const at = join(estate.stateFolder, 'snapraid');
    const name = existsSync(at) && readdirSync(at).find((file) => file === `${run}.media.scrub.log`);
    return name ? readFileSync(join(at, name), 'utf8') : '';
  };
  const inTheMiddle = (run: string): Promise<boolean> =>
    waitFor(() => !existsSync(slow) && logOf(run).includes('run:pos:'), {
      timeoutMs: 60_000,
      what: 'the middle of a scrub',
    });

  before(async () => {
    const binary = join(folder, 'snapraid');
    const real = snapraidPath(versions.snapraid.next);
    writeFileSync(
      binary,
      `#!/bin/sh\ncase "$*" in *' scrub') if [ -e '${slow}' ]; then rm '${slow}'; exec '${real}' --bw-limit 1M "$@"; fi;; esac\nexec '${real}' "$@"\n`,
    );
    chmodSync(binary, 0o755);
    array = makeArray({ disks: 2, parities: 1, megabytes: 110, binary });
    fill(array, 20);
    estate = await startArrayEstate(array, (config) => {
      config.jobs.nightly.steps = ['sync'];
      config.jobs.nightly.prehash = false;
    });
    const { code, stderr } = await estate.holdfast('run', 'nightly', '--follow');
    assert.equal(code, 0, stderr);
  });
  after(() => estate?.stop());

  test('ends with the hours of its job, counts for what it read, and finds no block bad', async () => {
    for (const disk of ['d1', 'd2']) array.write(disk, 'large.mkv', noise(70_000_000, Number(disk.slice(1))));
    assert.equal((await estate.holdfast('run', 'nightly', '--follow')).code, 0);
    const minute = (offset: number): string => new Date(Date.now() + offset).toISOString().slice(11, 16);
    // Hours end with a minute: at the next one that leaves time to begin.
    estate.configure((config) => {
      config.jobs.nightly.window = `${minute(-3_600_000)}-${minute(80_000)}`;
    });
    writeFileSync(slow, '');
    const run = runIn((await estate.holdfast('run', 'nightly', '--only', 'scrub')).stdout);
    await inTheMiddle(run);
    const { code, words } = await endOf(estate, run);
    assert.equal(code, 0, words);
    const [, percent = '0'] =
      /(\d+) % of \d+ blocks read, until the hours of the job were over, none is bad/.exec(words) ?? [];
    assert(Number(percent) > 0 && Number(percent) < 100, words);
    const status = array.tags('status');
    const count = (name: string): number =>
      Number(new RegExp(`^content_info:${name}:(\\d+)$`, 'm').exec(status)?.[1]);
    const share = 100 * (1 - count('block_unscrubbed') / count('block'));
    assert(Math.abs(share - Number(percent)) <= 1, `${share} % and not ${percent} %`);

    estate.configure((config) => {
      delete config.jobs.nightly.window;
    });
    const whole = await estate.holdfast('run', 'nightly', '--only', 'scrub', '--follow');
    assert.equal(whole.code, 0, whole.stderr);
    assert.match(whole.stdout, /100 % of \d+ blocks read, none is bad/);
    assert.match(array.tags('status'), /^content_info:block_unscrubbed:0$/m);
  });
});
