import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Estate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';
import { startZfsEstate } from '../support/zfs-estate.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** Datasets of an appliance without restic, read through a network file system: sshfs here, where NFS would be. Its snapshots are real. */

const lab = useZfsLab();
const skip = lab.skip || needs('temporal', 'restic', 'root', 'mount', 'sshfs');

describe('a backup through a mount', { skip }, () => {
  let estate: Estate;
  let tree: string;
  const mountpoint = `/hf-${process.pid}`;
  const folder = temporaryFolder('through');
  const mount = join(folder, 'photos of din');
  const repository = join(folder, 'repository');
  const restic = (...args: string[]): string =>
    execFileSync('restic', ['-r', repository, '--no-lock', ...args], {
      env: { ...process.env, RESTIC_PASSWORD: 'swordfish', RESTIC_CACHE_DIR: join(folder, 'cache') },
      encoding: 'utf8',
    });
  const copies = (): { id: string; paths: string[]; summary?: Record<string, number> }[] =>
    JSON.parse(restic('snapshots', '--json', '--tag', 'job:offsite'));
  const run = async () => {
    const { code, stdout, stderr } = await estate.holdfast('run', 'offsite', '--follow');
    return { code, words: `${stdout}${stderr}` };
  };
  const assertLetGo = async (): Promise<void> => {
    assert.doesNotMatch(
      readFileSync('/proc/self/mountinfo', 'utf8'),
      new RegExp(`${estate.stateFolder}.*/reading/`),
    );
    const held = await lab.din.zfs('list', '-Hp', '-r', '-t', 'snapshot', '-o', 'userrefs', tree);
    assert.deepEqual(
      held.split('\n').filter((count) => count !== '' && count !== '0'),
      [],
    );
  };

  before(async () => {
    tree = `${lab.din.parents.fast}/photos`;
    await lab.din.zfs('create', '-o', `mountpoint=${mountpoint}`, tree);
    await lab.din.zfs('create', `${tree}/a b`);
    await lab.din.sh(`
      echo root > ${mountpoint}/root; echo here > ${mountpoint}/.holdfast
      echo frozen > "${mountpoint}/a b/it's here"`);
    mkdirSync(mount);
    const { host, port, key, knownHosts } = lab.din;
    const options = [`port=${port}`, `IdentityFile=${key}`, `UserKnownHostsFile=${knownHosts}`, 'reconnect'];
    execFileSync('sshfs', [`root@${host}:${mountpoint}`, mount, '-F', '/dev/null', '-o', options.join(',')]);
    estate = await startZfsEstate(lab.din, tree, (config) => {
      config.resources.tree.mount = mount;
      config.resources.tree.marker = '.holdfast';
      config.hosts.din.tools = { restic: '/nonexistent/restic' };
      config.stores.disk = { restic: { repository, password: { command: ['echo', 'swordfish'] } } };
      config.jobs.offsite = {
        kind: 'restic-backup',
        resources: ['tree'],
        store: 'disk',
        check: { cron: '0 7 * * 0' },
        retryFor: '1m',
      };
    });
    const made = await estate.holdfast('init-store', 'disk');
    assert.equal(made.code, 0, made.stdout + made.stderr);
  });
  after(async () => {
    await estate?.stop();
    spawnSync('fusermount', ['-u', '-z', mount]);
  });

  test('the snapshot is taken there and read here, each dataset in a folder of its own', async () => {
    const { code, words } = await run();
    assert.equal(code, 0, words);
    const [copy] = copies();
    const listed = restic('ls', copy?.id ?? '');
    for (const name of ['photos/root', "photos%2Fa b/it's here"]) assert(listed.includes(name), listed);
    await assertLetGo();
    const shown = await estate.holdfast('copies', 'tree');
    assert.match(shown.stdout, /^tree\tdisk\t.*\tproved /m, shown.stdout + shown.stderr);
  });

  test('the next copy finds its parent by the path and holds the moment of the snapshot', async () => {
    await lab.din.sh(`echo more > ${mountpoint}/new`);
    const { code, words } = await run();
    assert.equal(code, 0, words);
    const [first, second] = copies();
    assert.deepEqual(second?.paths, first?.paths);
    await assertLetGo();
  });

  test('a dataset that is not mounted over there is named, and there is no copy without it', async () => {
    await lab.din.zfs('create', '-o', 'canmount=noauto', `${tree}/hidden`);
    const { code, words } = await run();
    assert.notEqual(code, 0, words);
    assert.match(words, /hidden\/\.zfs\/snapshot\/.*exclude it/);
    assert.equal(copies().length, 2);
    await assertLetGo();
    await lab.din.zfs('destroy', '-r', `${tree}/hidden`);
  });

  test('a marker that is missing in the snapshot ends the run, and checks of the store go on', async () => {
    await lab.din.sh(`rm ${mountpoint}/.holdfast`);
    const { code, words } = await run();
    assert.notEqual(code, 0, words);
    assert.match(words, /marker .*\.holdfast is missing/);
    await assertLetGo();
    const checked = await estate.holdfast('run', 'offsite', '--only', 'check', '--follow');
    assert.equal(checked.code, 0, checked.stdout + checked.stderr);
  });
});
