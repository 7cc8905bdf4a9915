import { HoldfastError } from '../contracts/errors.js';
import { redact } from './redact.js';

/** One text to people's mailboxes, through somebody's mail server. */
export interface Mail {
  from: string;
  to: readonly string[];
  /** One line. */
  subject: string;
  text: string;
  /** The same in every attempt: mailboxes show a message that came twice once. */
  id: string;
}

export interface MailServer {
  host: string;
  port: number;
  /** `starttls`: refused where the server does not offer it. */
  tls: 'starttls' | 'implicit' | 'none';
  user?: string;
  password?: string;
}

/** As nodemailer tells a failure. */
interface MailError extends Error {
  code?: string;
  responseCode?: number;
  response?: string;
}

/** Hands it over; that the server has taken it is all that can be known. */
export async function sendMail(server: MailServer, mail: Mail, withinMs: number): Promise<void> {
  const { createTransport } = await import('nodemailer');
  const { host, port, tls, user, password } = server;
  const transport = createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
    connectionTimeout: withinMs,
    greetingTimeout: withinMs,
    socketTimeout: withinMs,
    dnsTimeout: withinMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const address = (one: string) => ({ name: '', address: one });
    const { rejected } = await transport.sendMail({
      from: address(mail.from),
      to: mail.to.map(address),
      subject: mail.subject,
      text: mail.text,
      messageId: `<${mail.id}@holdfast>`,
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    if (rejected.length > 0) throw refused(host, `it does not take mail for ${rejected.join(', ')}`);
  } catch (error) {
    throw error instanceof HoldfastError ? error : asOurs(host, error as MailError);
  } finally {
    transport.close();
  }
}

/** SMTP's own rule: 4xx passes, 5xx does not. What has no number is a network that fails, or a certificate or password that does not fit. */
function asOurs(host: string, { code, responseCode, response, message }: MailError): HoldfastError {
  const words = redact(response ?? message).replace(/\s+/g, ' ');
  const lasts = responseCode === undefined ? code === 'EAUTH' || code === 'ETLS' : responseCode >= 500;
  if (lasts) return refused(host, words);
  return new HoldfastError('HF_NOTIFICATION_FAILED', `The mail server ${host} fails: ${words}`.slice(0, 300));
}

const refused = (host: string, words: string): HoldfastError =>
  new HoldfastError('HF_NOTIFICATION_REFUSED', `The mail server ${host} refuses: ${words}`.slice(0, 300));
