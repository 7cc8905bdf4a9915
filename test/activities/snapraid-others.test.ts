import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  processesIn,
  refuseDaemon,
  refuseOthers,
  snapraidsOn,
  usersOf,
} from '../../activities/snapraid/others.js';
import { onPath } from '../../lab/places.js';
import { fakeArray } from '../support/fake-snapraid.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

interface Process {
  name: string;
  args?: string[];
  state?: string;
}

/** A /proc of our own: a real snapraidd would be noticed by every other test of this machine. */
function procWith(processes: Record<number, Process>): string {
  const proc = join(temporaryFolder(), "proc 'é");
  for (const [pid, { name, args = [], state = 'S' }] of Object.entries(processes)) {
    mkdirSync(join(proc, pid), { recursive: true });
    const write = (file: string, text: string) => writeFileSync(join(proc, pid, file), text);
    write('comm', `${name}\n`);
    write('stat', `${pid} (${name}) ${state} 1 1 1 0 -1 4194304\n`);
    write('cmdline', args.map((arg) => `${arg}\0`).join(''));
  }
  return proc;
}

const init = { 1: { name: 'systemd', args: ['/sbin/init'] } };

describe('other snapraids', () => {
  test('are told from what only mentions them, and from those that have ended', async () => {
    const proc = procWith({
      ...init,
      101: { name: 'snapraid', args: ['snapraid', '-c', '/etc/x y\nz', 'sync'] },
      102: { name: 'vim', args: ['vim', 'snapraid'] },
      103: { name: 'snapraidd', args: ['/usr/bin/snapraidd', '-f'] },
      104: { name: 'snapraidd', state: 'Z' },
      105: { name: 'a) Z snapraidd', args: ['snapraidd'] },
      106: { name: 'my snapraid', args: ['snapraid'] },
      107: { name: 'snapraidd', args: [] },
    });
    assert.deepEqual(await snapraidsOn(fakeArray().array.tools, proc), [
      { pid: 101, name: 'snapraid', line: 'snapraid -c /etc/x y z sync' },
      { pid: 103, name: 'snapraidd', line: '/usr/bin/snapraidd -f' },
      { pid: 107, name: 'snapraidd', line: '' },
    ]);
    assert.deepEqual(processesIn('\n7 bash snapraidd\n8 snapraidder x\n'), []);
  });

  test('are seen on a real machine, without ps', async (t) => {
    const { array, folder } = fakeArray();
    const file = join(folder, 'snapraid');
    copyFileSync(onPath('sleep') ?? assert.fail('no sleep'), file);
    const child = spawn(file, ['60'], { stdio: 'ignore' });
    t.after(() => child.kill('SIGKILL'));
    const seen = () => snapraidsOn(array.tools).then((all) => all?.find(({ pid }) => pid === child.pid));
    const found = await waitFor(seen, { timeoutMs: 5_000, what: 'the process to be seen' });
    assert.deepEqual(found, { pid: child.pid, name: 'snapraid', line: `${file} 60` });
  });

  test('a snapraidd is refused and named; that it may work on the array is all that is said', async () => {
    const { array } = fakeArray();
    const proc = procWith({ ...init, 103: { name: 'snapraidd', args: ['/usr/bin/snapraidd'] } });
    await assert.rejects(refuseDaemon(array, proc), {
      code: 'HF_ARRAY_OTHER_MASTER',
      message: /^snapraidd \(process 103\) runs on "nas" and may work on "media" at any time/,
    });
    await refuseDaemon(array, procWith({ ...init, 103: { name: 'snapraid', args: ['snapraid', 'sync'] } }));
    await refuseDaemon(array, procWith({ ...init, 104: { name: 'snapraidd', state: 'Z' } }));
  });

  test('where processes are hidden nothing is begun: not to see a snapraidd is not to have none', async () => {
    const { array } = fakeArray();
    for (const proc of [procWith({ 4711: { name: 'sh' } }), join(temporaryFolder(), 'none')])
      await assert.rejects(refuseDaemon(array, proc), {
        code: 'HF_ARRAY_OTHERS_HIDDEN',
        message: /Whether snapraidd runs on "nas" and may work on "media" cannot be seen/,
      });
  });

  test('who holds the lock is named: by the configuration of the array, else all that may be it', async () => {
    const called = { file: 'snapraid', config: '/etc/snap raid.conf' };
    const mine = { pid: 7, name: 'snapraid', line: 'snapraid --conf /etc/snap raid.conf sync' };
    const other = { pid: 8, name: 'snapraid', line: 'snapraid -c /etc/other.conf sync' };
    assert.equal(usersOf({ called }, [mine, other]), `${mine.line} (process 7)`);
    assert.equal(usersOf({ called }, [other]), `${other.line} (process 8)`);
    assert.equal(usersOf({ called }, []), 'a process that has ended meanwhile');
    assert.equal(usersOf({ called }, undefined), 'a process that cannot be seen');
    const { array } = fakeArray();
    const ended = { exitCode: 1, signal: undefined, stdout: '', durationMs: 1 };
    const busy = refuseOthers(array, { ...ended, stderrTail: "The lock file '/c.lock' is already locked!" });
    await assert.rejects(busy, {
      code: 'HF_ARRAY_BUSY',
      message: /"media" is in use by .*It is waited for$/,
    });
    await refuseOthers(array, { ...ended, stderrTail: 'Error' });
  });
});
