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
  HF_REPLICA_DIVERGED: {
    meaning:
      'A replica cannot be continued: someone wrote to it or rolled it back, a name that is to arrive is taken, its source was made anew, or it is not ours',
    retry: 'never',
    exit: 5,
    next: 'Nothing was overwritten. When you say yes, "holdfast do JOB park" renames them aside to be copied anew, "holdfast do JOB roll-back" takes them back to their base',
  },
  HF_REPLICA_IS_SOURCE: {
    meaning: 'The place of a replica is its own source: what is done to one is done to the other',
    retry: 'never',
    exit: 5,
    next: 'Nothing was changed. Give the store a dataset on another pool or machine; two names under "hosts" may be one machine',
  },
  HF_REPLICA_BEHIND: {
    meaning: 'Some datasets did not arrive on the target; those that did are proved',
    retry: 'never',
    exit: 1,
    next: 'Read the log of the run: "holdfast logs RUN"; the next run goes on where this one ended',
  },
  HF_REPLICA_BUSY: {
    meaning:
      'Another receive is under way in a replica, as a rule what a connection that was cut has left running',
    retry: 'outage',
    exit: 1,
    next: 'It is tried again by itself: the target ends what was cut when its sshd notices (ClientAliveInterval). Else look who receives there: "pgrep -af zfs"',
  },
  HF_RESTORE_UNFINISHED: {
    meaning: 'Some datasets of a replica did not come back; those that did are kept, read-only',
    retry: 'never',
    exit: 1,
    next: 'Read the log of the run: "holdfast logs RUN"; the same command goes on where this one ended',
  },
  HF_FAILED_OVER: {
    meaning:
      'Another side is the one in use since a failover: what stands by is neither copied from nor written over',
    retry: 'never',
    exit: 5,
    next: 'Nothing was sent. "holdfast do JOB failback" brings everything back to where it was when that side is sound again; until then work on the side that is in use',
  },
  HF_SOURCE_NOT_OFF: {
    meaning:
      'A replica would become writable while its source may be in use: two sides that both can be written to cannot be joined again',
    retry: 'never',
    exit: 5,
    next: 'Nothing was changed. Pull the plug of the source or take it off the network for good, then say so: "holdfast do JOB failover --set source=off"',
  },
  HF_FAILOVER_REFUSED: {
    meaning: 'A replica cannot take over, or cannot give back, as things are',
    retry: 'never',
    exit: 5,
    next: 'Nothing was changed. Mend what is named, then start it again; "--plan" shows what would be done',
  },
  HF_ROLL_BACK_FAILED: {
    meaning: 'A roll-back in place could not be done; the datasets of before are brought back at once',
    retry: 'never',
    exit: 1,
    next: 'Stop what uses the datasets, then start it again; if one is missing, "holdfast undo HOST" brings it back',
  },
  HF_POOL_SUSPENDED: {
    meaning: 'A pool has stopped its input and output, or lost a disk that it cannot be without',
    retry: 'outage',
    exit: 1,
    next: 'Look at "zpool status -v" on the host; the step is tried again',
  },
  HF_POOL_FULL: {
    meaning: 'Less of a pool is free than its floor allows: nothing was added to it',
    retry: 'never',
    exit: 5,
    next: 'Free some space: look at "zfs list -o space" on the host, snapshots among it; or lower hosts.NAME.pools.POOL.floor in holdfast.yaml',
  },
  HF_SNAPSHOT_EXISTS: {
    meaning: 'There is a snapshot of the name that was to be taken, and this run did not make it',
    retry: 'never',
    exit: 5,
    next: 'Nothing was changed; look at who made it, or give the job another "name"',
  },
  HF_POOL_DAMAGED: {
    meaning: 'A scrub found data that it could not repair',
    retry: 'never',
    exit: 1,
    next: 'Restore the files that "zpool status -v" names, then scrub again; look at the disks before anything else is written',
  },
  HF_POOL_BUSY: {
    meaning: 'A pool is being resilvered: a scrub would only slow that down',
    retry: 'outage',
    exit: 1,
    next: 'Nothing, it is waited for; "zpool status" on the host says how long',
  },
  HF_SCRUB_STOPPED: {
    meaning: 'Somebody stopped or paused the scrub while it was being watched',
    retry: 'never',
    exit: 1,
    next: 'Start the job again when the pool may be read as a whole',
  },
} as const;
