import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { guestNames } from '../../lab/zfs/guests.js';
import { findMachine } from '../../lab/zfs/machine.js';
import { upPair } from '../../lab/zfs/pair.js';
import { enter, leave } from '../../lab/zfs/users.js';
import { removeParents } from '../support/lab-parents.js';
import { repositoryRoot } from '../support/root.js';
import { beforeRemoval, temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** The lab itself: what other tests take for granted of the two hosts. */

const lab = useZfsLab({ own: true });
const { skip } = lab;

const pidsIn = (folder: string): (number | undefined)[] =>
  guestNames.map((name) => findMachine(folder, name));

/** Another process that wants this pair up, as a test file beside ours would. */
async function upElsewhere(folder: string): Promise<number | null> {
  const module = pathToFileURL(join(repositoryRoot, 'dist/lab/zfs/pair.js')).href;
  const script = `import { upPair } from ${JSON.stringify(module)}; await upPair(process.argv[1]);`;
  const args = ['--input-type=module', '--eval', script, folder];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'exit');
  return code;
}

const endWithUs = (folder: string): void =>
  beforeRemoval(() => {
    for (const pid of pidsIn(folder)) if (pid !== undefined) process.kill(pid, 'SIGKILL');
  });

const labCommand = (folder: string, words: readonly string[]) =>
  spawnSync(process.execPath, [join(repositoryRoot, 'dist/lab/zfs/main.js'), ...words], {
    env: { ...process.env, HOLDFAST_LAB_PAIR: folder },
    encoding: 'utf8',
  });

test('two processes that start a pair at the same time get one pair, which nobody ends while it is used, and its end is not the end of another', {
  skip,
}, async () => {
  const folder = join(temporaryFolder('zfs-second'), 'pair');
  endWithUs(folder);
  assert.deepEqual(await Promise.all([upElsewhere(folder), upElsewhere(folder)]), [0, 0]);
  const pids = pidsIn(folder);
  assert(!pids.includes(undefined), 'both guests outlive the processes that started them');
  await upPair(folder);
  assert.deepEqual(pidsIn(folder), pids, 'what runs is not started again');
  enter(folder);
  for (const words of [['down'], ['reset'], ['plug', 'din'], ['link', 'din', 'down']]) {
    const refused = labCommand(folder, words);
    assert.equal(refused.status, 1, words.join(' '));
    assert.match(refused.stderr, new RegExp(`process ${process.pid}`));
  }
  assert.deepEqual(pidsIn(folder), pids, 'nobody ends what a test uses');
  leave(folder);
  assert.equal(labCommand(folder, ['down']).status, 0);
  assert.deepEqual(pidsIn(folder), [undefined, undefined]);
  assert(!existsSync(folder), 'the disks are gone');
  assert.equal(await lab.din.sh('hostname'), 'din');
});

test('a test file leaves nothing in the shared pair, and the last one that uses it ends it', {
  skip,
}, async () => {
  const folder = join(temporaryFolder('zfs-shared'), 'pair');
  endWithUs(folder);
  const support = pathToFileURL(join(repositoryRoot, 'dist/test/support/zfs-lab.js')).href;
  const file = join(temporaryFolder('zfs-file'), 'small.test.mjs');
  writeFileSync(
    file,
    `import { test } from 'node:test';
     import { useZfsLab } from ${JSON.stringify(support)};
     const lab = useZfsLab();
     test('works', async () => { await lab.din.zfs('snapshot', lab.din.parents.fast + '@x'); });`,
  );
  const runFile = () =>
    spawnSync(process.execPath, ['--test', file], {
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, HOLDFAST_LAB_PAIR: folder },
      encoding: 'utf8',
    });
  enter(folder);
  const first = runFile();
  assert.equal(first.status, 0, first.stdout);
  assert(!pidsIn(folder).includes(undefined), 'we use it too');
  assert.equal(labCommand(folder, ['ssh', 'din', 'zfs list -H -o name -r fast']).stdout, 'fast\n');
  leave(folder);
  const second = runFile();
  assert.equal(second.status, 0, second.stdout);
  assert.deepEqual(pidsIn(folder), [undefined, undefined]);
});

