import type { AttributePlan } from '../../contracts/attributes.js';
import type { IdMap } from '../../contracts/id-map.js';
import type { RestorePlan } from '../../contracts/jobs.js';
import type { Restic } from './driver.js';
import type { Exchange } from './in-place.js';
import type { Node } from './listing.js';
import type { Snapshot } from './parse.js';
import type { Selection } from './selection.js';
import type { KnownSparseness } from './sparse-handed.js';
import type { TargetState } from './target.js';

/** A restore that was looked at and is not yet carried out: what its plan is made of, and what every step of it works with. */
export interface PreparedRestore {
  plan: RestorePlan & { attributes: AttributePlan };
  /** Less than the lengths of all files where some have many names, or holes. */
  bytesNeeded: number;
  /** Only for a restore in place. */
  exchange?: Exchange | undefined;
  restic: Restic;
  snapshot: Snapshot;
  /** The resource's folder as it is called in the copy. */
  root: string;
  selection: Selection;
  /** What is restored, in restic's order. */
  nodes: Node[];
  state: TargetState;
  sparseness: KnownSparseness;
  /** How owners are mapped; without ranges they stay. */
  idMap: IdMap;
  /** A second read of all the data is wanted where attributes cannot be compared without. */
  mayReadAgain: boolean;
}
