import type { Stream, ZfsWords } from './replicate-streams.js';
import type { HoldTags } from './replicate-upkeep.js';
import type { Listing } from './types.js';

/** The two ends of a replication. Real hosts in replicate-hosts.ts; a model of two pools in the tests. */

export type Side = 'source' | 'target';

export interface Done {
  ok: boolean;
  /** What zfs said, in one line. */
  words: string;
}

/** What `zfs send -nvt` ended with and said, on both its outputs. */
export interface TokenAnswer {
  exitCode: number;
  text: string;
}

/** undefined: it was not begun. */
export interface StreamEnd {
  sent: Done | undefined;
  received: Done | undefined;
}

export interface Ends {
  /** Each method is one remote command, whatever the number of datasets; `transfer` is one on either side. */
  list(side: Side): Promise<Listing>;
  /** What was put aside beside the root of the target, with all below it: two commands, asked for only where nothing lies below the root itself. */
  listAsides(): Promise<Listing>;
  /** What `zfs send -nvt` says of each token. */
  readTokens(tokens: readonly string[]): Promise<(TokenAnswer | undefined)[]>;
  /** How many bytes each stream would be; undefined where zfs cannot tell. */
  sizes(streams: readonly Stream[]): Promise<(number | undefined)[]>;
  holdTags(side: Side, snapshots: readonly string[]): Promise<HoldTags>;
  /**
   * Several at the same time, in no order; one result for each. What stands in `then` is begun after them, and only if all of them
   * went well: else its results are undefined.
   */
  change(
    side: Side,
    commands: readonly ZfsWords[],
    then?: readonly ZfsWords[],
  ): Promise<(Done | undefined)[]>;
  /** One pipe for all streams, one after the other; the first failure ends it. */
  transfer(streams: readonly Stream[]): Promise<StreamEnd[]>;
}
