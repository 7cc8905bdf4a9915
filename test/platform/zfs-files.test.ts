import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { copyPiece } from '../../activities/zfs/files-copy.js';
import { comparePiece } from '../../activities/zfs/files-inventory.js';
import type { Piece } from '../../activities/zfs/files-plan.js';
import { localHost } from '../../system/local-host.js';
import { compareTrees } from '../support/compare.js';
import { makeTree } from '../support/data.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';

/** Files out of a mounted snapshot, with everything that a disk can hold; the snapshot is a plain folder here. */

const skip = needs('root', 'acl');
const whole: Piece = { dataset: 'fast/k', within: '', place: '', inner: [] };

function scene() {
  const folder = temporaryFolder('zfs-files');
  const host = localHost({ name: 'nas', stateFolder: join(folder, 'state') });
  const { signal } = new AbortController();
  const tools = { host, signal, log: () => undefined, progress: () => undefined } as unknown as Tools;
  const [from, to] = ['from', 'to'].map((name) => {
    mkdirSync(join(folder, name));
    return { host, signal, folder: join(folder, name) };
  });
  assert(from && to);
  const copy = (piece: Piece = whole) =>
    copyPiece(tools, from, to, { piece, isRoot: true, onBytes: () => undefined });
  const compare = (piece: Piece = whole) => comparePiece(from, to, { piece, name: 'test', isRoot: true });
  return { from: from.folder, to: to.folder, copy, compare };
}

test('a tree with everything odd comes out the same, by our own comparison and by another one', {
  skip,
}, async () => {
  const { from, to, copy, compare } = scene();
  makeTree(from, { files: 30, bytes: 2e6, seed: 7, binaryNames: true });
  await copy();
  const { differences: own, verified } = await compare();
  assert.deepEqual(own, []);
  assert.match(verified.join(), /hard links of \d+ files.*extended attributes \([1-9]/);
  assert.deepEqual(compareTrees(from, to), []);
});

const tamperings: [string, RegExp, (to: string) => void][] = [
  [
    'one byte of a file, at the same size and time',
    /restored: [0-9a-f]{64} {2}\.\/file/,
    (to) => {
      const { atime, mtime } = lstatSync(join(to, 'file'));
      const bytes = readFileSync(join(to, 'file'));
      bytes[3] = (bytes[3] ?? 0) ^ 1;
      writeFileSync(join(to, 'file'), bytes);
      utimesSync(join(to, 'file'), atime, mtime);
    },
  ],
  ['a longer file', /f 644 0:0 \S+ 11 /, (to) => appendFileSync(join(to, 'file'), 'x')],
  ['another mode', /f 600 0:0/, (to) => chmodSync(join(to, 'file'), 0o600)],
  ['another owner', /f 644 7:7/, (to) => void execFileSync('chown', ['-h', '7:7', join(to, 'file')])],
  ['a file that is missing', /in the snapshot: .*\.\/dir\/below/, (to) => rmSync(join(to, 'dir/below'))],
  ['a file too many', /restored: .*extra/, (to) => writeFileSync(join(to, 'extra'), '')],
  [
    'a link that leads elsewhere',
    /restored: l .*\.\/link\/\/elsewhere/,
    (to) => void execFileSync('ln', ['-sfn', 'elsewhere', join(to, 'link')]),
  ],
  [
    'a hard link that is a file of its own',
    /hard links differ/,
    (to) => void execFileSync('sh', ['-c', `cd '${to}' && cp -a twin x && mv x twin && touch -r dir/.. .`]),
  ],
  [
    'an attribute',
    /file: attributes are/,
    (to) => void execFileSync('setfattr', ['-n', 'user.colour', '-v', 'blue', join(to, 'file')]),
  ],
  [
    'an access list',
    /dir: attributes are|d 77/,
    (to) => void execFileSync('setfacl', ['-m', 'u:33:rwx', join(to, 'dir')]),
  ],
];

test('whatever differs is found and named', { skip }, async () => {
  for (const [what, expected, tamper] of tamperings) {
    const { from, to, copy, compare } = scene();
    mkdirSync(join(from, 'dir'));
    writeFileSync(join(from, 'file'), '0123456789');
    writeFileSync(join(from, 'dir/below'), 'below');
    execFileSync('sh', [
      '-c',
      `cd '${from}' && ln file twin && ln -s file link && setfattr -n user.colour -v red file`,
    ]);
    await copy();
    assert.deepEqual((await compare()).differences, [], what);
    tamper(to);
    assert.match((await compare()).differences.join('\n'), expected, what);
  }
});

test('a part is copied alone, and the folders of other datasets are left to those', { skip }, async () => {
  const { from, to, copy, compare } = scene();
  for (const name of ['pvc 1', 'a/-b/c']) mkdirSync(join(from, name), { recursive: true });
  writeFileSync(join(from, "a/-b/c/it's\n"), 'x');
  writeFileSync(join(from, 'a/other'), 'y');
  const part: Piece = { ...whole, within: 'a/-b', place: 'a/-b' };
  await copy(part);
  assert.deepEqual((await compare(part)).differences, []);
  assert.equal(readFileSync(join(to, "a/-b/c/it's\n"), 'utf8'), 'x');
  assert.throws(() => lstatSync(join(to, 'a/other')));
  const outer: Piece = { ...whole, inner: ['pvc 1'] };
  await copy(outer);
  assert.throws(() => lstatSync(join(to, 'pvc 1')));
  mkdirSync(join(to, 'pvc 1'));
  writeFileSync(join(to, 'pvc 1/of the other dataset'), '');
  execFileSync('touch', ['-r', from, to]);
  assert.deepEqual((await compare(outer)).differences, []);
});
