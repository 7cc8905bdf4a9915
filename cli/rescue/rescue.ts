import { readStoredConfig } from '../../activities/restic/config-copy.js';
import { openRestic } from '../../activities/restic/driver.js';
import { type ErrorCode, HoldfastError } from '../../contracts/errors.js';
import type { Context } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { shown } from '../jobs.js';
import { openRepository, type Rescue, type RescueWords, rescueStore } from './open.js';
import { restoreByHand } from './restore.js';
import { printSnapshots } from './snapshots.js';

/** The rescue shell: the same drivers and planners as the worker's, put together by hand. */

const verbs: Record<string, (context: Context, rescue: Rescue, words: RescueWords) => Promise<number>> = {
  snapshots: printSnapshots,
  restore: restoreByHand,
  config: printConfig,
};

/** Does one thing with one repository; our own temporary state is removed again when it went well. */
export async function carryOutRescue(context: Context, what: string, words: RescueWords): Promise<number> {
  const verb = Object.hasOwn(verbs, what) ? verbs[what] : undefined;
  if (!verb)
    throw new HoldfastError(
      'HF_USAGE',
      `"holdfast rescue restic" takes snapshots, restore or config, not "${shown(what)}"`,
    );
  const rescue = await openRepository(context, words);
  try {
    const exit = await verb(context, rescue, words);
    rescue.close({ keepLog: false });
    return exit;
  } catch (error) {
    rescue.close({ keepLog: true });
    throw inRescue(error);
  }
}

/** Here is no configuration, no worker and no "holdfast logs" that the usual words could send anybody to. */
const nextInRescue: Partial<Record<ErrorCode, string>> = {
  HF_WRONG_PASSWORD: 'Look at --password-file, or type the password again',
  HF_SECRET_UNAVAILABLE: 'Look at --password-file: is it there, and may this user read it?',
  HF_STORE_MISSING: 'Look at --repository: no repository is there; nothing was made',
  HF_STORE_UNREACHABLE:
    'Look at the network, at --repository, and at the variables with its credentials (AWS_…, B2_…)',
  HF_TOOL_FAILED: 'Read the log that is named above',
};

/** Pure: the same error, with what can be done about it in a rescue shell. */
export function inRescue(error: unknown): unknown {
  if (!(error instanceof HoldfastError) || error.details.next !== undefined) return error;
  const next = nextInRescue[error.code];
  if (next === undefined) return error;
  return new HoldfastError(error.code, error.message, { ...error.details, next }, { cause: error });
}

async function printConfig(context: Context, { toolsFor }: Rescue): Promise<number> {
  const tools = toolsFor({ job: 'rescue', resource: 'config', target: '/', run: 'rescue' });
  const stored = await readStoredConfig(await openRestic(tools, rescueStore, 'rescue-config'));
  if (!stored)
    throw new HoldfastError('HF_COPY_NOT_FOUND', 'The repository holds no configuration of Holdfast', {
      next: 'It is stored with a backup from version 0.1 on; "holdfast rescue restic snapshots" lists the copies',
    });
  if (context.json) context.out(JSON.stringify(stored, null, 2));
  else {
    context.note(`of ${stored.time}, by host ${stored.host}, snapshot ${stored.snapshot.slice(0, 12)}`);
    context.out(stored.text.trimEnd());
  }
  return exitCodes.done;
}
