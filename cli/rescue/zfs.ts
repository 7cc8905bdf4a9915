import { HoldfastError } from '../../contracts/errors.js';
import type { Context } from '../context.js';
import { shown } from '../jobs.js';
import { openZfs, type ZfsRescue, type ZfsWords } from './zfs-open.js';
import { printReplicas } from './zfs-replicas.js';
import { cloneReplica, restoreFromReplica } from './zfs-restore.js';
import { sendReplica } from './zfs-send.js';

/** The rescue shell for replicas: the same drivers and planners as the worker's, put together by hand. */

const verbs: Record<string, (context: Context, rescue: ZfsRescue, words: ZfsWords) => Promise<number>> = {
  replicas: printReplicas,
  restore: restoreFromReplica,
  clone: cloneReplica,
  send: sendReplica,
};

/** Does one thing with the replicas of one machine. */
export async function carryOutZfsRescue(context: Context, what: string, words: ZfsWords): Promise<number> {
  const verb = Object.hasOwn(verbs, what) ? verbs[what] : undefined;
  if (!verb)
    throw new HoldfastError(
      'HF_USAGE',
      `"holdfast rescue zfs" takes replicas, restore, clone or send, not "${shown(what)}"`,
    );
  const rescue = openZfs(context, words);
  let failed = true;
  try {
    const exit = await verb(context, rescue, words);
    failed = false;
    return exit;
  } finally {
    rescue.close({ failed });
  }
}
