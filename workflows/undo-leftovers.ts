import { defineSignal, getExternalWorkflowHandle, proxyActivities } from '@temporalio/workflow';
import type { OpenUndo } from '../activities/host/questions.js';
import { hostQueue, signalNames } from '../contracts/names.js';
import type { UndoResult } from '../contracts/undo.js';
import { sideBySide } from './steps/each.js';
import { failure } from './steps/failure.js';
import type { HostSteps } from './steps/on-host.js';

const areYouThere = defineSignal(signalNames.areYouThere);

/** Puts back what runs have left changed on a host that ended without their own clean-up (Terminate, a lost server). Started by its worker. */
export async function undoLeftovers({ host }: { host: string }): Promise<UndoResult> {
  const steps = proxyActivities<HostSteps>({
    taskQueue: hostQueue(host),
    startToCloseTimeout: '1h',
    heartbeatTimeout: '10m',
    retry: { initialInterval: '10s', maximumInterval: '10m' },
    summary: `put back what was left changed on ${host}`,
  });
  const ofRuns = new Map<string, OpenUndo[]>();
  for (const undo of await steps.hostOpenUndos())
    ofRuns.set(undo.run, [...(ofRuns.get(undo.run) ?? []), undo]);
  // What cannot be put back for one run must not keep another's container stopped.
  const done = await sideBySide([...ofRuns], async ([run, undos]) => {
    if (await isRunning(run)) return [];
    for (const undo of undos) await steps.hostPutBack(undo);
    return undos.map(({ what }) => `${what} of ${run}`);
  });
  return { putBack: done.flat() };
}

/** A workflow can ask for another only by a signal: one that nobody handles changes nothing, and fails when the other is gone. */
async function isRunning(run: string): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(run).signal(areYouThere);
    return true;
  } catch (error) {
    if (error instanceof Error && /not ?found|already completed/i.test(error.message)) return false;
    throw failure(
      'HF_INTERNAL',
      `Cannot tell whether ${run} still runs`,
      error instanceof Error ? error : undefined,
    );
  }
}
