import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startArrayEstate } from '../support/array-estate.js';
import { type Estate, evidenceOf } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { type SmartGuest, startSmartGuest } from '../support/smart-guest.js';
import { waitFor } from '../support/wait.js';
import { overSsh } from '../support/zfs-estate.js';

/**
 * The health of disks as smartctl itself reads it from QEMU's, over ssh: what they answer is fixed, 31 °C by SATA and 50 °C by NVMe. No SATA
 * disk of QEMU fails or has bad sectors: those are told by the fake of snapraid-watch.server.test.ts.
 */

const skip = needs('temporal', 'zfs-lab', 'snapraid', 'smartctl');

interface Health {
  disk: string;
  device: string;
  temperature?: number;
  failureProbability?: number;
  trouble?: string;
}

describe('disks that answer SMART', { skip }, () => {
  let estate: Estate;
  let guest: SmartGuest;
  const night = async () => {
    const { code, stdout, stderr } = await estate.holdfast('run', 'nightly', '--follow');
    assert.notEqual(stdout, '', stderr);
    return { code, words: `${stdout}${stderr}`, run: runIn(stdout) };
  };
  const healthIn = (run: string): Health[] => {
    const ofTank = { ...estate, stateFolder: join(estate.stateFolder, 'hosts/tank') };
    const found = evidenceOf(ofTank).find((fact) => fact.kind === 'array-smart' && fact.run === run);
    return (found as unknown as { disks: Health[] } | undefined)?.disks ?? assert.fail('no evidence');
  };
  const write = (name: string): Promise<string> => guest.sh(`echo new > '/mnt/d1/${name}'`);
  const isKnown = async (name: string): Promise<boolean> =>
    (await guest.sh(`'${guest.snapraids.at(-1)?.path}' -c ${guest.config} list`)).includes(name);

  before(async () => {
    guest = await startSmartGuest();
    estate = await startArrayEstate({ binary: 'snapraid', config: guest.config }, (config) => {
      config.hosts.tank = { ssh: overSsh(guest), tools: { snapraid: guest.snapraids[0]?.path } };
      config.resources.media.host = 'tank';
      Object.assign(config.jobs.nightly, { steps: ['sync', 'smart'], spinDown: true });
    });
  });
  after(async () => {
    await estate?.stop();
    await guest?.stop();
  });

  /** Each night with another snapraid, from old to new: content files of a newer one are none for an older one. */
  const nightWith = (at: number) => {
    estate.configure((config) => {
      config.hosts.tank.tools.snapraid = guest.snapraids.at(at)?.path ?? guest.snapraids.at(-1)?.path;
    });
    return night();
  };

  test('are told with their temperature, and how probable it is that a spinning one fails', async () => {
    const { code, words, run } = await nightWith(0);
    assert.equal(code, 0, words);
    assert.match(words, /media: smart: done \(4 disks, 0 warnings, the hottest has 50 °C\)/);
    assert.match(words, /media: spin down: done \(the disks sleep\)/);
    const disks = healthIn(run);
    const told = (name: string): Health => disks.find(({ disk }) => disk === name) ?? assert.fail(name);
    assert.deepEqual(disks.map(({ disk }) => disk).sort(), ['d1', 'd2', 'd3', 'parity']);
    // d2 lies in a folder of its disk, the parity on a mapped device: whole disks are asked.
    for (const name of ['d1', 'd2', 'parity']) {
      assert.match(told(name).device, /^\/dev\/sd[a-z]$/);
      assert.deepEqual([told(name).temperature, told(name).failureProbability], [31, 3]);
    }
    assert.deepEqual(told('d3'), { disk: 'd3', device: '/dev/nvme0n1', temperature: 50 });
  });

  test('are not failing when one is only too hot by its own limits: a warning, and the sync goes on', async () => {
    await guest.setCriticalWarning(0b10);
    await write('while-hot.mkv');
    const { code, words } = await nightWith(1);
    assert.equal(code, 6, words);
    assert.match(words, /warning: disk d3: its temperature is beyond its limits$/m);
    assert(await isKnown('while-hot.mkv'));
  });

  test('freeze every sync when one of them says that it fails', async () => {
    await guest.setCriticalWarning(0b100);
    await write('while-failing.mkv');
    const { code, words } = await nightWith(2);
    assert.equal(code, 5, words);
    assert.match(
      words,
      /Do not sync "media": disk d3 is failing: its own check says FAILED, it is no longer reliable/,
    );
    assert.match(words, /holdfast do nightly replace-disk --set disk=d3 --plan/);
    assert(!(await isKnown('while-failing.mkv')), 'it was synced');
    const { stdout } = await estate.holdfast('status', 'nightly');
    assert.match(stdout, /Do not sync "media": disk d3 is failing/);
  });

  test('are named when one of them tells nothing of itself any more', async () => {
    await guest.setCriticalWarning(0);
    const device = await guest.sh(
      'lsblk --noheadings --paths --output PKNAME "$(readlink -f /dev/disk/by-label/d1)"',
    );
    await guest.sh(`smartctl --smart=off ${device.trim()}`);
    const { words, run } = await night();
    assert.match(words, /media: smart: .*3 disks, .*of d1 nothing is known/);
    assert(!healthIn(run).some((one) => one.disk === 'd1'));
    assert(await isKnown('while-failing.mkv'), 'the sync did not go on');
  });

  test('are named when one was pulled out under its mount', async () => {
    await guest.unplugNvme();
    await waitFor(async () => !(await guest.sh('ls /dev')).includes('nvme0n1'), {
      timeoutMs: 30_000,
      what: 'the disk to be gone',
    });
    await guest.sh('mountpoint /mnt/d3');
    const { code, words } = await night();
    assert.equal(code, 5, words);
    assert.match(words, /Do not sync "media": disk d3 is gone, although \/mnt\/d3 is still mounted/);
    assert.match(words, /replace-disk --set disk=d3 --plan/);
  });
});
