import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkArguments, masterArguments, wireArguments } from '../../system/ssh-arguments.js';
import { asArgument, bytesAsArgument, wrap } from '../../system/ssh-script.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';

/** What a remote shell is given, tried with the shells of this machine. */

const hostile = [
  'a b',
  `it's "q"`,
  '-rf',
  'new\nline',
  '$HOME',
  '`id`',
  '*',
  '!!',
  '\\n',
  '\\',
  'ünï',
  '',
  '#',
  '%s',
  ';true',
];
const mark = 'mark-of-a-test';
const wanted = hostile.map((name) => `[${name}]`).join('');
const command = { file: 'printf', args: ['[%s]', ...hostile] };

const isHere = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;

describe('the text for a remote shell', () => {
  test('brings hostile arguments through standard input whole', () => {
    for (const shell of ['sh', 'bash', 'dash', 'zsh'].filter(isHere)) {
      // setsid: sshd gives a command a session of its own.
      const { stdout } = spawnSync('setsid', ['--wait', shell], {
        input: wrap({ command, mark, sudo: false, folder: '/x' }),
        encoding: 'utf8',
      });
      assert.equal(stdout, `${mark} go\n${wanted}`, shell);
    }
  });

  test('brings them through every login shell as one argument', () => {
    const text = asArgument(wrap({ command, mark, sudo: false, folder: '/x', wire: 'in' }));
    for (const shell of ['sh', 'bash', 'dash', 'zsh', 'fish', 'csh'].filter(isHere)) {
      const { stdout, stderr } = spawnSync('setsid', ['--wait', shell, '-c', text], { encoding: 'utf8' });
      assert.equal(stdout, wanted, `${shell}: ${stderr}`);
      assert.match(stderr, new RegExp(`^${mark} exit 0$`, 'm'), shell);
    }
  });

  test('is refused as an argument that Linux would not take, in words', () => {
    const longest = 'x'.repeat(130_000);
    const { stdout, status } = spawnSync('sh', ['-c', asArgument(`: ${longest}; echo done`)]);
    assert.deepEqual([status, `${stdout}`], [0, 'done\n']);
    assert.throws(() => asArgument(`: ${longest}${"'".repeat(300)}`), /too long to be an argument/);
    const more = asArgument(`a ${wanted}`).length - asArgument('a ').length;
    assert.equal(bytesAsArgument(wanted), more);
  });

  test('does nothing at all when it was cut on the way', () => {
    const folder = temporaryFolder();
    const text = wrap({
      command: { file: 'touch', args: ['--', join(folder, 'a'), join(folder, 'abc')] },
      mark,
      sudo: false,
      folder: '/x',
    });
    for (let length = 0; length < text.length - 2; length += 7)
      spawnSync('setsid', ['--wait', 'sh'], { input: text.slice(0, length) });
    assert.deepEqual(spawnSync('ls', ['-A', folder], { encoding: 'utf8' }).stdout, '');
    spawnSync('setsid', ['--wait', 'sh'], { input: text });
    assert.deepEqual(spawnSync('ls', ['-A', folder], { encoding: 'utf8' }).stdout, 'a\nabc\n');
  });

  test('names only variables to sudo, and keeps the lock in the shell, because sudo closes it', () => {
    const text = wrap({
      command: { file: 'restic', args: ['snapshots'], env: { RESTIC_PASSWORD: 'geheim', B: 'x' } },
      mark,
      sudo: true,
      folder: '/x',
      lock: '/x/a.lock',
    });
    assert.match(text, /set -- sudo -n --preserve-env=RESTIC_PASSWORD,B -- "\$@"/);
    assert.match(text, /^"\$@" <\/dev\/null; r=\$\?$/m);
    assert.match(text, /^export RESTIC_PASSWORD='geheim'$/m);
  });

  test('refuses a text that a shell cannot hold, and what is no name of a variable', () => {
    assert.throws(
      () => wrap({ command: { file: 'echo', args: ['a\0b'] }, mark, sudo: false, folder: '/x' }),
      /NUL/,
    );
    const env = { 'A;rm -rf /': 'x' };
    assert.throws(
      () => wrap({ command: { file: 'echo', args: [], env }, mark, sudo: false, folder: '/x' }),
      /name of a variable/,
    );
  });
});

describe('the arguments of the ssh program', { skip: needs('sshd') }, () => {
  const folder = mkdtempSync(join(temporaryFolder(), 'with blank %h '));
  const base = { port: 2222, user: 'holdfast', sudo: [], folder: '/x' };
  const target = {
    ...base,
    name: 'din',
    address: '10.0.0.2',
    keyFile: join(folder, "it's a key"),
    knownHostsFile: join(folder, 'known hosts'),
  };
  const read = (args: string[]): string[] => {
    const { stdout, stderr } = spawnSync('ssh', ['-G', ...args], { encoding: 'utf8' });
    assert.equal(stderr, '');
    return stdout.split('\n');
  };

  test('are read back by ssh as they were meant, whatever ssh_config says', () => {
    const lines = read(wireArguments(target, join(folder, 'socket'), 'true'));
    for (const line of [
      'hostname 10.0.0.2',
      'port 2222',
      'user holdfast',
      'stricthostkeychecking true',
      'batchmode yes',
      'identitiesonly yes',
    ])
      assert(lines.includes(line), line);
    assert(lines.some((line) => line.startsWith('identityfile ') && line.includes("it's a key")));
    assert(
      lines.some(
        (line) =>
          line === `userknownhostsfile ${target.knownHostsFile}` ||
          line === `userknownhostsfile ${target.knownHostsFile.replace('%', '%%')}`,
      ),
      lines.join('\n'),
    );
    assert(masterArguments(target, '/s').includes('-N'));
    assert(checkArguments(target, '/s').includes('check'));
  });

  test('go over another machine with that one’s own key and known hosts', () => {
    const jump = {
      ...base,
      name: 'gate',
      address: 'gate.lan',
      keyFile: "/k/gate's key",
      knownHostsFile: '/k/gate known',
    };
    const line = read(wireArguments({ ...target, jump }, '/s', 'true')).find((one) =>
      one.startsWith('proxycommand'),
    );
    assert.match(line ?? '', /gate\.lan/);
    assert.match(line ?? '', /StrictHostKeyChecking=yes/);
  });
});
