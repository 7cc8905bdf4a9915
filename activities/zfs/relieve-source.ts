import { HoldfastError } from '../../contracts/errors.js';
import type { ReliefReport, ReliefStepInput, ReplicationStepInput } from '../../contracts/replication.js';
import type { Tools } from '../door.js';
import type { Zfs } from './listing.js';
import { openReplication, type Replication } from './replicate-job.js';
import { destinationOf, shortOf } from './replicate-names.js';
import type { Survey } from './replicate-survey.js';
import { type JudgedDataset, letGo, relieveOf } from './retention-room.js';
import { sendingBy, type UnderWay } from './retention-transfers.js';
import type { Listing } from './types.js';

/**
 * What is held for a copy that cannot be brought further fills the source, whoever took the snapshots: who replicates says so, and where the
 * pool is short lets go of what a bookmark can stand for. No snapshot is removed here: whoever made it can then.
 */

/** Each is asked for by the workflow, and stands in its history. */
const runsAtMost = 20;

interface Copy {
  destination: string;
  /** Datasets of the source of which half has arrived, as far as is known. */
  half?: ReadonlySet<string>;
  /** Runs that are known to have ended. Absent: this run holds the lease of the copy, so no other one sends to it. */
  endedRuns?: readonly string[];
}

/** In words, what the pools of the source lack; none while there is room enough. Nothing is asked where nothing is held. */
export async function relieveSource(
  tools: Tools,
  zfs: Zfs,
  source: Listing,
  { destination, half = new Set(), endedRuns }: Copy,
): Promise<ReliefReport> {
  const judged = heldOf(source);
  if (judged.length === 0) return { warnings: [] };
  const own = shortOf(destination);
  const { releases, warnings, holdingRuns } = await relieveOf(tools, zfs, judged, {
    known: own,
    sending(tags): UnderWay {
      const byRuns = sendingBy(tags, endedRuns ?? []);
      return (dataset, to) => {
        if (to !== own || endedRuns !== undefined) return byRuns(dataset, to);
        return half.has(dataset) ? { words: 'half of it has arrived' } : undefined;
      };
    },
  });
  await letGo(tools, zfs, releases);
  return { warnings, ...(holdingRuns.length > 0 && { holdingRuns: holdingRuns.slice(0, runsAtMost) }) };
}

/** The newest stays held: something must be left to go on with. */
const heldOf = (source: Listing): JudgedDataset[] =>
  [...source.values()].flatMap((dataset) => {
    const held = dataset.snapshots.slice(0, -1).filter(({ holds }) => holds > 0);
    const verdicts = held.map((snapshot) => ({ dataset: dataset.name, snapshot, reasons: ['held'] }));
    return verdicts.length === 0 ? [] : [{ dataset, verdicts }];
  });

/** The look at both ends has failed: as a rule the target does not answer, and this may go on for weeks. What the source has to say comes with the failure. */
export async function failureWithRelief(
  tools: Tools,
  { ends, source }: Replication,
  input: ReplicationStepInput,
  error: unknown,
): Promise<unknown> {
  const isOther = !(error instanceof HoldfastError) || error.code === 'HF_FAILED_OVER';
  if (isOther || input.back || input.sendBack || tools.signal.aborted) return error;
  const warnings = await orNone(tools, async () =>
    relieveSource(tools, source, await ends.list('source'), { destination: destinationOf(input) }),
  );
  if (warnings.length === 0) return error;
  const words = `${error.message}. Meanwhile on "${source.host.name}": ${warnings.join('; ')}`;
  return new HoldfastError(error.code, words.slice(0, 800), error.details, { cause: error });
}

/** The same where both ends answer and something stays behind, for want of room over there; where nothing does, it costs no command. */
export async function reliefWhileBehind(
  tools: Tools,
  { source }: Replication,
  input: ReplicationStepInput,
  { now, behindCount }: { now: Survey; behindCount: number },
): Promise<string[]> {
  if (behindCount === 0 || input.back || input.sendBack) return [];
  const half = new Set(now.plans.flatMap(({ resume, source: name }) => (resume ? [name] : [])));
  const copy = { destination: destinationOf(input), half };
  return orNone(tools, () => relieveSource(tools, source, now.input.source, copy));
}

/** It is no part of what the run is for: what goes wrong here is looked at again by the next one. */
async function orNone(tools: Tools, ask: () => Promise<ReliefReport>): Promise<string[]> {
  try {
    return (await ask()).warnings;
  } catch (error) {
    tools.signal.throwIfAborted();
    tools.log(`how full the source is could not be seen: ${error}`);
    return [];
  }
}

/** The same while the target is known to be away: then no run looks at both ends. */
export async function relieveWhileAway(tools: Tools, input: ReliefStepInput): Promise<ReliefReport> {
  const { ends, source } = await openReplication(tools, { ...input, round: 0 });
  const listing = await ends.list('source');
  const { endedRuns = [] } = input;
  return relieveSource(tools, source, listing, { destination: destinationOf(input), endedRuns });
}
