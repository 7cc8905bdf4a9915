import { HoldfastError } from '../../contracts/errors.js';
import type { Tools } from '../door.js';

/** What is stored beside the copies is a help for a bad day. It must never spoil a piece of work that is done. */

/** The work is done and proved: what goes wrong here is a warning of it. */
export async function withWarning<R extends { warnings: string[] }>(
  tools: Tools,
  done: R,
  what: string,
  body: () => Promise<void>,
): Promise<R> {
  try {
    await despiteKills(tools, body);
    return done;
  } catch (error) {
    if (tools.signal.aborted) throw error;
    const warning = `${what}: ${error instanceof Error ? error.message : String(error)}`.slice(0, 300);
    return { ...done, warnings: [...done.warnings, warning].slice(-20) };
  }
}

/** A killed restic is nothing that the operator must hear of while another start helps; the work before it is not done again for that. */
async function despiteKills(tools: Tools, body: () => Promise<void>): Promise<void> {
  for (let left = 2; ; left -= 1) {
    try {
      return await body();
    } catch (error) {
      const wasKilled = error instanceof HoldfastError && error.code === 'HF_TOOL_KILLED';
      if (!wasKilled || left === 0 || tools.signal.aborted) throw error;
    }
  }
}
