import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Authority, Certificate } from './certificates.js';

export interface TlsDoor {
  address: string;
  /** Connections whose certificate was accepted, and those that were turned away. */
  accepted(): number;
  refused(): number;
  stop(): Promise<void>;
}

/** A door in front of a plain server: TLS, and only for clients with a certificate of this authority. */
export async function openTlsDoor(
  authority: Authority,
  own: Certificate,
  plainPort: number,
): Promise<TlsDoor> {
  const sockets = new Set<Socket>();
  const counts = { accepted: 0, refused: 0 };
  const server = createServer({
    ca: readFileSync(authority.certificate),
    cert: readFileSync(own.certificate),
    key: readFileSync(own.key),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
  });
  server.on('tlsClientError', () => (counts.refused += 1));
  server.on('secureConnection', (inside) => {
    counts.accepted += 1;
    const outside = connect(plainPort, '127.0.0.1');
    for (const [socket, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.once('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `localhost:${(server.address() as AddressInfo).port}`,
    accepted: () => counts.accepted,
    refused: () => counts.refused,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
