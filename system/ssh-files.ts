import { posix } from 'node:path';
import { HoldfastError } from '../contracts/errors.js';
import { isMountedIn } from './files.js';
import { lookAtFolder, orAborted, typeOf } from './folder-look.js';
import type { FileFacts, Host, RunOptions, RunResult, TreeCount } from './host.js';
import { parseProcessStat, startOf } from './processes.js';

/**
 * The file verbs of a machine over ssh, as small scripts for sh with GNU coreutils and findutils. sftp would not tell inodes, links, blocks
 * or nanoseconds, and would need a subsystem that a careful administrator has switched off.
 */

/** Runs a script with arguments; its exit code is a result. */
export type Shell = (script: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;

type FileVerbs = Pick<
  Host,
  | 'exists'
  | 'isMountPoint'
  | 'realPath'
  | 'list'
  | 'facts'
  | 'countTree'
  | 'lookAtFolder'
  | 'freeBytes'
  | 'makeFolder'
  | 'readFile'
  | 'writeFile'
  | 'appendLine'
  | 'rename'
  | 'moveEntries'
  | 'removeTree'
  | 'machineName'
  | 'processStartedAt'
>;

/** The words of the C library, and the codes that Node gives for the same. */
const codes: readonly (readonly [words: string, code: string])[] = [
  ['No such file or directory', 'ENOENT'],
  ['Not a directory', 'ENOTDIR'],
  ['Is a directory', 'EISDIR'],
  ['Permission denied', 'EACCES'],
  ['Operation not permitted', 'EPERM'],
  ['File exists', 'EEXIST'],
  ['Directory not empty', 'ENOTEMPTY'],
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['Read-only file system', 'EROFS'],
  ['Too many levels of symbolic links', 'ELOOP'],
  ['Invalid cross-device link', 'EXDEV'],
];

/** As Node would have thrown it: callers look at `code`. */
function fileError(stderr: string, path: string): NodeJS.ErrnoException {
  const text = stderr.trim().slice(-200);
  const code = codes.find(([words]) => text.includes(words))?.[1];
  return Object.assign(new Error(`${code ?? 'failed'}: ${text}, '${path}'`), { code, path });
}

/** All of them for one machine. */
export function remoteFiles(shell: Shell): FileVerbs {
  const must = async (script: string, args: readonly string[], options?: RunOptions): Promise<string> => {
    const { exitCode, stdout, stderrTail } = await shell(script, args, options);
    if (exitCode !== 0) throw fileError(stderrTail, args[0] ?? '');
    return stdout;
  };
  return {
    exists: async (path) => (await shell('[ -e "$1" ]', [path])).exitCode === 0,
    isMountPoint: async (path) => {
      const [real = '', mounts = ''] = (await must(mountScript, [path])).split('\0');
      return isMountedIn(mounts, real);
    },
    realPath: async (path) => (await must(realPathScript, [posix.resolve('/', path)])).replace('\0', ''),
    list: async (path) =>
      (await must('find "$1/" -mindepth 1 -maxdepth 1 -printf "%f\\0"', [path])).split('\0').slice(0, -1),
    facts: (path) => factsOf(shell, path),
    countTree: (path, enough, signal) => orAborted(countBelow(must, path, enough, signal), signal),
    lookAtFolder: (asked, signal) => orAborted(lookAtFolder(must, asked, signal), signal),
    freeBytes: async (path) => Number((await must(freeScript, [posix.resolve('/', path)])).trim()),
    makeFolder: async (path) => void (await must('umask 077; mkdir -p -- "$1"', [path])),
    readFile: (path) => must('cat -- "$1"', [path]),
    writeFile: async (path, text) =>
      void (await must(writeScript, [path, posix.dirname(path), escaped(text)])),
    appendLine: async (path, line) => void (await must(appendScript, [path, posix.dirname(path), line])),
    rename: async (from, to) => void (await must(renameScript, [from, to, posix.dirname(to)])),
    moveEntries: async (from, to, stays = '') => {
      const taken = await must(moveScript, [from, to, stays]);
      return taken === '' ? undefined : taken;
    },
    async removeTree(path, within) {
      const inside = posix.resolve('/', path).startsWith(`${posix.resolve('/', within)}/`);
      if (!inside)
        throw new HoldfastError('HF_INTERNAL', `Refused to remove ${path}: it does not lie inside ${within}`);
      await must('rm -rf --one-file-system -- "$1"', [path]);
    },
    machineName: async () => (await must('uname -n', [])).trim(),
    async processStartedAt(pid) {
      const { stdout } = await shell(
        'IFS= read -r stat <"/proc/$1/stat" && printf "%s\\n" "$stat" && grep "^btime " /proc/stat; exit 0',
        [String(pid)],
      );
      const [stat = '', boot = ''] = stdout.split('\n');
      const uptime = stat === '' ? undefined : parseProcessStat(stat);
      return uptime === undefined ? undefined : startOf(boot, uptime);
    },
  };
}

const mountScript = `ls -A -- "$1/" >/dev/null && realpath -ez -- "$1" && cat /proc/self/mountinfo`;

/** What exists is resolved, the missing rest is kept: realpath -m would follow a link to nowhere. */
const realPathScript = `p=$1 rest=
until real=$(realpath -e -- "$p" 2>&1 >/dev/null); do
  case $real in *'No such file or directory') ;; *) printf '%s\\n' "$real" >&2; exit 1 ;; esac
  rest=/\${p##*/}$rest; p=\${p%/*}; p=\${p:-/}
done
[ "$p" = / ] && [ -n "$rest" ] || realpath -ez -- "$p"
printf %s "$rest"`;

const freeScript = `p=$1
until [ -e "$p" ] || [ "$p" = / ]; do p=\${p%/*}; p=\${p:-/}; done
df -B1 --output=avail -- "$p" | tail -n 1`;

/** For printf's %b: no argument can hold a zero byte, and a list of names may. */
const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\0', '\\0000');

/** Nobody ever sees half of it: written beside, synced, renamed. Two at the same time have each a file of its own beside. */
const writeScript = `umask 077; n=$1.$$.new; mkdir -p -- "$2" || exit
printf %b "$3" >"$n" && sync -- "$n" && mv -fT -- "$n" "$1" || { c=$?; rm -f -- "$n"; exit $c; }`;

/** A crash can leave half a line behind: it is closed first. */
const appendScript = `umask 077; mkdir -p -- "$2" || exit
if [ -s "$1" ] && [ -n "$(tail -c 1 -- "$1")" ]; then printf '\\n' >>"$1" || exit; fi
printf '%s\\n' "$3" >>"$1" && sync -- "$1"`;

/** mv would copy between file systems, and half of it would be there if it were killed. */
const sameDevice = `same() { [ "$(stat -c %d -- "$1")" = "$(stat -c %d -- "$2")" ] || { printf '%s: Invalid cross-device link\\n' "$1" >&2; return 1; }; }`;

const renameScript = `${sameDevice}
same "$1" "$3" && mv -fT -- "$1" "$2"`;

/** Prints the first name that is taken, and stops there. */
const moveScript = `${sameDevice}
cd -- "$1" && ls -- "$2" >/dev/null || { ls -- "$1" "$2" >/dev/null; exit 1; }
for name in .[!.]* ..?* *; do
  [ -e "./$name" ] || [ -L "./$name" ] || continue
  if [ -n "$3" ]; then case $name in "$3"*) continue ;; esac; fi
  if [ -e "$2/$name" ] || [ -L "$2/$name" ]; then printf %s "$2/$name"; exit 0; fi
  same "./$name" "$2" && mv -nT -- "./$name" "$2/$name" || exit
done`;

const factsScript = `stat --printf '%f %u %g %s %b %B %.9Y %d:%i %h\\0' -- "$1" && if [ -L "$1" ]; then readlink -nz -- "$1"; fi`;

async function factsOf(shell: Shell, path: string): Promise<FileFacts | undefined> {
  const { exitCode, stdout, stderrTail } = await shell(factsScript, [path]);
  if (exitCode !== 0) {
    const error = fileError(stderrTail, path);
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
  const [stat = '', linkTarget] = stdout.split('\0');
  const [mode = '', uid, gid, size, blocks, blockSize, time = '', inode = '', links] = stat.split(' ');
  const type = typeOf(Number.parseInt(mode, 16));
  return {
    type,
    mode: Number.parseInt(mode, 16) & 0o7777,
    uid: Number(uid),
    gid: Number(gid),
    size: Number(size),
    allocated: Number(blocks) * Number(blockSize),
    mtimeNs: nanoseconds(time),
    inode,
    links: Number(links),
    ...(type === 'symlink' && { linkTarget: linkTarget ?? '' }),
  };
}

/** "1700000000.000000001", before 1970 "-1.500000000" (half a second after 1969-12-31 23:59:58… as stat counts). */
export function nanoseconds(time: string): string {
  const [seconds = '0', rest = '0'] = time.split('.');
  const whole = BigInt(seconds.replace('-', '')) * 1_000_000_000n + BigInt(rest.padEnd(9, '0'));
  return String(seconds.startsWith('-') ? -whole : whole);
}

/** Stops as soon as there is enough, as the local one does; the sizes never leave the machine. */
const countScript = `cd -- "$1" && ls >/dev/null || { ls -- "$1" >/dev/null; exit 1; }
find . -type f -printf '%s\\n' 2>/dev/null | awk -v f="$2" -v b="$3" '{ n++; if (s < b) s += $1 } n >= f && s >= b { e = 1; exit } END { printf "%d %.0f %d\\n", n, s, e }'`;

async function countBelow(
  must: (script: string, args: readonly string[], options?: RunOptions) => Promise<string>,
  path: string,
  enough: { files: number; bytes: number },
  signal: AbortSignal | undefined,
): Promise<TreeCount> {
  const limit = (number: number): string => (Number.isFinite(number) ? String(number) : '1e300');
  const text = await must(countScript, [path, limit(enough.files), limit(enough.bytes)], { signal });
  const [files, bytes, stopped] = text.trim().split(' ').map(Number);
  return { files: files ?? 0, bytes: bytes ?? 0, complete: stopped !== 1 };
}
