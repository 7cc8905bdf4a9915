import { HoldfastError } from '../../contracts/errors.js';
import { nameFromLatin1 } from '../../system/file-names.js';
import type { Restic } from './driver.js';
import type { OnDisk } from './findings.js';

/** Everything below a folder with its facts, in one program and not one call a file. */

/** Fields end with NUL, an entry with NUL and a line break: no name can hold that. */
const format = `${['%y', '%m', '%U', '%G', '%s', '%T@', '%D:%i', '%n', '%b', '/%P', '%l'].join('\\0')}\\0\\n`;

/** An entry by the path that it has in the copy. */
export type Entry = OnDisk & { path: string };

type Scanning = Pick<Restic, 'host' | 'signal'>;

/** Walks `data`, which holds the copy's paths from "/" on, and hands on entry by entry: a tree may have millions. */
export async function scanTree(
  { host, signal }: Scanning,
  data: string,
  onEntry: (entry: Entry) => void,
): Promise<void> {
  let pending = '';
  const command = { file: 'find', args: [data, '-printf', format], env: { LC_ALL: 'C' } };
  const { exitCode, stderrTail } = await host.run(command, {
    signal,
    bytes: true,
    onLine: (line, stream) => {
      if (stream !== 'stdout') return;
      pending += line;
      if (!line.endsWith('\0')) {
        pending += '\n';
        return;
      }
      onEntry(parseEntry(pending));
      pending = '';
    },
  });
  if (exitCode === 0) return;
  const message = `Cannot read what was restored: ${stderrTail.trim()}`;
  throw new HoldfastError('HF_RESTORE_DIFFERS', message.slice(0, 300));
}

/** Whether we can set owners. */
export async function isRootOn({ host, signal }: Scanning): Promise<boolean> {
  const { exitCode, stdout } = await host.run({ file: 'id', args: ['-u'] }, { signal });
  return exitCode === 0 && stdout.trim() === '0';
}

const types: Record<string, OnDisk['type']> = {
  f: 'file',
  d: 'dir',
  l: 'symlink',
  p: 'fifo',
  s: 'socket',
  c: 'chardev',
  b: 'dev',
};

/** One entry of the walk, one character for each byte. */
export function parseEntry(text: string): Entry {
  const [type = '', mode, uid, gid, size, mtime = '', inode = '', links, blocks, path = '', linkTarget = ''] =
    text.split('\0');
  return {
    path: nameFromLatin1(path),
    type: types[type] ?? 'irregular',
    mode: Number.parseInt(mode ?? '', 8),
    uid: Number(uid),
    gid: Number(gid),
    size: Number(size),
    mtimeNs: decimalNanoseconds(mtime),
    inode,
    links: Number(links),
    allocated: Number(blocks) * 512,
    linkTarget: nameFromLatin1(linkTarget),
  };
}

/** find prints ten decimals, the last always 0; before 1970 both parts count down. */
export function decimalNanoseconds(seconds: string): string {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(seconds) ?? [];
  const amount = BigInt(whole ?? 0) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9));
  return String(sign ? -amount : amount);
}
