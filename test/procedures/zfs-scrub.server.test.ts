import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Estate, evidenceOf } from '../support/estate.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';
import { startZfsEstate } from '../support/zfs-estate.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** Scrubs of real pools of their own, made of files: one is damaged on purpose. */

const lab = useZfsLab();
const { skip } = lab;

describe('a scrub of a real pool', { skip }, () => {
  let estate: Estate;
  const pool = `hf-${process.pid}`;
  const image = (name: string): string => `/var/tmp/${pool}-${name}.img`;
  const clear = `zpool destroy -f ${pool}; rm -f /var/tmp/${pool}-*.img`;

  /** Random data all over the middle of a device, where the files lie. */
  const damage = (name: string, megabytes: number): Promise<string> =>
    lab.din.sh(
      `zpool sync ${pool}; dd if=/dev/urandom of=${image(name)} bs=1M seek=30 count=${megabytes} conv=notrunc`,
    );
  const scrub = async () => {
    const { code, stdout, stderr } = await estate.holdfast('run', 'weekly', '--follow');
    return { code, run: runIn(stdout), words: `${stdout}${stderr}` };
  };

  before(async () => {
    await lab.din.sh(`
      truncate -s 300M ${image('a')} ${image('b')}
      zpool create -O mountpoint=/${pool} ${pool} mirror ${image('a')} ${image('b')}
      mkdir "/${pool}/a dir"; dd if=/dev/urandom of="/${pool}/a dir/with space" bs=1M count=120; sync`);
    estate = await startZfsEstate(lab.din, lab.din.parents.fast ?? '', (config) => {
      config.resources.whole = { host: 'din', pool };
      config.jobs.weekly = {
        kind: 'zfs-scrub',
        resources: ['whole'],
        objective: { scrub: '8d' },
        retryFor: '5m',
      };
    });
  });
  after(async () => {
    await estate?.stop();
    await lab.din.ask(clear);
  });

  test('a clean pool is green, and the proof is kept', async () => {
    const { code, words } = await scrub();
    assert.equal(code, 0, words);
    assert.match(words, /nothing had to be repaired/);
    const { stdout } = await estate.holdfast('status', 'weekly', '--json');
    assert.equal((JSON.parse(stdout) as { level: string }[])[0]?.level, 'green');
    const known = evidenceOf({ ...estate, stateFolder: `${estate.stateFolder}/hosts/din` });
    assert.equal(known.filter(({ kind }) => kind === 'scrub').length, 1);
  });

  test('a scrub that runs already is joined, not started again', async () => {
    await lab.din.zfs('snapshot', `${pool}@before`);
    await lab.din.sh(`zpool scrub ${pool}; zpool scrub -p ${pool}`);
    const { code, words, run } = await scrub();
    assert.equal(code, 0, words);
    const { stdout } = await estate.holdfast('logs', run);
    assert.match(stdout, /goes on|runs already/);
  });

  test('what is repaired is a warning that counts the bytes', async () => {
    await damage('a', 60);
    const { code, words } = await scrub();
    assert.equal(code, 6, words);
    assert.match(words, /bytes were damaged and are repaired/);
  });

  test('outside of its hours a scrub waits, and a worker that is killed meanwhile changes nothing', async () => {
    const hour = (plus: number): string =>
      new Date(Date.now() + plus * 3_600_000).toISOString().slice(11, 16);
    estate.configure((config) => {
      config.jobs.weekly.window = `${hour(2)}-${hour(3)}`;
    });
    await lab.din.sh(`zpool clear ${pool}`);
    const run = runIn((await estate.holdfast('run', 'weekly')).stdout);
    await waitFor(async () => (await estate.holdfast('show', run)).stdout.includes('the hours in which'), {
      timeoutMs: 120_000,
      what: 'the run to wait for its hours',
    });
    await estate.worker.stop('SIGKILL');
    await estate.startWorker();
    assert.equal((await estate.holdfast('cancel', run)).code, 0);
    await assert.rejects(estate.client.workflow.getHandle(run).result());
    estate.configure((config) => {
      delete config.jobs.weekly.window;
    });
  });

  test('damage that nothing can repair fails the run and names the file', async () => {
    await lab.din.sh(`zpool detach ${pool} ${image('b')}`);
    await damage('a', 100);
    const { code, words, run } = await scrub();
    assert.equal(code, 1, words);
    assert.match(words, /could not be repaired/);
    const { stdout } = await estate.holdfast('logs', run);
    assert.match(stdout, /damaged: .*with space/);
  });

  test('a pool that is not there is told by its name', async () => {
    await lab.din.sh(clear);
    const { code, words } = await scrub();
    assert.equal(code, 1);
    assert.match(words, /no such pool/);
  });
});
