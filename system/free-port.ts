import { once } from 'node:events';
import { createServer } from 'node:net';
import { HoldfastError } from '../contracts/errors.js';

/** A port on 127.0.0.1 that nobody had a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address !== null && typeof address === 'object') return address.port;
  throw new HoldfastError('HF_INTERNAL', 'The kernel gave no port on 127.0.0.1');
}
