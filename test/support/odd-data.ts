import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { onPath } from '../../lab/places.js';
import { noise, text } from './content.js';
import type { TreeMade } from './data.js';

/** Names that break shells, parsers, JSON, globs, tables and tools. Each is legal on Linux. */
export const oddNames: readonly string[] = [
  'with space',
  ' leading and trailing ',
  "it's",
  '"double"',
  '`back` $(tick) $HOME',
  '-n',
  '--delete',
  '@file',
  '~',
  '~root',
  '#comment',
  '!important',
  'a\\b\\',
  'line\nbreak',
  'tab\tand\rreturn',
  'bell\u0007 and escape \u001b[31mred',
  '*',
  '?',
  '[a-z]',
  '{a,b}',
  'semi;colon & pipe | <angle>',
  'percent%20%s%n',
  'colon:equals=comma,',
  '.hidden',
  '...',
  'Grüße',
  // The same to the eye, other bytes: normalised once composed, once decomposed.
  'caf\u00e9',
  'cafe\u0301',
  '写真 🪸',
  'עברית',
  '\u202eright-to-left',
  'Case',
  'case',
  'l'.repeat(255),
  '長'.repeat(85),
];

interface Settings {
  seed: number;
  binaryNames: boolean;
}

const isRoot = process.getuid?.() === 0;

/** Everything that is not a plain file with a plain name: what a copy loses first. */
export function makeOddities(folder: string, made: TreeMade, settings: Settings): void {
  mkdirSync(folder, { recursive: true });
  const file = (path: string | Buffer, bytes: Buffer) => {
    writeFileSync(path, bytes);
    made.files += 1;
    made.bytes += bytes.length;
  };
  makeNames(join(folder, 'names'), settings, file);
  makeLinks(join(folder, 'links'), made, file);
  makeSparse(join(folder, 'sparse'), made);
  makeShapes(join(folder, 'shapes'), file);
  makeModes(join(folder, 'modes'), made, file);
  makeTimes(join(folder, 'times'), file);
  makeAttributes(join(folder, 'attributes'), made, file);
}

type WriteFile = (path: string | Buffer, bytes: Buffer) => void;

function makeNames(folder: string, settings: Settings, file: WriteFile): void {
  mkdirSync(folder);
  for (const [index, name] of oddNames.entries()) {
    file(join(folder, name), text(100 + index, settings.seed + index));
  }
  const folders = join(folder, 'in folders');
  mkdirSync(folders);
  for (const name of oddNames) {
    mkdirSync(join(folders, name));
    file(join(folders, name, '-f ile*'), Buffer.from(name));
  }
  if (!settings.binaryNames) return;
  const latin1 = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x47, 0x72, 0xfc, 0xdf, 0x65])]);
  file(latin1, Buffer.from('a name that is no UTF-8'));
}

function makeLinks(folder: string, made: TreeMade, file: WriteFile): void {
  mkdirSync(join(folder, 'sub folder'), { recursive: true });
  for (const group of ['a', 'b']) {
    file(join(folder, `hard-${group}-1`), noise(5000, group.charCodeAt(0)));
    for (const other of [`hard-${group}-2`, `sub folder/hard-${group}-3`]) {
      linkSync(join(folder, `hard-${group}-1`), join(folder, other));
      made.files += 1;
      made.bytes += 5000;
    }
  }
  // Equal content without a link must not become one.
  file(join(folder, 'equal-but-not-linked'), noise(5000, 'a'.charCodeAt(0)));
  const targets = ['hard-a-1', '/etc/hostname', 'does not\nexist', '../..', '.', '/nowhere/at all', '-rf *'];
  for (const [index, target] of targets.entries()) symlinkSync(target, join(folder, `link ${index}`));
  symlinkSync('loop', join(folder, 'loop'));
  symlinkSync('sub folder', join(folder, 'to a folder'));
}

function makeSparse(folder: string, made: TreeMade): void {
  mkdirSync(folder);
  const holes: [string, number, number[]][] = [
    ['only a hole', 16 * 2 ** 20, []],
    ['data at the end', 8 * 2 ** 20, [8 * 2 ** 20 - 4096]],
    ['islands', 12 * 2 ** 20, [0, 4 * 2 ** 20, 8 * 2 ** 20 + 4096]],
  ];
  for (const [name, size, islands] of holes) {
    const handle = openSync(join(folder, name), 'w');
    for (const at of islands) writeSync(handle, noise(4096, at), 0, 4096, at);
    ftruncateSync(handle, size);
    closeSync(handle);
    made.files += 1;
    made.bytes += size;
  }
  // Zeros that were written, not skipped: a copy may make a hole of them, it must not lose them.
  writeFileSync(join(folder, 'real zeros'), Buffer.alloc(2 ** 20));
  made.files += 1;
  made.bytes += 2 ** 20;
}

