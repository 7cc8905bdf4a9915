import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** What messages are sent to in tests: real servers on loopback that keep what they got. */

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface HttpReceiver {
  url: string;
  received: Received[];
  /** How the next requests are answered; a status of 0 answers never. */
  answer: (request: Received) => { status: number; headers?: Record<string, string>; body?: string };
  stop(): Promise<void>;
}

export async function httpReceiver(port = 0): Promise<HttpReceiver> {
  const receiver: HttpReceiver = {
    url: '',
    received: [],
    answer: () => ({ status: 200 }),
    stop: () => closed(server),
  };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { url: path = '', headers } = request;
    const got = { path, headers, body: Buffer.concat(parts).toString('utf8') };
    receiver.received.push(got);
    const { status, headers: own, body } = receiver.answer(got);
    if (status !== 0) response.writeHead(status, own).end(body);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return receiver;
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });

export interface MailReceiver {
  port: number;
  mails: { from: string; to: string[]; text: string }[];
  stop(): Promise<void>;
}

/** A mail server; options as of smtp-server. */
export async function mailReceiver(options: SMTPServerOptions = {}): Promise<MailReceiver> {
  const receiver: MailReceiver = {
    port: 0,
    mails: [],
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onData(stream, { envelope }, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const from = envelope.mailFrom ? envelope.mailFrom.address : '';
        const to = envelope.rcptTo.map(({ address }) => address);
        receiver.mails.push({ from, to, text: Buffer.concat(parts).toString('utf8') });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.port = (server.server.address() as AddressInfo).port;
  return receiver;
}
