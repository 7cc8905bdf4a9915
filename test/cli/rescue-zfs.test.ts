import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isAlive, newRun } from '../../cli/rescue/zfs-run.js';
import { sshTargetOf } from '../../cli/rescue/zfs-ssh.js';
import { namePattern } from '../../contracts/names.js';
import { findProgram } from '../../system/environment.js';
import { localHost } from '../../system/local-host.js';
import { runHoldfast } from '../support/children.js';
import { temporaryFolder } from '../support/temp.js';
import { holdfast } from './command-line.js';

/** What can be said of the rescue of replicas without a pool. */

const nothing = { key: undefined, knownHosts: undefined, sudo: [] };

describe('rescue zfs', () => {
  test('takes a machine as ssh users write it', () => {
    const place = (text: string): string => {
      const { user, address, port } = sshTargetOf(text, nothing);
      return `${user} ${address} ${port}`;
    };
    assert.equal(place('grogu'), 'root grogu 22');
    assert.equal(place('admin@192.168.1.9:2222'), 'admin 192.168.1.9 2222');
    assert.equal(place('root@[fe80::1%eth0]:22'), 'root fe80::1%eth0 22');
    const names = ['grogu', 'admin@grogu', 'grogu:2222'].map((text) => sshTargetOf(text, nothing).name);
    assert.equal(new Set(names).size, 3);
    // Their letters are the same: one of them must not be taken for the other.
    for (const [one = '', other = ''] of [
      ['root@[fe80::1:2]', 'root@[fe80:1::2]'],
      ['grogu.lan', 'grogu-lan'],
      [`${'a'.repeat(80)}.one`, `${'a'.repeat(80)}.two`],
    ]) {
      const both = [sshTargetOf(one, nothing).name, sshTargetOf(other, nothing).name];
      assert.equal(new Set(both).size, 2, one);
      for (const name of both) assert.match(name, namePattern);
    }
    for (const wrong of ['', '-oProxyCommand=x', 'root@-x', 'a b', 'grogu:', 'grogu:0', 'grogu:99999', '@x'])
      assert.throws(() => sshTargetOf(wrong, nothing), { code: 'HF_USAGE' }, wrong);
  });

  test('gives each rescue a run of its own, and knows which of them still lives', async () => {
    const host = localHost({ name: 'here', stateFolder: temporaryFolder('state') });
    const now = new Date('2026-11-20T03:00:00Z');
    const [one, other] = [await newRun(host, now), await newRun(host, now)];
    assert.deepEqual([one, other], ['rescue.zfs-2026-11-20T03:00:00Z', 'rescue.zfs-2026-11-20T03:00:01Z']);
    assert.equal(await isAlive(host, one), true);
    // Another process may have the number of one that is dead.
    const gone = 'rescue.zfs-2026-11-20T04:00:00Z';
    const folder = join(host.stateFolder, 'runs', gone.replaceAll(':', ''));
    mkdirSync(folder);
    assert.equal(await isAlive(host, gone), false);
    writeFileSync(join(folder, 'process'), JSON.stringify({ pid: process.pid, startedAt: 1 }));
    assert.equal(await isAlive(host, gone), false);
  });

  const refusals: [argv: string[], message: RegExp][] = [
    [['destroy'], /takes replicas, restore, clone or send, not "destroy"/],
    [['restore'], /Say where to: --to DIR/],
    [['restore', 'backup/k', '--to', '/'], /not "\/"/],
    [['restore', '--to', '/tmp/x'], /Say which replica/],
    [['restore', '-k', '--to', '/tmp/x'], /unknown option '-k'/],
    [['restore', 'backup/../k', '--to', '/tmp/x', '--copy', 'a', '--at', '2026-01-01'], /exclude each other/],
    [['restore', "backup/k'; reboot", '--to', '/tmp/x'], /is not the name of a dataset/],
    [['clone', 'backup/k', '--to', 'backup/x', '--path', 'a', '--path', 'b'], /takes one --path/],
    [['send', 'backup/k', '--to', 'fast/k', '--path', 'a'], /is sent whole/],
    [['send', 'backup/k', '--to', 'fast'], /Say which dataset it becomes/],
    [['send', 'backup/k', '--to', '/fast/k'], /Say which dataset it becomes/],
    [['replicas', '--password-file', '/x'], /"holdfast rescue zfs" does not take --password-file/],
    [['replicas', '--ssh', '-oProxyCommand=reboot'], /--ssh takes \[USER@\]ADDRESS/],
  ];
  for (const [argv, message] of refusals)
    test(`${argv.join(' ')} is refused before anything is asked`, async () => {
      const ended = await holdfast(['rescue', 'zfs', ...argv], { stateFolder: temporaryFolder('state') });
      assert.equal(ended.exit, 2, ended.notes);
      assert.match(ended.notes, message);
    });

  const skip = findProgram('zfs') !== undefined && 'this machine has ZFS';
  test('says what is missing where there is no ZFS', { skip }, async () => {
    const env = { HOLDFAST_STATE: temporaryFolder('state') };
    const ended = await runHoldfast(['rescue', 'zfs', 'replicas'], env);
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, /zfs/);
    assert.doesNotMatch(ended.stderr, / at .*\.js:/);
  });
});
