import { CancellationScope, log } from '@temporalio/workflow';

/** What puts a former state back: resume, start, unmount, leave maintenance. Must be safe to do twice. */
export interface Undo {
  /** Called before the change is made, so that a crash in between undoes too much rather than too little. */
  register(name: string, putBack: () => Promise<void>): void;
}

/** Does the body; afterwards, whatever happened (success, failure, cancellation), puts everything back, last change first. */
export async function withUndo<T>(body: (undo: Undo) => Promise<T>): Promise<T> {
  const registered: { name: string; putBack: () => Promise<void> }[] = [];
  const undo: Undo = { register: (name, putBack) => void registered.push({ name, putBack }) };
  let failed: { error: unknown } | undefined;
  const result = await body(undo).catch((error: unknown) => {
    failed = { error };
    return undefined;
  });
  const notPutBack = await CancellationScope.nonCancellable(() => putAllBack(registered.reverse()));
  if (failed) throw failed.error;
  if (notPutBack) throw notPutBack;
  return result as T;
}

/** One that fails does not keep the others from being put back; the first failure is what is told. */
async function putAllBack(all: { name: string; putBack: () => Promise<void> }[]): Promise<unknown> {
  let first: unknown;
  for (const { name, putBack } of all) {
    await putBack().catch((error: unknown) => {
      log.error('A former state was not put back', { name, error });
      first ??= error;
    });
  }
  return first;
}
