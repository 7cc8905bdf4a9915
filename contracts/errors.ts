import { zfsErrors } from './errors-zfs.js';

/** Every error that an operator can meet: its code, what it means, whether waiting helps, and how the command ends. */

/**
 * `never`: the same attempt would fail again, a human or a changed world is needed.
 * `outage`: something is away for now: tried again with growing pauses until the job's `retryFor` has passed without progress.
 */
export type Retry = 'never' | 'outage';

export interface ErrorEntry {
  meaning: string;
  retry: Retry;
  /** The command line's exit code when a run ends with this error. */
  exit: 1 | 2 | 3 | 4 | 5;
  /** What the operator does next. */
  next: string;
}

export const errors = {
  ...zfsErrors,
  HF_USAGE: {
    meaning: 'The command line was not understood, or its words fit several things',
    retry: 'never',
    exit: 2,
    next: '"holdfast COMMAND --help" shows what a command takes, with an example',
  },
  HF_CONFIG_INVALID: {
    meaning: 'The configuration has a mistake, or does not hold what was asked for',
    retry: 'never',
    exit: 2,
    next: 'Run "holdfast check" on this host; a worker reads its own holdfast.yaml',
  },
  HF_NOT_IN_CONFIG: {
    meaning: 'The host was asked for a job, resource or store that its own holdfast.yaml does not name',
    retry: 'never',
    exit: 2,
    next: 'Give every host the same holdfast.yaml, then run "holdfast apply"',
  },
  HF_SECRET_UNAVAILABLE: {
    meaning: 'A secret could not be read from its file, variable or command',
    retry: 'never',
    exit: 1,
    next: 'Look at the reference in holdfast.yaml and at the rights of the file on the host',
  },
  HF_TOOL_MISSING: {
    meaning: 'A program that the job needs is not installed on the host, or may not be run',
    retry: 'never',
    exit: 1,
    next: 'Install it on the host, or name its path in hosts.NAME.tools',
  },
  HF_TOOL_FAILED: {
    meaning: 'A tool failed in a way that we do not know',
    retry: 'outage',
    exit: 1,
    next: 'Read the log of the run: "holdfast logs RUN"',
  },
  HF_TOOL_KILLED: {
    meaning: 'A tool was killed from outside (out of memory, an operator, a reboot)',
    retry: 'outage',
    exit: 1,
    next: 'Nothing, it is tried again; if it comes back look at the memory of the host',
  },
  HF_HOST_LOCKED: {
    meaning: 'Another process of ours on the host still works on the same thing',
    retry: 'outage',
    exit: 1,
    next: 'Nothing, it is waited for; "holdfast show RUN" says what runs',
  },
  HF_HOOK_FAILED: {
    meaning: 'A program that the configuration names as a hook failed or took too long',
    retry: 'never',
    exit: 1,
    next: 'Try the program by hand on the host; what hooks changed was undone',
  },
  HF_SOURCE_MISSING: {
    meaning: 'The source is not there: the path or its marker file is missing, or the disk is not mounted',
    retry: 'never',
    exit: 1,
    next: 'Mount the source; nothing was written to any store',
  },
  HF_SOURCE_TOO_SMALL: {
    meaning: 'The source holds less than it must: it looks emptied',
    retry: 'never',
    exit: 5,
    next: 'Look at the source; if it is right so, lower "least" in holdfast.yaml',
  },
  HF_COPY_IMPLAUSIBLE: {
    meaning: 'The new copy holds far less than the earlier ones',
    retry: 'never',
    exit: 5,
    next: 'Look at the source; if it is right so, run the job with --accept-counts once',
  },
  HF_COPY_NOT_PROVED: {
    meaning: 'The tool said "done", but the store does not show the copy as planned',
    retry: 'never',
    exit: 1,
    next: 'Read the log of the run and list the store by hand',
  },
  HF_STORE_MISSING: {
    meaning: 'There is no repository at the address of the store',
    retry: 'never',
    exit: 1,
    next: 'Look at the address; a new repository is made with "holdfast init-store STORE", never by itself',
  },
  HF_STORE_EXISTS: {
    meaning: 'There is a repository already',
    retry: 'never',
    exit: 5,
    next: 'Nothing was changed; use it as it is or give the store another address',
  },
  HF_STORE_UNREACHABLE: {
    meaning: 'The store does not answer',
    retry: 'outage',
    exit: 1,
    next: 'Look at the network, the address and the credentials of the store',
  },
  HF_STORE_DENIED: {
    meaning: 'The store refuses our credentials',
    retry: 'never',
    exit: 1,
    next: 'Look at the secrets of the store, and at what its key may do',
  },
  HF_STORE_LOCKED: {
    meaning: 'Another process holds a lock in the repository',
    retry: 'outage',
    exit: 1,
    next: 'Wait for it; if that process is dead, run "restic unlock" (never --remove-all)',
  },
  HF_STORE_DAMAGED: {
    meaning: 'The check found damage in the repository',
    retry: 'never',
    exit: 1,
    next: "Do not prune; read the log of the run, then the tool's own page on repair",
  },
  HF_WRONG_PASSWORD: {
    meaning: 'The password of the repository is wrong',
    retry: 'never',
    exit: 1,
    next: 'Look at the password reference of the store on the host that runs the job',
  },
  HF_NO_SPACE: {
    meaning: 'There is no space left on a disk that the step writes to',
    retry: 'never',
    exit: 5,
    next: 'Free some space; nothing that was there before has been removed',
  },
  HF_COPY_NOT_FOUND: {
    meaning: 'There is no copy that fits what was asked for',
    retry: 'never',
    exit: 3,
    next: 'Leave out --at or --copy to take the newest, or choose a time after the first copy',
  },
  HF_PATH_NOT_FOUND: {
    meaning: 'The copy does not hold the path that was asked for',
    retry: 'never',
    exit: 3,
    next: 'Paths are relative to the resource; look at the nearest folder that exists',
  },
  HF_TARGET_REFUSED: {
    meaning: 'The host does not allow a restore to this place',
    retry: 'never',
    exit: 5,
    next: 'Choose a folder below /tmp or the state folder, or list the place in hosts.NAME.restore',
  },
  HF_TARGET_NOT_EMPTY: {
    meaning: 'The target of the restore is not empty; nothing is ever overwritten',
    retry: 'never',
    exit: 5,
    next: 'Choose a new or empty folder',
  },
  HF_RESTORE_DIFFERS: {
    meaning: 'What was restored is not what the copy holds',
    retry: 'never',
    exit: 1,
    next: 'Do not use the restored files; the report names the differences',
  },
  HF_NOTHING_TO_DO: {
    meaning: 'The step was refused because it would do nothing, or would remove everything',
    retry: 'never',
    exit: 5,
    next: 'Read the reason; look at "keep" of the job',
  },
  HF_NOT_APPROVED: {
    meaning: 'A human denied the step, or nobody answered in time; nothing was changed',
    retry: 'never',
    exit: 5,
    next: 'Start it again when the answer is yes',
  },
  HF_ALREADY_RUNNING: {
    meaning: 'This operation of the job is running already',
    retry: 'never',
    exit: 5,
    next: 'Follow it: "holdfast show RUN"',
  },
  HF_RUN_NOT_FOUND: {
    meaning: 'There is no run, job or schedule of this name',
    retry: 'never',
    exit: 3,
    next: '"holdfast runs" lists the runs, "holdfast status" the jobs',
  },
  HF_KEY_NOT_FOUND: {
    meaning: 'holdfast.yaml knows no key of this name, and there is no such error code',
    retry: 'never',
    exit: 3,
    next: '"holdfast explain" lists the sections, "holdfast explain SECTION" the keys below one',
  },
  HF_FILE_EXISTS: {
    meaning: 'The file that was to be written is there already; nothing is overwritten',
    retry: 'never',
    exit: 5,
    next: 'Name another one with --output, or move the file away yourself',
  },
  HF_TEMPORAL_UNREACHABLE: {
    meaning: 'Temporal does not answer at the address of the configuration',
    retry: 'never',
    exit: 4,
    next: 'Start "holdfast up" on this machine, or look at temporal.address',
  },
  HF_TEMPORAL_REFUSED: {
    meaning:
      'Temporal answers, but refuses: a namespace or a right is missing, or somebody else changes the same thing',
    retry: 'never',
    exit: 4,
    next: 'Read the reason; on a cluster that others run, ask them for the namespace, its search attributes or the right',
  },
  HF_HOST_UNREACHABLE: {
    meaning: 'No worker of the host answers',
    retry: 'never',
    exit: 4,
    next: 'Start "holdfast worker --host NAME" on the host',
  },
  HF_SSH_UNREACHABLE: {
    meaning: 'A host that is driven over ssh does not answer, or the connection to it was lost',
    retry: 'outage',
    exit: 1,
    next: 'Look at the machine, the network and its ssh server; what was running there keeps its lock, and is waited for',
  },
  HF_SSH_HOST_KEY: {
    meaning: 'A host shows an ssh key that is not the one in known_hosts, or that is not there',
    retry: 'never',
    exit: 1,
    next: 'Compare the fingerprint on the machine itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then correct known_hosts',
  },
  HF_SSH_DENIED: {
    meaning: 'A host refuses our key, or sudo there does not allow a program without a password',
    retry: 'never',
    exit: 1,
    next: "Add the public key to the user's authorized_keys on the host, or the program to sudoers (NOPASSWD)",
  },
  HF_SERVER_BINARY_MISSING: {
    meaning: 'No Temporal server was found on this machine',
    retry: 'never',
    exit: 4,
    next: 'Install the Temporal CLI (the program "temporal") or set HOLDFAST_TEMPORAL_BIN to it',
  },
  HF_DATABASE_OTHER_VERSION: {
    meaning: 'The SQLite file of the embedded server was made by another version of the server',
    retry: 'never',
    exit: 5,
    next: 'Use the old server, or start once with --recreate-database: runs in history are lost, copies and evidence are not',
  },
  HF_CANCELLED: {
    meaning: 'The run was cancelled',
    retry: 'never',
    exit: 1,
    next: 'Start it again when you want it: "holdfast run JOB"',
  },
  HF_INTERNAL: {
    meaning: 'A mistake in Holdfast itself',
    retry: 'never',
    exit: 1,
    next: 'Please report it with the log of the run',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errors;

export const isErrorCode = (text: unknown): text is ErrorCode =>
  typeof text === 'string' && Object.hasOwn(errors, text);

/**
 * What went wrong, with which thing, in words for the operator: at most 300 characters, no stack, no secret.
 * `details` are small facts for machines (names, counts, paths of logs).
 */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
