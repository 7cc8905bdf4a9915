import type { Config } from '../../config/schema.js';
import type { Finding } from '../../contracts/doctor.js';
import { type ErrorCode, isErrorCode } from '../../contracts/errors.js';
import type { Temporal } from '../context.js';
import { causesOf, describeFailure, nextOf } from '../fail.js';
import { failureLine } from '../follow-lines.js';
import { lookAtRun } from '../look.js';
import { isEndOfRun } from '../run-end.js';
import { readSilentChannels, type SilentChannel } from '../silent-channels.js';
import { waitOfRun } from '../snapshot.js';
import { about } from './findings.js';
import { judgeSilent, type Why } from './judge-channels.js';

/** Messages that did not go out, of all channels or of those that one host sends through, each with the words of the refusal. */
export async function examineChannels(
  temporal: Temporal,
  config: Config,
  host: string | undefined,
  now: Date,
): Promise<Finding[]> {
  try {
    const silent = await readSilentChannels(temporal, config, now);
    const asked = silent.filter((channel) => host === undefined || channel.host === host);
    return await Promise.all(
      asked.map(async (channel) => judgeSilent(channel, await whyOf(temporal, channel, now), now)),
    );
  } catch (error) {
    const { message, next } = describeFailure(error);
    return [about('temporal').warning('messages', `whether people were told is not known: ${message}`, next)];
  }
}

async function whyOf(temporal: Temporal, { state, message }: SilentChannel, now: Date): Promise<Why> {
  if (state === 'trying') {
    const snapshot = await lookAtRun(temporal, message, now);
    const failing = snapshot.pending.find((step) => step.failure);
    const words = [failing && failureLine(failing, now), waitOfRun(snapshot)].filter((word) => word);
    const code = failing?.failure?.code;
    return {
      words: words.join('; ') || 'no attempt has ended yet',
      ...(code !== undefined && isErrorCode(code) && { code }),
    };
  }
  try {
    await temporal.client.workflow.getHandle(message).result();
  } catch (error) {
    if (isEndOfRun(error)) return whyItEnded(error);
    throw error;
  }
  return { words: 'Temporal says by now that it went out' };
}

/** What came last is innermost: that its time was over says less than why the last attempt failed. */
export function whyItEnded(error: unknown): Why {
  const chain = causesOf(error);
  const typeOf = (cause: unknown): unknown => (cause as { type?: unknown }).type;
  const coded = chain.findLast((cause) => isErrorCode(typeOf(cause)));
  if (!coded) return { words: 'nobody took it in its time: no orchestrator, or no worker of its host' };
  const code = typeOf(coded) as ErrorCode;
  return { code, words: coded.message, ...nextOf(code, chain) };
}
