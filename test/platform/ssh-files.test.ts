import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Host } from '../../system/host.js';
import { localHost } from '../../system/local-host.js';
import { sshHost } from '../../system/ssh-host.js';
import { type SshMachine, sshMachine } from '../../system/ssh-machine.js';
import { needs } from '../support/needs.js';
import { type SshServer, startSshServer } from '../support/ssh-server.js';
import { temporaryFolder } from '../support/temp.js';

/** The file verbs over ssh say and do what those of this machine do: both are asked, and compared. */

describe('files over ssh', { skip: needs('sshd') }, () => {
  const folder = temporaryFolder('ssh files');
  const local = localHost({ name: 'nas', stateFolder: join(folder, 'here') });
  let server: SshServer;
  let machine: SshMachine;
  let remote: Host;
  const path = (name: string): string => join(folder, 'tree', name);
  const names = [
    'plain',
    "it's a $x `y`",
    ' leading',
    '-rf',
    'new\nline',
    'ünï 😀',
    '.hidden',
    '..odd',
    'back\\slash',
  ];

  before(async () => {
    mkdirSync(join(folder, 'tree'));
    for (const name of names) writeFileSync(path(name), name);
    mkdirSync(path('folder'));
    writeFileSync(path('folder/inner'), 'x'.repeat(5_000));
    symlinkSync('folder', path('link'));
    symlinkSync('/nowhere/at/all', path('dead link'));
    symlinkSync('circle', path('circle'));
    linkSync(path('plain'), path('second name'));
    writeFileSync(path('sparse'), '');
    truncateSync(path('sparse'), 50_000_000);
    utimesSync(path('plain'), 1, 1_234_567_890.123_456);
    utimesSync(path('-rf'), -5.25, -5.25);
    chmodSync(path('ünï 😀'), 0o4751);
    server = await startSshServer();
    machine = sshMachine(() => server.target, join(server.folder, 'control'));
    remote = sshHost({ name: 'din', machine, driver: local });
  });
  after(async () => {
    machine.close();
    await server.stop();
  });

  const said = <T>(promise: Promise<T>): Promise<T | string> =>
    promise.catch((error: NodeJS.ErrnoException) => `error ${error.code}`);

  /** The same question to both. */
  const assertSame = async (what: string, ask: (host: Host) => Promise<unknown>): Promise<void> =>
    assert.deepEqual(await said(ask(remote)), await said(ask(local)), what);

  test('facts, existence and real paths are those that this machine says', async () => {
    const paths = [
      ...[...names, 'folder', 'link', 'dead link', 'circle', 'second name', 'sparse'].map(path),
      ...[
        'missing',
        'plain/below a file',
        'link/inner',
        'link/missing/deep',
        'dead link/x',
        'folder/../plain',
      ].map(path),
      '/',
      '/dev/null',
      '/proc/self',
    ].filter((one) => one !== '/proc/self');
    for (const one of paths) {
      await assertSame(`facts ${one}`, (host) => host.facts(one));
      await assertSame(`exists ${one}`, (host) => host.exists(one));
      await assertSame(`realPath ${one}`, (host) => host.realPath(one));
    }
  });

  test('listings, contents, mounts and counts as well, and their errors by the same codes', async () => {
    for (const one of [
      path(''),
      path('folder'),
      path('link'),
      path('missing'),
      path('plain'),
      '/proc',
      '/sys',
    ]) {
      await assertSame(`mount ${one}`, (host) => host.isMountPoint(one));
      if (one !== '/proc') await assertSame(`list ${one}`, async (host) => (await host.list(one)).sort());
    }
    for (const name of [...names, 'missing', 'folder'])
      await assertSame(`read ${name}`, (host) => host.readFile(path(name)));
    for (const enough of [
      { files: 1e9, bytes: 1e15 },
      { files: 3, bytes: 0 },
      { files: Number.POSITIVE_INFINITY, bytes: 1 },
    ])
      for (const one of [path(''), path('folder'), path('missing')])
        await assertSame(`count ${one}`, async (host) => {
          const { complete, files } = await host.countTree(one, enough);
          return { complete, files };
        });
    assert.deepEqual(
      await remote.countTree(path(''), { files: 1e9, bytes: 1e15 }),
      await local.countTree(path(''), { files: 1e9, bytes: 1e15 }),
    );
    await assertSame('machine', (host) => host.machineName());
    await assertSame('process', (host) => host.processStartedAt(process.pid));
    await assertSame('no process', (host) => host.processStartedAt(4_194_303));
    const [free, here] = [
      await remote.freeBytes(path('missing/deep')),
      await local.freeBytes(path('missing/deep')),
    ];
    assert(Math.abs(free - here) < 2 ** 30, `${free} and ${here}`);
  });

  test('what is written is whole, private, and arrives byte by byte', async () => {
    const file = path("a new/it's/file");
    const text = `it's "hostile" $x \`y\`\n%s \\n \\0 \\c a\x007b ünï 😀\r\n${'long '.repeat(60_000)}`;
    await remote.writeFile(file, text);
    assert.equal(readFileSync(file, 'utf8'), text);
    assert.equal(lstatSync(file).mode & 0o777, 0o600);
    assert.equal(lstatSync(path('a new')).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(path("a new/it's")), ['file']);
    const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(20_000));
    await Promise.all(texts.map((one) => remote.writeFile(file, one)));
    assert(texts.includes(readFileSync(file, 'utf8')));
    assert.deepEqual(readdirSync(path("a new/it's")), ['file']);
    await remote.writeFile(file, '');
    assert.equal(readFileSync(file, 'utf8'), '');
    await remote.appendLine(file, 'one');
    writeFileSync(file, 'torn');
    await remote.appendLine(file, `it's two`);
    assert.equal(readFileSync(file, 'utf8'), `torn\nit's two\n`);
  });

  test('renames replace what rename replaces, and never copy to another file system', async () => {
    writeFileSync(path('from'), 'new');
    writeFileSync(path('to'), 'old');
    await remote.rename(path('from'), path('to'));
    assert.equal(readFileSync(path('to'), 'utf8'), 'new');
    assert.equal(existsSync(path('from')), false);
    await assert.rejects(remote.rename(path('missing'), path('to')), { code: 'ENOENT' });
    mkdirSync(path('full'));
    writeFileSync(path('full/x'), '');
    mkdirSync(path('empty'));
    await assert.rejects(remote.rename(path('empty'), path('full')), { code: 'ENOTEMPTY' });
    await assert.rejects(remote.rename(path('to'), '/dev/shm/holdfast-must-not-be'), { code: 'EXDEV' });
    assert.equal(existsSync('/dev/shm/holdfast-must-not-be'), false);
  });

  test('entries move without replacing anything, hidden and hostile ones too', async () => {
    const [from, to] = [path('move from'), path('move to')];
    mkdirSync(from);
    mkdirSync(to);
    for (const name of [...names, '.holdfast-stays']) writeFileSync(join(from, name), name);
    symlinkSync('/nowhere', join(from, 'dead'));
    assert.equal(await remote.moveEntries(from, to, '.holdfast-'), undefined);
    assert.deepEqual(readdirSync(from), ['.holdfast-stays']);
    assert.deepEqual(readdirSync(to).sort(), [...names, 'dead'].sort());
    symlinkSync('/nowhere', join(from, 'plain'));
    assert.equal(await remote.moveEntries(from, to, '.holdfast-'), join(to, 'plain'));
    assert.equal(readFileSync(join(to, 'plain'), 'utf8'), 'plain');
    await assertSame('no folder', (host) => host.moveEntries(path('missing'), to));
  });

  test('only what lies inside of the named folder is removed', async () => {
    for (const [victim, within] of [
      [path('folder'), path('folder')],
      [path('folder/../plain'), path('folder')],
      [path('folderx'), path('folder')],
      ['/', path('folder')],
    ] as const)
      await assert.rejects(remote.removeTree(victim, within), /Refused to remove/);
    mkdirSync(path("gone/it's/deep"), { recursive: true });
    await remote.removeTree(path("gone/it's"), path('gone'));
    assert.deepEqual(readdirSync(path('gone')), []);
    await remote.removeTree(path('gone/never there'), path('gone'));
    assert(existsSync(path('plain')));
  });
});
