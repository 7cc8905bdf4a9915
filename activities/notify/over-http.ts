import type { ChannelConfig } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Notice } from '../../contracts/notify.js';
import type { Host } from '../../system/host.js';
import { type Answer, post } from '../../system/http.js';
import { rememberSecret } from '../../system/redact.js';
import { resolveSecret } from '../../system/secrets.js';
import { type Outgoing, shortId, withinMs } from './outgoing.js';
import { headerText, jsonOf, subjectOf, textOf } from './render.js';

/** ntfy and webhooks. */

type Reference = NonNullable<ChannelConfig['webhook']>['url'];

const resolved = (host: Host, value: Reference): Promise<string> =>
  typeof value === 'string' ? Promise.resolve(value) : resolveSecret(host, value);

/** Of an address that is given by reference the part behind the host is the secret: servers and errors repeat it alone. */
async function addressOf(host: Host, value: Reference): Promise<string> {
  const address = await resolved(host, value);
  if (typeof value === 'string' || !URL.canParse(address)) return address;
  const { pathname, search } = new URL(address);
  // What is shorter is a word like any other, which logs would miss.
  if (pathname.length + search.length > 12) rememberSecret(`${pathname}${search}`);
  return address;
}

/** Longer messages become attachments, which many servers do not take. */
const ntfyBytes = 4_000;
const ntfyPriority: Record<Notice['event'], string> = {
  question: 'high',
  failed: 'high',
  warnings: 'default',
  ok: 'low',
  test: 'default',
};

/** One topic of an ntfy server. Since its version 2.16 a message that comes twice is shown once. */
export async function sendToNtfy(out: Outgoing, ntfy: NonNullable<ChannelConfig['ntfy']>): Promise<void> {
  const { host, id, notice } = out;
  const token = ntfy.token && (await resolveSecret(host, ntfy.token));
  const headers = {
    Title: headerText(subjectOf(notice)),
    Priority: ntfyPriority[notice.event],
    'X-Sequence-ID': shortId(id),
    'Content-Type': 'text/plain; charset=utf-8',
    ...(token && { Authorization: `Bearer ${token}` }),
  };
  await postTo(out, await addressOf(host, ntfy.url), headers, textOf(notice, ntfyBytes));
}

/** One JSON document to an address. */
export async function sendToWebhook(
  out: Outgoing,
  { url, headers }: NonNullable<ChannelConfig['webhook']>,
): Promise<void> {
  const { host, id, notice } = out;
  const own: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) own.push([name, await resolved(host, value)]);
  const all = {
    'Content-Type': 'application/json',
    'Idempotency-Key': shortId(id),
    ...Object.fromEntries(own),
  };
  await postTo(out, await addressOf(host, url), all, jsonOf(id, notice));
}

async function postTo(
  { channel, signal }: Outgoing,
  url: string,
  headers: Record<string, string>,
  body: string,
): Promise<void> {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw refused(channel, 'its address is no http:// or https:// URL');
  const { host } = new URL(url);
  const bad = Object.entries(headers).find(([, value]) => !/^[\t\x20-\x7e\x80-\xff]*$/.test(value));
  if (bad) throw refused(channel, `the header ${bad[0]} holds what no header may hold`);
  judge(channel, host, await post({ url, headers, body }, withinMs, signal));
}

/** Too early, too many, too slow: waiting helps. All else below 500 will be the same tomorrow. */
const passing = [408, 425, 429];

function judge(channel: string, host: string, { status, words, redirect }: Answer): void {
  if (status >= 200 && status < 300) return;
  const said = `${host} answers ${status}${words ? `: ${words}` : ''}`;
  if (status >= 500 || passing.includes(status))
    throw new HoldfastError('HF_NOTIFICATION_FAILED', `${channel}: ${said}`.slice(0, 300));
  const sent = redirect ? `. It sends us to ${redirect}, which is not followed: write the final address` : '';
  throw refused(channel, `${said}${sent}`);
}

const refused = (channel: string, why: string): HoldfastError =>
  new HoldfastError('HF_NOTIFICATION_REFUSED', `${channel}: ${why}`.slice(0, 300));
