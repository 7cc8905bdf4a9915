import type { ChannelConfig } from '../../config/schema.js';
import { sendMail } from '../../system/mail.js';
import { resolveSecret } from '../../system/secrets.js';
import { type Outgoing, shortId, withinMs } from './outgoing.js';
import { subjectOf, textOf } from './render.js';

const usualPorts = { starttls: 587, implicit: 465, none: 25 };

/** Plain text to mailboxes. */
export async function sendAsMail(
  { host, id, notice }: Outgoing,
  { smtp, from, to }: NonNullable<ChannelConfig['mail']>,
): Promise<void> {
  const password = smtp.password && (await resolveSecret(host, smtp.password));
  const { host: server, tls, user } = smtp;
  const port = smtp.port ?? usualPorts[tls];
  const mail = { from, to, subject: subjectOf(notice), text: textOf(notice), id: shortId(id) };
  await sendMail({ host: server, port, tls, user, ...(password && { password }) }, mail, withinMs);
}