test('both have the pools that are promised, the same OpenZFS, the tools, and the right time', {
  skip,
}, async () => {
  assert.equal(await lab.din.sh('zpool list -H -o name,health'), 'bulk\tONLINE\nfast\tONLINE');
  assert.equal(await lab.grogu.sh('zpool list -H -o name,health'), 'backup\tONLINE');
  assert.match(await lab.din.sh('zfs version'), /^zfs-2\.\d+.*\nzfs-kmod-2\.\d+/);
  assert.equal(await lab.grogu.sh('zfs version'), await lab.din.sh('zfs version'));
  const clock = Number(await lab.grogu.sh('date +%s')) * 1000;
  assert(Math.abs(clock - Date.now()) < 60_000, `the clock of grogu says ${new Date(clock).toISOString()}`);
  await lab.din.sh('command -v restic mbuffer zstd pv rsync sudo');
  assert.equal((await lab.din.ask('command -v node temporal')).stdout, '', 'nothing of ours is there');
});

test('the other user may do nothing as root but zfs', { skip }, async () => {
  const user = 'holdfast';
  assert.equal(await lab.din.sh('sudo -n zfs list -H -o name fast', { user }), 'fast');
  assert.notEqual((await lab.din.ask('sudo -n cat /etc/shadow', { user })).code, 0);
  assert.notEqual((await lab.din.ask(`zfs create ${lab.din.parents.fast}/x`, { user })).code, 0);
});

test('din can push to grogu, whose key it knows', { skip }, async () => {
  const { port } = lab.grogu;
  const ssh = `ssh -o BatchMode=yes -o HostKeyAlias=grogu -p ${port} root@10.0.2.2`;
  assert.equal(await lab.din.sh(`${ssh} hostname`), 'grogu');
});

test('datasets with hostile names, held snapshots, clones and volumes go with the parents of a test file', {
  skip,
}, async () => {
  const parent = lab.din.parents.fast ?? '';
  await lab.din.zfs('create', `${parent}/with a space:and.dots`);
  await lab.din.zfs('create', '-s', '-V', '16M', `${parent}/volume`);
  await lab.din.zfs('snapshot', '-r', `${parent}@a b`);
  await lab.din.zfs('hold', '-r', 'some tag', `${parent}@a b`);
  await lab.din.zfs('clone', `${parent}/with a space:and.dots@a b`, `${parent}/clone`);
  await lab.din.sh(removeParents([parent]));
  assert.equal(await lab.din.sh('zfs list -H -o name -r fast'), 'fast');
});

test('a cable that is pulled cuts the connection, and back in it works again', { skip }, async () => {
  const waiting = lab.grogu.ask('sleep 600');
  await lab.grogu.sh('true');
  await lab.grogu.setLink(false);
  assert.equal((await waiting).code, 255);
  await lab.grogu.setLink(true);
  const answer = () => lab.grogu.sh('hostname');
  assert.equal(await waitFor(answer, { timeoutMs: 180_000, what: 'grogu with its cable in' }), 'grogu');
});

test('after its plug was pulled din boots with all that was in its pools', { skip }, async () => {
  const dataset = `${lab.din.parents.bulk}/kept`;
  await lab.din.zfs('create', dataset);
  await lab.din.sh(`echo words > /${dataset}/file`);
  await lab.din.zfs('snapshot', `${dataset}@now`);
  await lab.din.zfs('hold', 'tag', `${dataset}@now`);
  const guid = await lab.din.zfs('get', '-H', '-o', 'value', 'guid', `${dataset}@now`);
  const sleeping = lab.din.ask('sleep 600');
  await lab.din.pullPlug();
  assert.equal((await sleeping).code, 255);
  await lab.din.boot();
  assert.equal(await lab.din.zfs('get', '-H', '-o', 'value', 'guid', `${dataset}@now`), guid);
  assert.match(await lab.din.zfs('holds', '-H', `${dataset}@now`), /\ttag\t/);
  assert.equal(await lab.din.sh(`cat /${dataset}/.zfs/snapshot/now/file`), 'words');
});