function makeShapes(folder: string, file: WriteFile): void {
  mkdirSync(join(folder, 'empty folder'), { recursive: true });
  mkdirSync(join(folder, 'empty', 'in', 'empty'), { recursive: true });
  file(join(folder, 'empty file'), Buffer.alloc(0));
  file(join(folder, 'one byte'), Buffer.from('x'));
  file(join(folder, 'just over 8 MiB'), noise(8 * 2 ** 20 + 1, 8));
  const deep = join(folder, ...Array.from({ length: 60 }, (_, level) => `level number ${level}`));
  mkdirSync(deep, { recursive: true });
  file(join(deep, 'at the bottom'), Buffer.from('deep'));
}

function makeModes(folder: string, made: TreeMade, file: WriteFile): void {
  mkdirSync(folder);
  // Only root can read a file of mode 0 again to copy it.
  const modes = [0o600, 0o444, 0o755, 0o777, 0o4755, 0o2755, 0o1644, ...(isRoot ? [0, 0o200, 0o007] : [])];
  for (const mode of modes) {
    const path = join(folder, `mode ${mode.toString(8)}`);
    file(path, Buffer.from(`${mode}`));
    chmodSync(path, mode);
  }
  for (const mode of [0o700, 0o1777, 0o2775, ...(isRoot ? [0o000, 0o111] : [])]) {
    const path = join(folder, `folder ${mode.toString(8)}`);
    mkdirSync(path);
    file(join(path, 'inside'), Buffer.from('inside'));
    chmodSync(path, mode);
  }
  if (!isRoot) {
    made.skipped.push('other owners and unreadable modes: not root');
    return;
  }
  for (const [uid, gid] of [
    [1000, 1000],
    [65534, 65534],
    [123456, 0],
    [0, 54321],
  ] as const) {
    const path = join(folder, `owner ${uid} ${gid}`);
    file(path, Buffer.from('owned'));
    // setuid with another owner: a chown after the chmod would drop it, so a copy must keep the order.
    chownSync(path, uid, gid);
    chmodSync(path, 0o4750);
  }
}

function makeTimes(folder: string, file: WriteFile): void {
  mkdirSync(folder);
  // Node's own utimes goes through a double and rounds the nanoseconds.
  const times = [
    '1970-01-02T00:00:00.000000001Z',
    '1999-12-31T23:59:59.999999999Z',
    '2026-03-29T01:30:00.123456789Z',
    '2099-01-01T00:00:00.5Z',
  ];
  for (const time of times) {
    const path = join(folder, time);
    file(path, Buffer.from(time));
    execFileSync('touch', ['-d', time, '--', path]);
  }
  mkdirSync(join(folder, 'old folder'));
  file(join(folder, 'old folder', 'young file'), Buffer.from('young'));
  execFileSync('touch', ['-d', '2001-02-03T04:05:06.070809101Z', '--', join(folder, 'old folder')]);
  symlinkSync('nothing', join(folder, 'old link'));
  execFileSync('touch', ['-h', '-d', '2002-02-02T02:02:02.020202020Z', '--', join(folder, 'old link')]);
  utimesSync(folder, 1_234_567_890, 1_234_567_890.5);
}

function tryTool(made: TreeMade, what: string, tool: string, args: string[]): void {
  if (onPath(tool) === undefined) {
    made.skipped.push(`${what}: ${tool} is not installed`);
    return;
  }
  try {
    execFileSync(tool, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    made.skipped.push(`${what}: ${String((error as { stderr?: unknown }).stderr).trim()}`);
  }
}

function makeAttributes(folder: string, made: TreeMade, file: WriteFile): void {
  mkdirSync(join(folder, 'inherits'), { recursive: true });
  const path = join(folder, 'attributed file');
  file(path, Buffer.from('attributed'));
  tryTool(made, 'ACL', 'setfacl', ['-m', 'u:12345:r,g:54321:rw,m::rw', '--', path]);
  tryTool(made, 'default ACL', 'setfacl', ['-d', '-m', 'u:12345:rwx', '--', join(folder, 'inherits')]);
  file(join(folder, 'inherits', 'child'), Buffer.from('child'));
  tryTool(made, 'extended attributes', 'setfattr', ['-n', 'user.note', '-v', '0x00ff0a2203', '--', path]);
  tryTool(made, 'extended attributes of folders', 'setfattr', [
    '-n',
    'user.colour',
    '-v',
    'kelp',
    '--',
    join(folder, 'inherits'),
  ]);
  if (isRoot)
    tryTool(made, 'trusted attributes', 'setfattr', ['-n', 'trusted.note', '-v', 'root only', '--', path]);
}
