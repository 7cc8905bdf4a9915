import type { ErrorEntry } from './error-entry.js';

/** Of the engine: the command line, the configuration, tools, hosts, Temporal. */
export const engineErrors = {
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
  HF_TOOL_FOLDER: {
    meaning: 'A tool may not write to its own folder for temporary files, or to its cache',
    retry: 'never',
    exit: 1,
    next: 'Look at TMPDIR of the worker and at "cache" in its state folder: both must be there and belong to its user',
  },
  HF_HOST_LOCKED: {
    meaning: 'Another process of ours on the host still works on the same thing',
    retry: 'outage',
    exit: 1,
    next: 'Nothing, it is waited for; "holdfast show RUN" says what runs',
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
  HF_FILE_REFUSED: {
    meaning: 'A file or folder may not be read or written: its rights, or a disk that is mounted read-only',
    retry: 'never',
    exit: 1,
    next: 'Look at the path: whose is it, and is its disk read-only? The state folder (HOLDFAST_STATE) must belong to the user that runs Holdfast',
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
  HF_NOT_APPROVED: {
    meaning: 'A human denied the step, or nobody answered in time; nothing was changed',
    retry: 'never',
    exit: 5,
    next: 'Start it again when the answer is yes',
  },
  HF_INTERNAL: {
    meaning: 'A mistake in Holdfast itself',
    retry: 'never',
    exit: 1,
    next: 'Please report it with the log of the run',
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
} as const satisfies Record<string, ErrorEntry>;
