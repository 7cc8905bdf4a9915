import { z } from 'zod';
import { EnvironmentValue, Name, SecretReference } from './values.js';

/** Who is told when a run asks something, fails or warns, and through what. */

/** What stands before an @ of an address is a credential, and tokens go into headers. A reference is looked at when it is read. */
const webAddress = (description: string, example: string) =>
  EnvironmentValue.refine(
    (value) => typeof value !== 'string' || /^https?:\/\/[^\s/?#]/.test(value),
    'must begin with http:// or https://',
  )
    .refine(
      (value) => typeof value !== 'string' || !/^https?:\/\/[^/?#]*@/.test(value),
      'holds a password: give the whole address by reference, as in { file: /path }',
    )
    .describe(description)
    .meta({ examples: [example] });

const Ntfy = z.strictObject({
  url: webAddress(
    'Address of the topic; by reference where its name is what keeps others out',
    'https://ntfy.example/backups',
  ),
  token: SecretReference.optional()
    .describe('Access token, where the topic is not open to all')
    .meta({ examples: [{ file: '/etc/holdfast/ntfy.token' }] }),
});

const MailAddress = z
  .string()
  .max(254, 'must be at most 254 characters')
  .regex(/^[^\s<>,;:"()@]+@[^\s<>,;:"()@]+$/, 'must be the plain address of a mailbox, as in me@example.org')
  .meta({ title: 'mail address' });

const Smtp = z.strictObject({
  host: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]+$/, 'must be the name or address of a machine')
    .describe('Name or address of the mail server')
    .meta({ examples: ['mail.example.org'] }),
  port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .optional()
    .describe('Its port; without it 587, with tls: implicit 465, with tls: none 25')
    .meta({ examples: [587] }),
  tls: z
    .enum(['starttls', 'implicit', 'none'])
    .default('starttls')
    .describe(
      'Encryption: begun on the open connection (refused where the server does not offer it), from the first byte on, or none',
    )
    .meta({ examples: ['implicit'] }),
  user: z
    .string()
    .min(1)
    .optional()
    .describe('User to log in as; without it nobody logs in')
    .meta({ examples: ['holdfast@example.org'] }),
  password: SecretReference.optional()
    .describe('Where the password of the user is')
    .meta({ examples: [{ file: '/etc/holdfast/smtp.key' }] }),
});

const Mail = z.strictObject({
  smtp: Smtp.describe('The mail server that takes the messages'),
  from: MailAddress.describe('Address of the sender').meta({ examples: ['holdfast@example.org'] }),
  to: z
    .array(MailAddress)
    .min(1)
    .describe('Who gets the mail')
    .meta({ examples: [['me@example.org']] }),
});

const Webhook = z.strictObject({
  url: webAddress(
    'Address that a JSON document is posted to; by reference where it holds a token',
    'https://hooks.example/holdfast',
  ),
  headers: z
    .record(
      z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'holds something that is not the name of a header'),
      EnvironmentValue,
    )
    .default({})
    .describe('Headers of the request: credentials by reference')
    .meta({ examples: [{ Authorization: { file: '/etc/holdfast/hook.header' } }] }),
});

const ways = ['ntfy', 'mail', 'webhook', 'command'] as const;

export const Channel = z
  .strictObject({
    ntfy: Ntfy.optional().describe(
      'A topic of an ntfy server; a channel is exactly one of "ntfy", "mail", "webhook" and "command"',
    ),
    mail: Mail.optional().describe('Mailboxes'),
    webhook: Webhook.optional().describe('An address that is sent a JSON document'),
    command: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'A program and its arguments; no shell reads them. The text comes on its standard input, the rest in HOLDFAST_SUBJECT, HOLDFAST_EVENT, HOLDFAST_JOB and HOLDFAST_RUN',
      )
      .meta({ examples: [['/usr/local/bin/apprise', '--config', '/etc/holdfast/apprise.yaml']] }),
    on: z
      .array(z.enum(['question', 'failed', 'warnings', 'ok']))
      .min(1)
      .default(['question', 'failed', 'warnings'])
      .describe('What is told: that a run asks, and how one ended')
      .meta({ examples: [['question', 'failed']] }),
    jobs: z
      .array(Name)
      .min(1)
      .optional()
      .describe('Only of these jobs; without it of all')
      .meta({ examples: [['photos-offsite']] }),
    host: Name.optional()
      .describe('Whose worker sends; may be left out where only one host has a worker of its own')
      .meta({ examples: ['nas'] }),
  })
  .refine((channel) => ways.filter((way) => channel[way] !== undefined).length === 1, {
    message: 'needs exactly one of "ntfy", "mail", "webhook" and "command"',
    path: ['ntfy'],
  });
