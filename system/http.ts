import { HoldfastError } from '../contracts/errors.js';
import { redact } from './redact.js';

/** A small text to somebody's web service. */
export interface Post {
  /** May hold a secret: it is shown as its host alone. */
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** What the server said of itself: enough to tell what is wrong, never a page. */
export interface Answer {
  status: number;
  /** The beginning of its words, on one line. */
  words: string;
  /** The host that it sends us to, where it does. */
  redirect?: string;
}

const mostWords = 200;

/** Never follows a redirect: what is in the address and the headers is for one server alone. Throws HF_NOTIFICATION_FAILED where nobody answers. */
export async function post(
  { url, headers, body }: Post,
  withinMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const { host } = new URL(url);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]),
    });
    const { status } = response;
    const location = response.headers.get('location');
    const words = redact(await beginning(response))
      .replace(/\s+/g, ' ')
      .trim();
    const leads = location !== null && status >= 300 && status < 400 && URL.canParse(location, url);
    return { status, words, ...(leads && { redirect: new URL(location, url).host }) };
  } catch (error) {
    signal.throwIfAborted();
    throw new HoldfastError('HF_NOTIFICATION_FAILED', `${host} does not answer: ${reason(error, withinMs)}`);
  }
}

/** A server that never ends its answer would hold us. */
async function beginning({ body }: Response): Promise<string> {
  if (!body) return '';
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of body) {
    text += decoder.decode(part as Uint8Array, { stream: true });
    if (text.length >= mostWords) break;
  }
  return text.slice(0, mostWords);
}

/** fetch says "fetch failed" of everything; what failed stands in its cause. */
function reason(error: unknown, withinMs: number): string {
  if ((error as Error).name === 'TimeoutError') return `no answer within ${withinMs / 1000} s`;
  const cause = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  return redact(cause.code ?? cause.message ?? 'the connection failed').slice(0, 120);
}
