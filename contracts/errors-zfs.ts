/** The errors of ZFS hosts; they stand in the one table of errors.ts. */

export const zfsErrors = {
  HF_DATASET_MISSING: {
    meaning: 'There is no ZFS dataset, snapshot or pool of this name on the host',
    retry: 'never',
    exit: 1,
    next: 'Look at the name in holdfast.yaml and at "zfs list" on the host: it may be renamed, or its pool not imported',
  },
  HF_ZFS_DENIED: {
    meaning: 'ZFS refuses the step to the user that works on the host',
    retry: 'never',
    exit: 1,
    next: '"holdfast doctor HOST" prints the lines of "zfs allow" that are missing',
  },
  HF_POOL_SUSPENDED: {
    meaning: 'A pool has stopped its input and output, or lost a disk that it cannot be without',
    retry: 'outage',
    exit: 1,
    next: 'Look at "zpool status -v" on the host; the step is tried again',
  },
} as const;
