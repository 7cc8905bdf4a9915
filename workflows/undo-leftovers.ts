import { condition, defineSignal, isCancellation, proxyActivities, setHandler } from '@temporalio/workflow';
import type { OpenUndo } from '../activities/host/questions.js';
import { hostQueue, signalNames } from '../contracts/names.js';
import type { UndoResult } from '../contracts/undo.js';
import { isRunning } from './steps/alive.js';
import { sideBySide } from './steps/each.js';
import { diagnose } from './steps/failure.js';
import type { HostSteps } from './steps/on-host.js';

const tryNow = defineSignal(signalNames.tryNow);

/** About two hours: a machine that is booted anew has its containers, and the machines that it drives, by then. */
const mostRounds = 120;
const longestPauseS = 60;

/** Puts back what runs have left changed on a host that ended without their own clean-up (Terminate, a lost server). Started by its worker. */
export async function undoLeftovers({ host }: { host: string }): Promise<UndoResult> {
  const steps = proxyActivities<HostSteps>({
    taskQueue: hostQueue(host),
    startToCloseTimeout: '1h',
    heartbeatTimeout: '10m',
    retry: { initialInterval: '10s', maximumInterval: '10m' },
    summary: `put back what was left changed on ${host}`,
  });
  // Whoever asks for it by hand wants to hear now what is wrong.
  let isAsked = false;
  setHandler(tryNow, () => {
    isAsked = true;
  });
  const putBack: string[] = [];
  for (let round = 1; ; round += 1) {
    const isLast = round === mostRounds || isAsked;
    const { done, failed } = await putAllBack(steps);
    putBack.push(...done);
    if (failed.length === 0) return { putBack };
    if (isLast || !failed.some(mayPass)) throw failed[0];
    await condition(() => isAsked, Math.min(2 ** round, longestPauseS) * 1000);
  }
}

interface Round {
  done: string[];
  failed: unknown[];
}

/** What cannot be put back keeps nothing else from being put back, neither of its own run nor of another. */
async function putAllBack(steps: HostSteps): Promise<Round> {
  const ofRuns = new Map<string, OpenUndo[]>();
  for (const undo of await steps.hostOpenUndos())
    ofRuns.set(undo.run, [...(ofRuns.get(undo.run) ?? []), undo]);
  const rounds = await sideBySide([...ofRuns], async ([run, undos]) => {
    const ended: Round = { done: [], failed: [] };
    if (await isRunning(run)) return ended;
    for (const undo of undos) await putOneBack(steps, undo, ended);
    return ended;
  });
  return {
    done: rounds.flatMap(({ done }) => done),
    failed: rounds.flatMap(({ failed }) => failed),
  };
}

async function putOneBack(steps: HostSteps, undo: OpenUndo, { done, failed }: Round): Promise<void> {
  try {
    await steps.hostPutBack(undo);
    done.push(`${undo.what} of ${undo.run}`);
  } catch (error) {
    if (isCancellation(error)) throw error;
    failed.push(error);
  }
}

/** What this host does not know how to put back it will not learn by waiting. */
const mayPass = (error: unknown): boolean => diagnose(error).code !== 'HF_NOT_IN_CONFIG';
