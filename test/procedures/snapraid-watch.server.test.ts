import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fill, makeArray, type TestArray } from '../support/array.js';
import { startArrayEstate } from '../support/array-estate.js';
import { type Estate, evidenceOf } from '../support/estate.js';
import { needs, onlyInFull } from '../support/needs.js';
import { repositoryRoot } from '../support/root.js';
import { runIn } from '../support/run-watch.js';
import { type Samba, startSamba } from '../support/samba.js';
import { temporaryFolder } from '../support/temp.js';

/** What a run looks at beside the array: the health of its disks and its share. snapraid is real, smartctl a fake, because no loop device has SMART. */

describe('beside the array a run looks at', { skip: needs('temporal', 'mount', 'snapraid', 'samba') }, () => {
  let estate: Estate;
  let array: TestArray;
  let samba: Samba;
  const bin = temporaryFolder('bin');
  const calls = join(bin, 'smartctl.calls');
  const trap = join(bin, 'trap');
  const setHealth = (name: string, state: string | undefined): void => {
    const folder = (array.data[name] ?? array.parity[name])?.folder ?? '';
    const device = execFileSync('findmnt', ['-no', 'SOURCE', folder], { encoding: 'utf8' }).trim();
    const file = join(bin, 'smartctl.disks', basename(device).replace(/p\d+$/, ''));
    if (state === undefined) rmSync(file);
    else writeFileSync(file, state);
  };
  const night = async (...args: string[]) => {
    rmSync(calls, { force: true });
    const { code, stdout, stderr } = await estate.holdfast('run', 'nightly', '--follow', ...args);
    return { code, words: `${stdout}${stderr}`, run: runIn(stdout) };
  };
  const lastHealth = () => evidenceOf(estate).findLast(({ kind }) => kind === 'array-smart');

  before(async () => {
    samba = await startSamba();
    mkdirSync(join(bin, 'smartctl.disks'));
    copyFileSync(join(repositoryRoot, 'test/fakes/smartctl'), join(bin, 'smartctl'));
    const wrapper = join(bin, 'snapraid-with-trap');
    writeFileSync(
      wrapper,
      `#!/bin/sh\ncase "$*" in *' sync') [ -e '${trap}' ] && sh '${trap}';; esac\nexec snapraid "$@"\n`,
    );
    for (const name of ['smartctl', basename(wrapper)]) chmodSync(join(bin, name), 0o755);
    process.env.PATH = `${bin}${delimiter}${process.env.PATH}`;
    array = makeArray({ disks: 2, parities: 1, megabytes: 24, partition: true });
    fill(array, 20);
    for (const name of ['d1', 'd2', 'parity']) setHealth(name, 'good');
    estate = await startArrayEstate(array, (config) => {
      config.hosts.nas.tools.snapraid = wrapper;
      config.resources.media.snapraid.share = {
        samba: 'locked',
        port: samba.port,
        credentials: samba.credentials,
      };
      config.jobs.nightly.spinDown = true;
    });
  });
  after(async () => {
    await estate?.stop();
    await samba?.stop();
  });

  test('healthy disks, and sends them to sleep at the end', async () => {
    const { code, words } = await night();
    assert.equal(code, 0, words);
    assert.match(words, /media: smart: done \(3 disks, 0 warnings, the hottest has 38 °C\)/);
    assert.match(words, /media: spin down: done \(the disks sleep\)/);
    const asleep = readFileSync(calls, 'utf8').match(/-s standby,now \/dev\/loop\d+/g) ?? [];
    assert.equal(asleep.length, 3);
    const { disks } = lastHealth() as unknown as {
      disks: { disk: string; temperature: number; failureProbability: number }[];
    };
    assert.deepEqual(disks.map(({ disk }) => disk).sort(), ['d1', 'd2', 'parity']);
    for (const { temperature, failureProbability } of disks) {
      assert.equal(temperature, 38);
      assert(failureProbability >= 0 && failureProbability <= 100, `${failureProbability} %`);
    }
  });

  test('a disk that wears out: temperature, sectors and probability are warnings, and the sync goes on', async () => {
    setHealth('d1', 'worn');
    array.write('d1', 'new 1.mkv', 'new');
    const { code, words } = await night();
    assert.equal(code, 6, words);
    assert.match(words, /disk d1: 1999 reallocated sectors, 8 pending sectors/);
    assert.match(words, /disk d1 has 57 °C/);
    assert.match(words, /disk d1 fails within a year with \d+ % probability/);
    assert(array.knows('d1', 'new 1.mkv'));
    setHealth('d1', 'good');
  });

  test('a disk of which nothing is known, and says so', async () => {
    setHealth('d2', undefined);
    const { words } = await night();
    assert.match(words, /media: smart: .*2 disks, .*of d2 nothing is known/);
    assert.match(words, /media: spin down: done \(the disks cannot be told to sleep\)/);
    setHealth('d2', 'good');
  });

  test('a disk that fails, and freezes every sync at once', async () => {
    setHealth('d2', 'failing');
    array.write('d1', 'new 2.mkv', 'new');
    const { code, words, run } = await night();
    assert.equal(code, 5, words);
    assert.match(words, /Do not sync "media": disk d2 is failing: its own check says FAILED/);
    assert.match(words, /holdfast do nightly replace-disk --set disk=d2 --plan/);
    assert(!array.knows('d1', 'new 2.mkv'), 'it was synced');
    const { stdout } = await estate.holdfast('status', 'nightly');
    assert.match(stdout, /Do not sync "media": disk d2 is failing/);
    assert.match((await estate.holdfast('show', run)).stdout, /Do not sync "media": disk d2 is failing/);
    const plan = await estate.holdfast('do', 'nightly', 'replace-disk', '--set', 'disk=d2', '--plan');
    assert.match(plan.stdout, /rebuild the \d+ files of disk d2/);
    setHealth('d2', 'good');
    assert.equal((await night()).code, 0);
    assert(array.knows('d1', 'new 2.mkv'));
  });

  test('a share that stops answering while it works, and tells it afterwards', async () => {
    array.write('d1', 'new 3.mkv', 'new');
    writeFileSync(trap, `kill ${samba.pid()}; rm '${trap}'`);
    const { code, words, run } = await night('--only', 'sync');
    assert(!existsSync(trap));
    assert.equal(code, 6, words);
    assert.match(words, /the share locked at .* does not answer .*, and did before the run/);
    assert(array.knows('d1', 'new 3.mkv'));
    const log = (await estate.holdfast('logs', run)).stdout;
    assert.match(log, /share locked: answers \(smbclient\)/);
    for (const text of [words, log]) assert(!text.includes(samba.password));
  });

  test('a share that is silent from the start: a warning, and nothing is begun where the resource says so', {
    skip: onlyInFull('it takes half a minute'),
  }, async () => {
    const warned = await night('--only', 'sync');
    assert.equal(warned.code, 6, warned.words);
    assert.match(
      warned.words,
      /warning: the share locked at .* does not answer \(smbclient: NT_STATUS_\w+\)$/m,
    );
    estate.configure((config) => {
      config.resources.media.snapraid.share.silent = 'refuse';
    });
    array.write('d1', 'new 4.mkv', 'new');
    const { code, words } = await night('--only', 'sync');
    assert.equal(code, 1, words);
    assert.match(words, /Nothing is begun with "media": the share locked .* does not answer/);
    assert(!array.knows('d1', 'new 4.mkv'));
    await samba.start();
    assert.equal((await night('--only', 'sync')).code, 0);
  });
});
