import type { ErrorEntry } from './error-entry.js';

/** Of what is kept: sources, stores, copies, restores. */
export const dataErrors = {
  HF_SOURCE_MISSING: {
    meaning: 'The source is not there: the path or its marker file is missing, or the disk is not mounted',
    retry: 'never',
    exit: 1,
    next: 'Mount the source, or put it back; a copy that was made without it does not count as good',
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
  HF_NOT_SEEDED: {
    meaning: 'The store has no copy of the resource yet, and the first one is uploaded by portions',
    retry: 'never',
    exit: 1,
    next: 'Look at "holdfast status": the next run of the job leaves it to a run of its own',
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
  HF_HOOK_FAILED: {
    meaning: 'A program that the configuration names as a hook failed or took too long',
    retry: 'never',
    exit: 1,
    next: 'Try the program by hand on the host; what hooks changed was undone',
  },
} as const satisfies Record<string, ErrorEntry>;
