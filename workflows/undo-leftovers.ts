import { proxyActivities } from '@temporalio/workflow';
import type { OpenUndo } from '../activities/host/questions.js';
import { hostQueue } from '../contracts/names.js';
import type { UndoResult } from '../contracts/undo.js';
import { isRunning } from './steps/alive.js';
import { sideBySide } from './steps/each.js';
import type { HostSteps } from './steps/on-host.js';

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
