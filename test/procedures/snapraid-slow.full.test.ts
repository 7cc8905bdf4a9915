import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { snapraidPath, versions } from '../../lab/places.js';
import { fill, makeArray, type TestArray } from '../support/array.js';
import { endOf, startArrayEstate } from '../support/array-estate.js';
import { noise } from '../support/content.js';
import { type Estate, evidenceOf } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

/** A new snapraid that is told to be slow (--bw-limit), so that it can be stopped in the middle. Since version 14 a signal ends it as that signal. */

const skip = needs('temporal', 'mount', 'snapraid', 'snapraid-14.9');

describe('a new snapraid in the middle of its work', { skip }, () => {
  let estate: Estate;
  let array: TestArray;
  const folder = temporaryFolder('slow');
  const slow = join(folder, 'slow');
  const pid = join(folder, 'pid');
  let made = 0;
  const changeSomething = (): void => {
    made += 1;
    for (const disk of ['d1', 'd2']) array.write(disk, `new ${made}.mkv`, noise(3_000_000, made));
  };
  const logOf = (run: string, verb: string): string => {
    const at = join(estate.stateFolder, 'snapraid');
    const name = existsSync(at) && readdirSync(at).find((file) => file === `${run}.media.${verb}.log`);
    return name ? readFileSync(join(at, name), 'utf8') : '';
  };
  const inTheMiddle = (run: string, verb: string): Promise<boolean> =>
    waitFor(() => existsSync(pid) && logOf(run, verb).includes('run:pos:'), {
      timeoutMs: 60_000,
      what: `the middle of a ${verb}`,
    });
  const startSlowly = async (...args: string[]): Promise<string> => {
    rmSync(pid, { force: true });
    writeFileSync(slow, '');
    return runIn((await estate.holdfast('run', 'nightly', ...args)).stdout);
  };

  before(async () => {
    const binary = join(folder, 'snapraid');
    const real = snapraidPath(versions.snapraid.next);
    writeFileSync(
      binary,
      `#!/bin/sh\ncase "$*" in *' sync'|*' scrub') if [ -e '${slow}' ]; then rm '${slow}'; echo $$ > '${pid}'; exec '${real}' --bw-limit 1M "$@"; fi;; esac\nexec '${real}' "$@"\n`,
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

  for (const signal of ['SIGTERM', 'SIGKILL'] as const)
    test(`is ended by ${signal}, known as interrupted, and continued`, async () => {
      changeSomething();
      const run = await startSlowly();
      await inTheMiddle(run, 'sync');
      process.kill(Number(readFileSync(pid, 'utf8')), signal);
      const { code, words } = await endOf(estate, run);
      assert.equal(code, 0, words);
      const found = evidenceOf(estate).filter(
        (fact) => fact.kind === 'array-interrupted' && fact.run === run,
      );
      assert.equal(found.length, 1);
      assert(array.isSynced());
    });

  test('goes on as an orphan when the worker is killed, and is not done twice', async () => {
    changeSomething();
    const run = await startSlowly();
    await inTheMiddle(run, 'sync');
    await estate.worker.stop('SIGKILL');
    await estate.startWorker();
    const { code, words } = await endOf(estate, run);
    assert.equal(code, 0, words);
    assert(array.isSynced());
    assert(!evidenceOf(estate).some((fact) => fact.kind === 'array-interrupted' && fact.run === run));
  });

  test('is a scrub that ends with the hours of its job, counts for what it read, and finds no block bad', async () => {
    for (const disk of ['d1', 'd2']) array.write(disk, 'large.mkv', noise(70_000_000, Number(disk.slice(1))));
    assert.equal((await estate.holdfast('run', 'nightly', '--follow')).code, 0);
    const minute = (offset: number): string => new Date(Date.now() + offset).toISOString().slice(11, 16);
    // Hours end with a minute: at the next one that leaves time to begin.
    estate.configure((config) => {
      config.jobs.nightly.window = `${minute(-3_600_000)}-${minute(80_000)}`;
    });
    const run = await startSlowly('--only', 'scrub');
    await inTheMiddle(run, 'scrub');
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
