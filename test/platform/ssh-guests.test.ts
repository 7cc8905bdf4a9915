import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { HoldfastError } from '../../contracts/errors.js';
import type { Host } from '../../system/host.js';
import { localHost } from '../../system/local-host.js';
import { pipeAcross } from '../../system/pipe-across.js';
import { sshHost } from '../../system/ssh-host.js';
import { type SshMachine, sshMachine } from '../../system/ssh-machine.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** Real appliances: other machines with kernels of their own, a user with sudo for zfs alone, and streams between them. */

const lab = useZfsLab();
const folder = temporaryFolder('guests');
const machines: SshMachine[] = [];
after(() => {
  for (const machine of machines) machine.close();
});

function hostOf(name: 'din' | 'grogu', user: string, sudo: string[] = []): Host {
  const { host: address, port, key: keyFile, knownHosts: knownHostsFile } = lab[name];
  const target = {
    ...{ name, address, port, user, keyFile, knownHostsFile, sudo },
    folder: `/var/tmp/holdfast-${user}-${process.pid}`,
  };
  const machine = sshMachine(() => target, join(folder, 'c'));
  machines.push(machine);
  return sshHost({ name, machine, driver: localHost({ name: 'nas', stateFolder: join(folder, name) }) });
}

test('sudo is put in front of what the file lists, and what it does not allow is said to be so', {
  skip: lab.skip,
}, async () => {
  const host = hostOf('din', 'holdfast', ['zfs', 'zpool']);
  const listed = await host.run({
    file: 'zfs',
    args: ['list', '-H', '-o', 'name', lab.din.parents.fast ?? ''],
  });
  assert.deepEqual([listed.exitCode, listed.stdout], [0, `${lab.din.parents.fast}\n`], listed.stderrTail);
  await assert.rejects(host.run({ file: 'zpool', args: ['list'] }), (error: unknown) => {
    assert(error instanceof HoldfastError);
    assert.equal(error.code, 'HF_SSH_DENIED');
    assert.match(error.message, /sudo on "din" does not let us run zpool/);
    return true;
  });
  const { stdout } = await host.run({ file: 'id', args: ['-un'] });
  assert.equal(stdout, 'holdfast\n', 'nothing else is run by sudo');
});

test('a stream goes from pool to pool over sudo on both ends, and the lock is held although sudo closes it', {
  skip: lab.skip,
}, async () => {
  const [din, grogu] = [hostOf('din', 'holdfast', ['zfs']), hostOf('grogu', 'holdfast', ['zfs'])];
  const source = `${lab.din.parents.fast}/it is a pvc:1`;
  const target = `${lab.grogu.parents.backup}/it is a pvc:1`;
  await lab.din.zfs('create', source);
  await lab.din.sh(
    `dd if=/dev/urandom of="$(zfs get -H -o value mountpoint '${source}')/data" bs=1M count=8 2>/dev/null`,
  );
  await lab.din.zfs('snapshot', `${source}@one`);
  const lock = `${grogu.stateFolder}/locks/a b.lock`;
  let isHeld: boolean | undefined;
  const heard: string[] = [];
  const sending = pipeAcross(
    [
      { host: din, command: { file: 'zfs', args: ['send', '-vP', `${source}@one`] } },
      // Slow enough to look at the lock meanwhile.
      {
        host: grogu,
        command: {
          file: 'sh',
          args: ['-c', `until [ -e '${grogu.stateFolder}/go' ]; do sleep 0.1; done; exec cat`],
        },
      },
      { host: grogu, command: { file: 'zfs', args: ['receive', '-u', target] }, lock },
    ],
    { onLine: (line, _stream, member) => heard.push(`${member} ${line}`) },
  );
  await waitFor(
    async () => {
      const { exitCode } = await grogu.run({
        file: 'sh',
        args: ['-c', '[ -e "$1" ] || exit 9; flock -n "$1" true', 'sh', lock],
      });
      isHeld = exitCode === 1;
      return isHeld;
    },
    { timeoutMs: 120_000, what: 'the lock of the receiver' },
  );
  await grogu.writeFile(`${grogu.stateFolder}/go`, '');
  const results = await sending;
  assert.deepEqual(
    results.map(({ exitCode, stderrTail }) => (exitCode === 0 ? 0 : stderrTail)),
    [0, 0, 0],
  );
  assert(isHeld);
  assert(
    heard.some((line) => line.startsWith('0 full\t')),
    'progress of the sender is heard',
  );
  const guid = (host: Host, snapshot: string): Promise<string> =>
    host
      .run({ file: 'zfs', args: ['get', '-H', '-o', 'value', 'guid', snapshot] })
      .then(({ stdout }) => stdout);
  assert.equal(await guid(grogu, `${target}@one`), await guid(din, `${source}@one`));
  const free = await grogu.run({ file: 'flock', args: ['-n', lock, 'true'] });
  assert.equal(free.exitCode, 0, 'the lock is free again');
});

for (const isSmall of [false, true]) {
  test(`a stop in the middle ends root's programs by their pipes, although we may not signal them${isSmall ? ', over kept connections too' : ''}`, {
    skip: lab.skip,
  }, async () => {
    const [din, grogu] = [hostOf('din', 'holdfast', ['zfs']), hostOf('grogu', 'holdfast', ['zfs'])];
    const source = `${lab.din.parents.fast}/stopped-${isSmall}`;
    const target = `${lab.grogu.parents.backup}/stopped-${isSmall}`;
    await lab.din.zfs('create', source);
    await lab.din.sh(`dd if=/dev/urandom of=/${source}/data bs=1M count=16 2>/dev/null`);
    await lab.din.zfs('snapshot', `${source}@one`);
    const stop = new AbortController();
    const started = `${grogu.stateFolder}/started-${isSmall}`;
    const holdBack = `head -c 2000000; touch '${started}'; sleep 1000`;
    const sending = pipeAcross(
      [
        { host: din, command: { file: 'zfs', args: ['send', `${source}@one`] } },
        { host: grogu, command: { file: 'sh', args: ['-c', holdBack] } },
        { host: grogu, command: { file: 'zfs', args: ['receive', '-s', '-u', target] } },
      ],
      { signal: stop.signal, isSmall },
    );
    sending.catch(() => undefined);
    await waitFor(() => grogu.exists(started), { timeoutMs: 120_000, what: 'the middle of the stream' });
    stop.abort(new Error('stopped by the test'));
    await assert.rejects(sending, /stopped by the test/);
    const left = (host: (typeof lab)['din']): Promise<string> =>
      host.sh(`ps -eo args= | grep -E '^(sudo .*|)zfs (send|receive) .*/stopped-${isSmall}' || true`);
    await waitFor(async () => (await left(lab.din)) === '' && (await left(lab.grogu)) === '', {
      timeoutMs: 60_000,
      what: 'the end of both',
    });
  });
}

test('files of a machine with a kernel and a time of its own', { skip: lab.skip }, async () => {
  const host = hostOf('grogu', 'root');
  assert.equal(await host.machineName(), 'grogu');
  const file = `${host.stateFolder}/it's a file`;
  await host.writeFile(file, 'there\n');
  assert.equal(await host.readFile(file), 'there\n');
  assert.equal((await host.facts(file))?.mode, 0o600);
  assert.equal(await host.isMountPoint('/proc'), true);
  assert((await host.freeBytes('/')) > 0);
  assert.match((await host.findProgram('zfs')) ?? '', /\/zfs$/);
  await host.removeTree(file, host.stateFolder);
  assert.equal(await host.exists(file), false);
});
