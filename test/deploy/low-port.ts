import { once } from 'node:events';
import { createServer } from 'node:net';

/** A free port below 32768: PostgreSQL's schema keeps membership ports in two bytes with a sign. */
export async function lowPort(taken: ReadonlySet<string> = new Set()): Promise<string> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    if (taken.has(`${port}`)) continue;
    const server = createServer().listen(port, '127.0.0.1');
    const free = await Promise.race([
      once(server, 'listening').then(() => true),
      new Promise<boolean>((resolve) => server.once('error', () => resolve(false))),
    ]).catch(() => false);
    if (!free) continue;
    server.close();
    await once(server, 'close');
    return `${port}`;
  }
}
