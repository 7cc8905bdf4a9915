/** Every export is a workflow type: its name is public and permanent. */
export { backupRestic } from './backup-restic.js';
export { checkRestic } from './check-restic.js';
export { drillFailures } from './drill-failures.js';
export { holdLease } from './hold-lease.js';
export { initialiseStore } from './initialise-store.js';
export { listCopies } from './list-copies.js';
export { listReplicas } from './list-replicas.js';
export { parkReplicas } from './park-replicas.js';
export { probeHost } from './probe-host.js';
export { pruneRestic } from './prune-restic.js';
export { pruneSnapshots } from './prune-snapshots.js';
export { readRunLog } from './read-run-log.js';
export { replicateDatasets } from './replicate-datasets.js';
export { restoreRestic } from './restore-restic.js';
export { scrubPool } from './scrub-pool.js';
export { snapshotDatasets } from './snapshot-datasets.js';
export { undoLeftovers } from './undo-leftovers.js';
