import { HoldfastError } from '../contracts/errors.js';
import { signalNames } from '../contracts/names.js';
import { type UndoResult, undoRequest } from '../contracts/undo.js';
import type { Temporal } from './context.js';
import { hasWorker } from './look.js';
import { printable } from './printable.js';
import { errorOfRun, isEndOfRun } from './run-end.js';

/** Asks for it and waits until it is done; without a worker it would wait for a day. */
export async function putBack(temporal: Temporal, host: string, now: Date): Promise<string[]> {
  if ((await hasWorker(temporal, host, now)) === false)
    throw new HoldfastError('HF_HOST_UNREACHABLE', `No worker of host ${host} asks for work`, {
      next: `Start "holdfast worker --host ${host}", or the worker that drives it: it puts everything back at its start`,
    });
  const { workflowType, options } = undoRequest(host);
  const handle = await temporal.client.workflow.signalWithStart(workflowType, {
    ...options,
    args: [...options.args],
    signal: signalNames.tryNow,
  });
  try {
    const result = (await handle.result()) as UndoResult;
    return result.putBack.map(printable);
  } catch (error) {
    throw isEndOfRun(error) ? errorOfRun(handle.workflowId, error) : error;
  }
}
