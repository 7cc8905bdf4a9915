import type { ErrorEntry } from './error-entry.js';

/** The errors of SnapRAID arrays; they stand in the one table of errors.ts. */

export const snapraidErrors = {
  HF_ARRAY_DISK_MISSING: {
    meaning:
      'A disk of the array is missing, empty of what proves it, or failing: a sync would make its loss permanent',
    retry: 'never',
    exit: 5,
    next: 'Do not sync. Bring the disk back, or plan its replacement: "holdfast do JOB replace-disk --set disk=NAME --plan"',
  },
  HF_ARRAY_DAMAGED: {
    meaning: 'Files of the array, or its parity, are damaged',
    retry: 'never',
    exit: 1,
    next: 'Do not sync by hand; "holdfast run JOB --only scrub" plans the repair and asks. Look at the disks first',
  },
  HF_ARRAY_BUSY: {
    meaning: 'Another SnapRAID process works on the array',
    retry: 'outage',
    exit: 1,
    next: 'Nothing, it is waited for; if it is a leftover, end it on the host',
  },
  HF_ARRAY_OTHER_MASTER: {
    meaning: "snapraidd runs on the host: two masters of one array undo each other's guards",
    retry: 'never',
    exit: 5,
    next: 'Stop and disable snapraidd on the host, or leave the array to it and take the job out of holdfast.yaml',
  },
  HF_ARRAY_OTHERS_HIDDEN: {
    meaning: "Whether another SnapRAID works on the array cannot be seen: two would undo each other's guards",
    retry: 'never',
    exit: 5,
    next: 'Let the user of Holdfast on that host see every process: mount /proc without hidepid, or with gid= of a group of that user',
  },
  HF_ARRAY_UNREADABLE: {
    meaning: 'SnapRAID said something that this version of ours does not understand, or contradicted itself',
    retry: 'never',
    exit: 1,
    next: 'Nothing was concluded from it. Read the log of the run; a newer SnapRAID may need a newer Holdfast',
  },
  HF_ARRAY_REFUSED: {
    meaning: 'SnapRAID refused to work: one of its own guards, or a mistake in snapraid.conf',
    retry: 'never',
    exit: 1,
    next: 'Read its words; what they call --force-… is never given by itself, because it makes a loss permanent',
  },
  HF_SYNC_INTERRUPTED: {
    meaning: 'A sync was stopped before its end: until it is complete, less can be recovered than before it',
    retry: 'outage',
    exit: 1,
    next: 'Nothing, it is continued at once; "holdfast run JOB" continues it after a cancellation',
  },
  HF_SYNC_INCOMPLETE: {
    meaning: 'A sync has ended, but some blocks have no parity: files changed or could not be read meanwhile',
    retry: 'never',
    exit: 1,
    next: 'Read the log of the run for the files; let "pause" of the job keep away what writes to them, then run it again',
  },
} as const satisfies Record<string, ErrorEntry>;
