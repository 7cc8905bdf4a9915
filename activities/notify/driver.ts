import { channelOf, senderOf } from '../../config/lookup.js';
import type { ChannelConfig, Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { NotifyStepInput } from '../../contracts/notify.js';
import { now } from '../../system/clock.js';
import type { Host } from '../../system/host.js';
import { createLog } from '../../system/log.js';
import { sendByCommand } from './by-command.js';
import { sendAsMail } from './by-mail.js';
import { folderOf, type Outgoing, shortId } from './outgoing.js';
import { sendToNtfy, sendToWebhook } from './over-http.js';

export interface Sender {
  host: Host;
  config: Config;
  signal: AbortSignal;
}

/** Brings one message to one channel of this host's own configuration; an attempt that follows one that was done does nothing. */
export async function notify(
  { host, config, signal }: Sender,
  { id, channel, notice }: NotifyStepInput,
): Promise<{ sent: boolean }> {
  const found = channelOf(config, channel);
  const sender = senderOf(config, found);
  if (sender !== host.name)
    throw new HoldfastError(
      'HF_NOT_IN_CONFIG',
      `The channel "${channel}" is of the host "${sender ?? '?'}", not of "${host.name}", in this host's holdfast.yaml; give every host the same file`,
    );
  if (await unlessTroubled(id, 'looked up', () => wasSent(host, id))) return { sent: false };
  await send({ host, channel, id, notice, signal }, found);
  await unlessTroubled(id, 'noted', () => markSent(host, id));
  return { sent: true };
}

function send(out: Outgoing, { ntfy, mail, webhook, command }: ChannelConfig): Promise<void> {
  if (ntfy) return sendToNtfy(out, ntfy);
  if (mail) return sendAsMail(out, mail);
  if (webhook) return sendToWebhook(out, webhook);
  return sendByCommand(out, command ?? []);
}

/** Attempts end after a day, and a workflow's clock is not ours. */
const keptDays = 3;
const dayMs = 86_400_000;

const markForm = /^(\d{4}-\d{2}-\d{2})-([0-9a-f]{32})\.sent$/;

async function wasSent(host: Host, id: string): Promise<boolean> {
  return (await marks(host)).some((name) => markForm.exec(name)?.[2] === shortId(id));
}

/**
 * A note that cannot be read or made never fails a message. The full disk itself may be what is told, and after "taken" a failed attempt
 * would send the message again, and call one that people have one that did not go out. Without its note, only a worker that is killed before
 * Temporal has its answer sends twice, as between "taken" and the note anyway.
 */
async function unlessTroubled<R>(id: string, done: string, body: () => Promise<R>): Promise<R | undefined> {
  try {
    return await body();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    createLog('holdfast notify').warn({ id, reason }, `whether this message was sent cannot be ${done}`);
    return undefined;
  }
}

/** Between the server's "taken" and this line a kill makes a message come twice: better than never. */
async function markSent(host: Host, id: string): Promise<void> {
  const folder = folderOf(host);
  const today = now();
  await host.writeFile(`${folder}/${today.toISOString().slice(0, 10)}-${shortId(id)}.sent`, '');
  const oldest = new Date(today.getTime() - keptDays * dayMs).toISOString().slice(0, 10);
  for (const name of await marks(host))
    if ((markForm.exec(name)?.[1] ?? oldest) < oldest) await host.removeTree(`${folder}/${name}`, folder);
}

const marks = async (host: Host): Promise<string[]> =>
  (await host.exists(folderOf(host))) ? host.list(folderOf(host)) : [];
