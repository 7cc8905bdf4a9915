/** What a driver is given: a machine on which programs run and files lie. Local here; over ssh it is the same verbs. */

import type { SshMachine } from './ssh-machine.js';

/** One program, ready to start. */
export interface Command {
  /** A name on PATH or an absolute path. */
  file: string;
  args: readonly string[];
  /** Added to the few variables that every tool gets from the worker (PATH, HOME, locale, proxies): nothing else leaks in. */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** What the tool understands as "stop and clean up". Default SIGTERM; restic up to 0.16 knows only SIGINT. */
  stopSignal?: 'SIGTERM' | 'SIGINT';
}

export interface RunOptions {
  /** Stops the whole process group: stop signal, then SIGKILL after `killAfterMs`. The promise rejects with `signal.reason`. */
  signal?: AbortSignal;
  /** Default 30 000. */
  killAfterMs?: number;
  /** Each line without its line break, of any length, as it comes. */
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  /** Bytes of standard output kept in the result; more is an error HF_INTERNAL. 0 keeps nothing. Default 16 MiB; 0 when `onLine` is given. */
  maxStdoutBytes?: number;
  /** Standard output is handed on with one character for each byte (latin1): names of files need not be UTF-8. */
  bytes?: boolean;
  /** A host lock held by the child (and its children) while it lives; waited for as long as `signal` allows. */
  lock?: string;
  /** What happens when the lock is taken. `refuse` throws HF_HOST_LOCKED: for who must first look again at what the holder does. Default `wait`. */
  lockTaken?: 'wait' | 'refuse';
  /** The process writes its own number here before it becomes the program: it is known afterwards, whoever is killed. */
  pidFile?: string;
  /** Called once when the lock was not free at once. */
  onLockWait?: () => void;
  /** Texts that must not appear in anything that leaves: replaced by ***. Secrets read by `resolveSecret` are known without being named. */
  secrets?: readonly string[];
  /** The whole of standard error is appended here, redacted. */
  log?: (line: string) => void;
}

/** How a program ended. A non-zero exit is a result, not an exception: what it means is the driver's business. */
export interface RunResult {
  /** undefined when a signal ended it. */
  exitCode: number | undefined;
  /** The signal that ended it ("SIGKILL"), if one did. */
  signal: string | undefined;
  stdout: string;
  /** The last 4 KiB of standard error, redacted. */
  stderrTail: string;
  durationMs: number;
}

/** What a walk over a folder found. `complete` is false when it stopped early because `enough` was reached. */
export interface TreeCount {
  files: number;
  bytes: number;
  complete: boolean;
}

/** What a folder must be before it is copied. */
export interface FolderLook {
  type: FileFacts['type'];
  /** Something is mounted on it; false when that was not asked. */
  isMounted: boolean;
  /** Where the marker file really lies. */
  marker: 'inside' | 'outside' | 'missing';
}

export interface FileFacts {
  type: 'file' | 'dir' | 'symlink' | 'other';
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** Bytes really allocated (blocks × 512). */
  allocated: number;
  /** Nanoseconds since 1970, as a decimal string. */
  mtimeNs: string;
  inode: string;
  links: number;
  linkTarget?: string;
}

/** A machine. Every verb may throw a HoldfastError; file verbs throw `fileError` for what the operator can mend. */
export interface Host {
  readonly name: string;
  /** Our own folder on it: locks, caches of tools, restores. */
  readonly stateFolder: string;
  /**
   * The machine of our worker, whose `stateFolder` holds our own records of this host: evidence, logs. Secrets and holdfast.yaml are read
   * there too. A host that is not driven over ssh is its own.
   */
  readonly driver: Host;
  /** How it is reached, when it is driven over ssh; for pipes across machines. */
  readonly remote?: SshMachine;
  run(command: Command, options?: RunOptions): Promise<RunResult>;
  /** Children joined by kernel pipes, no byte through Node; one result for each. */
  pipe(commands: readonly [Command, Command, ...Command[]], options?: RunOptions): Promise<RunResult[]>;
  /** The path of a program; undefined when it is not there or may not be run. */
  findProgram(file: string): Promise<string | undefined>;
  /** The same, or HF_TOOL_MISSING. */
  requireProgram(file: string): Promise<string>;
  exists(path: string): Promise<boolean>;
  isMountPoint(path: string): Promise<boolean>;
  /** Follows links in what exists of the path, keeps the rest. */
  realPath(path: string): Promise<string>;
  list(path: string): Promise<string[]>;
  /** undefined when there is nothing. Does not follow a link. */
  facts(path: string): Promise<FileFacts | undefined>;
  countTree(path: string, enough: { files: number; bytes: number }, signal?: AbortSignal): Promise<TreeCount>;
  /**
   * Type, marker and mount in one question to a process of its own, which a mount that hangs can stop without stopping us: as `countTree`.
   * undefined when there is nothing. `marker` is a path.
   */
  lookAtFolder(
    asked: { path: string; marker?: string | undefined; mounted: boolean },
    signal?: AbortSignal,
  ): Promise<FolderLook | undefined>;
  freeBytes(path: string): Promise<number>;
  /** With missing parents, mode 0700. */
  makeFolder(path: string): Promise<void>;
  readFile(path: string): Promise<string>;
  /** Written beside, synced, renamed. */
  writeFile(path: string, text: string): Promise<void>;
  /** One line appended and synced; a torn last line of a crash is closed first. */
  appendLine(path: string, line: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Every entry of a folder into another (but those whose names begin with `stays`), nothing replaced; the first name that is taken, or undefined. */
  moveEntries(from: string, to: string, stays?: string): Promise<string | undefined>;
  /** Only below our own folders; refuses anything that does not begin with `within`. */
  removeTree(path: string, within: string): Promise<void>;
  /** What the machine calls itself, which need not be `name`. */
  machineName(): Promise<string>;
  /** Milliseconds since 1970; undefined for a process that is dead, reaped or not. */
  processStartedAt(pid: number): Promise<number | undefined>;
}
