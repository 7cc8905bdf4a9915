import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  linkSync,
  lstatSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { onPath } from '../../lab/places.js';
import { compareTrees } from './compare.js';
import { makeTree } from './data.js';
import { needs } from './needs.js';
import { temporaryFolder } from './temp.js';
import { waitFor } from './wait.js';

const copyTree = (from: string, to: string) => void execFileSync('cp', ['-a', '--sparse=always', from, to]);

/** A small odd tree and a faithful copy of it. */
function pair(): { a: string; b: string } {
  const folder = temporaryFolder('compare');
  const [a, b] = [join(folder, 'a'), join(folder, 'b')];
  makeTree(a, { files: 20, bytes: 100_000, seed: 7, binaryNames: true });
  copyTree(a, b);
  return { a, b };
}

describe('the comparison that the tests trust', { skip: needs('acl') }, () => {
  test('a faithful copy of every odd thing has no difference', () => {
    const { a, b } = pair();
    assert.deepEqual(compareTrees(a, b), []);
  });

  const damage: [string, (b: string) => void, RegExp][] = [
    ['a flipped byte', (b) => flip(join(b, 'odd/shapes/one byte')), /one byte": content differs/],
    ['a lost file', (b) => rmSync(join(b, 'odd/names/-n')), /-n": is missing/],
    ['a foreign file', (b) => writeFileSync(join(b, 'odd/new'), ''), /new": is not in the source/],
    ['a longer file', (b) => appendFileSync(join(b, 'odd/shapes/empty file'), 'x'), /size is 1, not 0/],
    ['a mode', (b) => tool('chmod', '0640', join(b, 'odd/modes/mode 600')), /mode is 640, not 600/],
    [
      'a nanosecond',
      (b) =>
        tool(
          'touch',
          '-d',
          '1999-12-31T23:59:59.999999998Z',
          join(b, 'odd/times/1999-12-31T23:59:59.999999999Z'),
        ),
      /mtime is 946684799999999998, not 946684799999999999/,
    ],
    [
      'a link target',
      (b) => relink(join(b, 'odd/links/link 2'), 'else'),
      /target is "else", not "does not\\nexist"/,
    ],
    ['a broken hard link', (b) => unlinkCopy(join(b, 'odd/links/hard-a-2')), /hard link missing: .*hard-a-2/],
    [
      'an invented hard link',
      (b) => {
        rmSync(join(b, 'odd/links/equal-but-not-linked'));
        linkSync(join(b, 'odd/links/hard-a-1'), join(b, 'odd/links/equal-but-not-linked'));
      },
      /hard link not in the source/,
    ],
    ['a filled hole', (b) => fill(join(b, 'odd/sparse/only a hole')), /sparseness is filled/],
    [
      'an ACL',
      (b) => tool('setfacl', '-b', join(b, 'odd/attributes/attributed file')),
      /acl missing: .*attributed/,
    ],
    [
      'an extended attribute',
      (b) => tool('setfattr', '-x', 'user.note', join(b, 'odd/attributes/attributed file')),
      /xattr missing: .*user\.note/,
    ],
    [
      'a file that became a folder',
      (b) => {
        rmSync(join(b, 'odd/shapes/one byte'));
        tool('mkdir', join(b, 'odd/shapes/one byte'));
      },
      /is a folder, not a file/,
    ],
  ];
  for (const [what, harm, form] of damage) {
    test(`${what} is found and named`, () => {
      const { a, b } = pair();
      harm(b);
      assert.match(compareTrees(a, b).join('\n'), form);
    });
  }

  test('another owner is found', { skip: needs('root') }, () => {
    const { a, b } = pair();
    tool('chown', '-h', '77:88', join(b, 'odd/links/link 1'));
    assert.match(compareTrees(a, b).join('\n'), /link 1": owner is 77:88, not 0:0/);
  });
});

test('the same seed makes the same tree, another seed another', { skip: needs('acl') }, () => {
  const folder = temporaryFolder('seed');
  const options = { files: 12, bytes: 50_000, odd: false };
  const made = makeTree(join(folder, 'one'), { ...options, seed: 1 });
  makeTree(join(folder, 'same'), { ...options, seed: 1 });
  makeTree(join(folder, 'other'), { ...options, seed: 2 });
  assert.deepEqual(compareTrees(join(folder, 'one'), join(folder, 'same'), { ignore: ['mtime'] }), []);
  assert.notDeepEqual(compareTrees(join(folder, 'one'), join(folder, 'other'), { ignore: ['mtime'] }), []);
  assert.equal(made.files, 12);
});

test('images are real ones', { skip: onPath('file') ? false : 'needs file(1)' }, () => {
  const folder = temporaryFolder('image');
  makeTree(folder, { files: 1, bytes: 40_000, seed: 3, odd: false });
  const words = execFileSync('file', ['-b', join(folder, '2015/01/image-0.png')], { encoding: 'utf8' });
  assert.match(words, /PNG image data, 256 x 155, 8-bit grayscale/);
});

test('waiting in vain says for what', async () => {
  await assert.rejects(
    waitFor(() => false, { timeoutMs: 60, what: 'the tide' }),
    /waited 60 ms in vain for the tide/,
  );
});

function tool(file: string, ...args: string[]): void {
  execFileSync(file, args);
}

/** Changes content and nothing else: same size, same time. */
function flip(path: string): void {
  const { mtimeNs } = lstatSync(path, { bigint: true });
  writeFileSync(path, 'y');
  tool('touch', '-d', `@${mtimeNs / 1_000_000_000n}.${`${mtimeNs % 1_000_000_000n}`.padStart(9, '0')}`, path);
}

function relink(path: string, target: string): void {
  rmSync(path);
  symlinkSync(target, path);
}

function unlinkCopy(path: string): void {
  tool('cp', '-a', path, `${path}.copy`);
  tool('mv', `${path}.copy`, path);
}

function fill(path: string): void {
  truncateSync(path, 0);
  writeFileSync(path, Buffer.alloc(16 * 2 ** 20));
}
