import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { HoldfastError } from '../../contracts/errors.js';
import { localHost } from '../../system/local-host.js';
import { sshHost } from '../../system/ssh-host.js';
import { type SshMachine, sshMachine } from '../../system/ssh-machine.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** A cable that is pulled says nothing: it has to be noticed. Takes minutes. */

const lab = useZfsLab({ own: true });
let machine: SshMachine | undefined;
after(() => machine?.close());

test('a cable that is pulled is noticed; what ran on keeps its lock, and is waited for when the cable is back', {
  skip: lab.skip,
}, async () => {
  const { host: address, port, key: keyFile, knownHosts: knownHostsFile } = lab.din;
  const folder = temporaryFolder('cut');
  const target = {
    name: 'din',
    address,
    port,
    user: 'root',
    keyFile,
    knownHostsFile,
    sudo: [],
    folder: '/var/tmp/holdfast-cut',
  };
  const reached = sshMachine(() => target, join(folder, 'c'));
  machine = reached;
  const din = sshHost({
    name: 'din',
    machine: reached,
    driver: localHost({ name: 'nas', stateFolder: folder }),
  });
  const [started, go, lock] = ['started', 'go', 'a.lock'].map((name) => `${target.folder}/${name}`) as [
    string,
    string,
    string,
  ];
  const script = `touch ${started}; until [ -e ${go} ]; do sleep 0.2; done; echo done > ${started}`;
  const running = din.run({ file: 'sh', args: ['-c', script] }, { lock });
  running.catch(() => undefined);
  await waitFor(() => din.exists(started), { timeoutMs: 120_000, what: 'the start' });
  await lab.din.setLink(false);
  await assert.rejects(running, (error: unknown) => {
    assert(error instanceof HoldfastError);
    assert.equal(error.code, 'HF_SSH_UNREACHABLE');
    assert.match(error.message, /lost while sh was running/);
    return true;
  });
  await lab.din.setLink(true);
  let waited = false;
  const next = waitFor(
    () =>
      din
        .run({ file: 'cat', args: [started] }, { lock, onLockWait: () => (waited = true) })
        .catch(() => undefined),
    { timeoutMs: 240_000, what: 'the machine, and then its lock' },
  );
  await waitFor(() => waited, { timeoutMs: 240_000, what: 'somebody who waits for the lock' });
  await din.writeFile(go, '');
  assert.equal((await next).stdout, 'done\n', 'it came after the other was through');
});
