import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fill, makeArray, type TestArray } from '../support/array.js';
import { startArrayEstate } from '../support/array-estate.js';
import type { Estate } from '../support/estate.js';
import { needs } from '../support/needs.js';
import { type SshServer, startSshServer } from '../support/ssh-server.js';
import { temporaryFolder } from '../support/temp.js';

/** What is needed to rebuild an array lies on another host, and doctor knows where the lists are. */

describe('beside the array', { skip: needs('temporal', 'mount', 'snapraid', 'sshd') }, () => {
  let estate: Estate;
  let array: TestArray;
  let server: SshServer;
  const folder = join(temporaryFolder('attic'), 'kept');

  before(async () => {
    array = makeArray({ disks: 2, parities: 1, megabytes: 16 });
    fill(array, 20);
    server = await startSshServer();
    const { address, port, user, keyFile, knownHostsFile } = server.target;
    estate = await startArrayEstate(array, (config) => {
      config.hosts.attic = { ssh: { address, port, user, key: keyFile, knownHosts: knownHostsFile } };
      config.resources.media.snapraid.copies = { host: 'attic', folder };
      config.jobs.nightly.steps = ['sync'];
    });
  });
  after(async () => {
    await estate?.stop();
    await server?.stop();
  });

  test('snapraid.conf, fstab, the disks and a content file are kept, and the archive before', async () => {
    const night = () => estate.holdfast('run', 'nightly', '--follow');
    const { code, stdout, stderr } = await night();
    assert.equal(code, 0, `${stdout}${stderr}`);
    const archive = join(folder, 'media.tar');
    const list = execFileSync('tar', ['--absolute-names', '-tf', archive], { encoding: 'utf8' });
    for (const part of [array.config, '/etc/fstab', 'media.disks', 'snapraid.content'])
      assert(list.includes(part), `${part} in ${list}`);
    array.write('d1', 'more', 'x');
    assert.equal((await night()).code, 0);
    assert(existsSync(`${archive}.previous`));
  });

  test('a host that is away is a warning, and the sync counts all the same', async () => {
    await server.stop();
    array.write('d1', 'even more', 'x');
    const { code, stdout, stderr } = await estate.holdfast('run', 'nightly', '--follow');
    assert.equal(code, 6, `${stdout}${stderr}`);
    const rows = JSON.parse((await estate.holdfast('status', 'nightly', '--json')).stdout);
    assert.equal(rows[0].overdue, false);
    await server.start();
  });

  test('doctor warns of lists on too few disks, and of a disk that is away', async () => {
    const doctor = async () => (await estate.holdfast('doctor', 'nas')).stdout;
    assert.doesNotMatch(await doctor(), /content files lie/);
    const conf = readFileSync(array.config, 'utf8');
    writeFileSync(array.config, conf.replace(/^content .*disk\/snapraid\.content$/m, ''));
    assert.match(await doctor(), /content files lie on 1 disks, and 2 are wanted/);
    writeFileSync(array.config, conf);
    array.data.d2?.unmount();
    assert.match(await doctor(), /disk d2 is not mounted/);
  });
});
