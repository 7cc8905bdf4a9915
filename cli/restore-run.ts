import type { RestoreInput } from '../contracts/jobs.js';
import type { DatasetRestoreInput } from '../contracts/zfs-restore.js';
import { answerAndFollow } from './answer-and-follow.js';
import type { Context } from './context.js';
import { followToEnd } from './end.js';
import { startDatasetRestore, startRestore } from './start-by-hand.js';
import { localTimeWithZone } from './time.js';

/** Starts the restore, has its plan approved, and follows it to its end. */
export async function restoreAndFollow(
  context: Context,
  input: RestoreInput | DatasetRestoreInput,
): Promise<number> {
  if (input.at && !context.json) context.out(`as of ${localTimeWithZone(new Date(input.at))} (${input.at})`);
  const temporal = await context.temporal();
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
