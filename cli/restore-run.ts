import { HoldfastError } from '../contracts/errors.js';
import type { RestoreInput } from '../contracts/jobs.js';
import type { DatasetRestoreInput } from '../contracts/zfs-restore.js';
import { answerAndFollow } from './answer-and-follow.js';
import type { Context } from './context.js';
import { followToEnd } from './end.js';
import { describeFailure } from './fail.js';
import { startDatasetRestore, startRestore } from './start-by-hand.js';
import { localTimeWithZone } from './time.js';

/** Starts the restore, has its plan approved, and follows it to its end. */
export async function restoreAndFollow(
  context: Context,
  input: RestoreInput | DatasetRestoreInput,
): Promise<number> {
  if (input.at && !context.json) context.out(`as of ${localTimeWithZone(new Date(input.at))} (${input.at})`);
  const temporal = await context.temporal().catch(withRescue);
  const run =
    'how' in input
      ? await startDatasetRestore(temporal, input, context.now())
      : await startRestore(temporal, input, context.now());
  if (!context.json) context.out(`${run} started`);
  // Bringing back restores nothing that must be looked at first: the command itself is the yes.
  const isUndo = 'undo' in input && input.undo !== undefined;
  if (input.approved || isUndo) return followToEnd(context, temporal, run);
  return answerAndFollow(context, temporal, run, { question: 'Restore this?', yes: false });
}

/** Who has lost the machine with Temporal reads this first: the way around it stands here. */
export function withRescue(error: unknown): never {
  const { code, message, next } = describeFailure(error);
  if (code !== 'HF_TEMPORAL_UNREACHABLE') throw error;
  throw new HoldfastError(
    code,
    message,
    { next: `${next}; or restore from a restic repository without Temporal: "holdfast rescue --help"` },
    { cause: error },
  );
}
