import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import ssh2 from 'ssh2';
import { HoldfastError } from '../../contracts/errors.js';
import { connectSsh } from '../../system/ssh-connect.js';
import { temporaryFolder } from '../support/temp.js';

/** Ports that take a connection and are no ssh server, or none any more. An error that nobody hears would end this process, as it would a worker. */

const keyFile = join(temporaryFolder('ssh'), 'key');
writeFileSync(keyFile, ssh2.utils.generateKeyPairSync('ed25519').private, { mode: 0o600 });

async function failureAt(welcome: (socket: Socket) => void): Promise<unknown> {
  // Only once the client has spoken: before, its own machine would refuse it, and not what it talks to.
  const server = createServer((socket) =>
    socket.on('error', () => undefined).once('data', () => welcome(socket.resume())),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const target = {
    ...{ name: 'din', address: '127.0.0.1', port, user: 'root', keyFile, knownHostsFile: '/none' },
    ...{ sudo: [], folder: '/var/tmp/none' },
  };
  try {
    return await connectSsh(target).then(
      () => 'connected',
      (error: unknown) => error,
    );
  } finally {
    // What ssh2 has still to say comes as the socket closes.
    await Promise.all([once(server, 'close'), server.close()]);
    for (let count = 0; count < 5; count += 1) await turn();
  }
}

for (const [what, welcome] of [
  ['resets it', (socket) => socket.resetAndDestroy()],
  ['resets it after half a greeting', (socket) => socket.write('SSH-2', () => socket.resetAndDestroy())],
  ['closes it', (socket) => socket.end()],
  ['speaks something else', (socket) => socket.end(`HTTP/1.1 400 Bad Request\r\n${'x'.repeat(20_000)}\r\n`)],
  ['speaks a version that nobody knows', (socket) => socket.end('SSH-9.9-new\r\n')],
] satisfies [string, (socket: Socket) => void][]) {
  test(`a port that takes a connection and ${what} is a machine that cannot be reached`, async () => {
    const error = await failureAt(welcome);
    assert(error instanceof HoldfastError, String(error));
    assert.equal(error.code, 'HF_SSH_UNREACHABLE');
    assert.match(error.message, /^"din" cannot be reached over ssh \(\[127\.0\.0\.1\]:\d+: /);
  });
}
