import { patched } from '@temporalio/workflow';
import type { Limits } from '../../contracts/jobs.js';
import type {
  ReplicationLook,
  ReplicationStepInput,
  StreamLimits,
  TransferReport,
} from '../../contracts/replication.js';
import { resultsOf } from './each.js';
import { heavyOnHost, onHost, transferOnHost } from './on-host.js';
import type { Report } from './report.js';
import { poolsBetween, settleInStreams } from './streams.js';

/** The rounds of a replication, in whichever direction: look at both ends, send what is due, look again. */

export interface Sent {
  /** The last one, which found nothing more to send. */
  look: ReplicationLook;
  bytes: number;
}

export interface SendOptions extends StreamLimits {
  /** What the table of steps calls it. */
  name: string;
  /** Whose worker drives both ends. */
  host: string;
  limits: Limits;
  /** Not behind the night's other transfers, whatever the pools' limits: a restore is waited for. */
  urgent?: true;
}

type SendStep = Omit<ReplicationStepInput, 'round'>;

/** Looks, sends what is due, looks again: the last look, which finds nothing more to send, is the proof. */
export async function sendUntilProved(step: SendStep, options: SendOptions, report: Report): Promise<Sent> {
  const { name, host, limits } = options;
  let bytes = 0;
  for (let round = 1; ; round++) {
    const steps = onHost(host, limits, `look at ${name}`);
    const look = await report.watch(name, () => steps.zfsLookAtReplicas({ ...step, round }));
    if (look.groups === 0) return { look, bytes };
    report.step(name, 'running', `${look.groups} streams, at most ${look.bytes} bytes`);
    bytes += await send({ ...step, round }, look.groups, options, report);
  }
}

/** What is urgent takes the slots of short questions, of which a host has eight: snapshots, messages and other restores go on beside it. */
const mostUrgent = 4;

const urgentLanes = (parallel = 2): number =>
  parallel > mostUrgent && patched('2026-11-urgent-streams-leave-slots') ? mostUrgent : parallel;

/** Some groups at a time. What goes wrong with single datasets is no failure here: the next look says what is missing. */
async function send(
  step: ReplicationStepInput,
  groups: number,
  { host, limits, parallel, limitedPools, urgent }: SendOptions,
  report: Report,
): Promise<number> {
  const name = `send ${step.resource} ${step.sendBack ? '←' : '→'} ${step.store}, round ${step.round}`;
  const waiting = Array.from({ length: groups }, (_, group) => group);
  const sent: TransferReport = { datasets: 0, bytes: 0, troubles: [] };
  let ended = 0;
  const pools = urgent ? [] : poolsBetween(step, limitedPools);
  const stepsOn = urgent ? onHost : pools.length > 0 ? transferOnHost : heavyOnHost;
  const lane = async (): Promise<void> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      const steps = stepsOn(host, limits, `${name}, ${group + 1} of ${groups}`);
      const { datasets, bytes, troubles } = await steps.zfsTransferReplicas({ ...step, group });
      sent.datasets += datasets;
      sent.bytes += bytes;
      sent.troubles.push(...troubles);
      ended += 1;
      report.step(name, 'running', `${ended} of ${groups} groups, ${sent.datasets} datasets`);
    }
  };
  const count = Math.min(groups, urgent ? urgentLanes(parallel) : (parallel ?? 2));
  const waiter = { report, branch: name, isEnough: () => waiting.length === 0 };
  const lanes =
    pools.length > 0
      ? settleInStreams(pools, { count, lane, waiter })
      : Promise.allSettled(Array.from({ length: count }, lane));
  await report.watch(name, async () => resultsOf(await lanes));
  const note = `${sent.datasets} datasets, at most ${sent.bytes} bytes`;
  const state = sent.troubles.length > 0 ? 'warned' : 'done';
  report.step(name, state, [note, ...sent.troubles.slice(0, 5)].join('; '));
  return sent.bytes;
}
