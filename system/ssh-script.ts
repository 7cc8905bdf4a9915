import { posix } from 'node:path';
import { HoldfastError } from '../contracts/errors.js';
import type { Command } from './host.js';

/**
 * The text that a remote `sh` reads from its standard input: so neither arguments nor secrets are seen in any list of processes, and no
 * login shell misreads a quote. Pure. POSIX sh and util-linux flock are all it needs.
 */

export interface Wrapped {
  command: Command;
  /** Begins every line of ours on standard error: nothing that a login script prints is taken for the program's. */
  mark: string;
  sudo: boolean;
  /** Ours on that machine; locks and pipes lie in it. */
  folder: string;
  lock?: string | undefined;
  lockTaken?: 'wait' | 'refuse' | undefined;
  /** Takes the process's own number before it becomes the program. */
  pidFile?: string | undefined;
  /** FIFOs that join programs on the same machine. */
  input?: string | undefined;
  output?: string | undefined;
  /** The ssh program carries its bytes: what it ends with is said in a line, because 255 is also ssh's own word for a lost connection. */
  wire?: 'in' | 'out' | 'through' | undefined;
}

/** Nothing is special inside single quotes but the single quote. */
export const quote = (text: string): string => {
  if (text.includes('\0')) throw new HoldfastError('HF_INTERNAL', 'A text for a remote command holds a NUL');
  return `'${text.replaceAll("'", "'\\''")}'`;
};

/** A text that was cut on the way has no closing brace and is not begun: half a name never reaches a program. */
const whole = (lines: readonly string[]): string => `{\n${lines.join('\n')}\n}\n`;

/** Over ssh PATH is often /usr/bin:/bin alone, and zfs lies elsewhere. */
const path =
  'PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; export PATH; unset ENV';

/** One program under our wrapper. */
export function wrap(wrapped: Wrapped): string {
  const { command, mark, lock, pidFile, wire } = wrapped;
  const keepsShell = wire !== undefined || (wrapped.sudo && lock !== undefined);
  return whole([
    `m=${quote(mark)}`,
    path,
    // Stopping goes by the process group: without one of our own we would not reach what it starts.
    'kill -s 0 -- -$$ 2>/dev/null || { echo "$m nogroup" >&2; exit 1; }',
    'echo "$m pid $$" >&2',
    `set -- ${[command.file, ...command.args].map(quote).join(' ')}`,
    'command -v -- "$1" >/dev/null 2>&1 || { echo "$m missing $1" >&2; exit 127; }',
    ...(command.cwd === undefined ? [] : [`cd -- ${quote(command.cwd)} || exit`]),
    ...(usesFolder(wrapped) ? ownFolder(wrapped.folder) : []),
    ...(lock === undefined ? [] : takeLock(lock, wrapped.lockTaken)),
    ...(pidFile === undefined ? [] : [`{ echo $$ >${quote(pidFile)}; } 2>/dev/null`]),
    ...exportsOf(command.env),
    ...(wrapped.sudo ? [`set -- ${sudoOf(command.env)} "$@"`] : []),
    ...(wire === undefined ? ['echo "$m go"'] : []),
    'echo "$m go" >&2',
    ...(keepsShell ? asChild(wrapped) : [`exec "$@" ${redirections(wrapped)}`]),
  ]);
}

const usesFolder = ({ lock, pidFile, input, output }: Wrapped): boolean =>
  [lock, pidFile, input, output].some((path) => path !== undefined);

/** Where others may make folders too, somebody could have made ours before us: he would hold our locks and read our pipes. */
const ownFolder = (folder: string): string[] => [
  `d=${quote(folder)}; (umask 077; mkdir -p -- "$d") || exit`,
  '[ -O "$d" ] && [ ! -L "$d" ] || { echo "$m foreign $d" >&2; exit 1; }',
];

function takeLock(lock: string, taken: Wrapped['lockTaken']): string[] {
  const refuse = 'echo "$m taken" >&2; exit 1';
  const wait = 'echo "$m waiting" >&2; flock 9 || exit';
  return [
    'command -v flock >/dev/null 2>&1 || { echo "$m missing flock" >&2; exit 127; }',
    `(umask 077; mkdir -p -- ${quote(posix.dirname(lock))}) || exit`,
    `exec 9>>${quote(lock)} || exit`,
    `flock -n 9 || { ${taken === 'refuse' ? refuse : wait}; }`,
  ];
}

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

const exportsOf = (env: Command['env'] = {}): string[] =>
  Object.entries(env).map(([name, value]) => {
    if (!variableName.test(name))
      throw new HoldfastError('HF_INTERNAL', `"${name}" cannot be the name of a variable`);
    return `export ${name}=${quote(value)}`;
  });

/** Only the names of variables are arguments; sudoers must allow them (SETENV or env_keep). */
function sudoOf(env: Command['env'] = {}): string {
  const names = Object.keys(env).join(',');
  return `sudo -n ${names === '' ? '' : `--preserve-env=${names} `}--`;
}

/** sudo closes what it inherits, and with it the lock: then the shell stays and holds it. It does not go before its child. */
const asChild = (wrapped: Wrapped): string[] => [
  "trap ':' TERM INT HUP",
  `"$@" ${redirections(wrapped)}; r=$?`,
  ...(wrapped.wire === undefined ? [] : ['echo "$m exit $r" >&2']),
  'exit $r',
];

function redirections({ input, output, wire }: Wrapped): string {
  const reads =
    wire === 'in' || wire === 'through' ? '' : `<${input === undefined ? '/dev/null' : quote(input)}`;
  return `${reads}${output === undefined ? '' : ` >${quote(output)}`}`.trim();
}

/** A few lines of our own with arguments; its output is the result. */
export const ownScript = (mark: string, script: string, args: readonly string[]): string =>
  whole([
    `m=${quote(mark)}`,
    path,
    'LC_ALL=C; export LC_ALL',
    'echo "$m pid $$" >&2',
    `set -- ${args.map(quote).join(' ')}`,
    'echo "$m go"',
    'echo "$m go" >&2',
    script,
  ]);

/**
 * Signals everything that the program has started too. What sudo has started is root's, and only sudo may signal it: our own half of the group
 * is left alone then, because it holds the lock.
 */
export const stopScript = (group: number, signal: string, sudo: boolean): string =>
  whole([`${sudo ? 'sudo -n ' : ''}kill -s ${signal.replace(/^SIG/, '')} -- -${group} 2>/dev/null`]);

/** Linux takes 128 KiB in one argument. */
const argumentMost = 131_000;

/**
 * For a program whose standard input comes over the wire: its text must be an argument. Every byte that any login shell could find special
 * is written in octal. A text that is too long would look like a machine without a shell.
 */
export function asArgument(text: string): string {
  const argument = `exec sh -c 'eval "$(printf %b "${octal(text)}")"'`;
  if (argument.length > argumentMost)
    throw new HoldfastError(
      'HF_INTERNAL',
      `A program of ${argument.length} bytes is too long to be an argument`,
    );
  return argument;
}

/** So many bytes a text adds to such an argument. */
export const bytesAsArgument = (text: string): number => octal(text).length;

const octal = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return plain.test(character) ? character : `\\0${byte.toString(8).padStart(3, '0')}`;
    })
    .join('');

const plain = /[A-Za-z0-9_./=:,@-]/;
