import { readFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2, { type Client } from 'ssh2';
import { HoldfastError } from '../contracts/errors.js';
import { judgeHostKey, knownKeys, preferKnown } from './ssh-known-hosts.js';
import { placeOf, type SshTarget } from './ssh-target.js';

/** One connection to a machine, logged in; what goes wrong on the way comes out in the operator's words. */

const answersWithinMs = 20_000;
/** A busy, small machine takes long for the exchange of keys. */
const readyWithinMs = 90_000;
/** A connection that is dead is noticed after a minute. */
const keepaliveMs = 15_000;
const keepalivesMissed = 4;

const hostKeyKinds = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** Through `road` when another machine leads there, else straight over TCP. */
export async function connectSsh(target: SshTarget, road?: Duplex): Promise<Client> {
  const privateKey = await readKey(target);
  const known = knownKeys(await readKnownHosts(target), target);
  const client = new ssh2.Client();
  let refusal: HoldfastError | undefined;
  const sock = road ?? dial(target);
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      client.destroy();
      sock.destroy();
      reject(refusal ?? inWords(target, error));
    };
    // Not once: when what comes first is a reset or our own patience, ssh2 tells a second error as the socket closes, and one without a
    // listener would end the worker.
    client.on('error', fail);
    client.once('close', () => fail(new Error('the connection was closed while we logged in')));
    sock.on('error', fail);
    client.once('ready', () => {
      client.off('error', fail);
      client.removeAllListeners('close');
      // From here on whoever uses it hears "close".
      client.on('error', () => undefined);
      resolve(client);
    });
    client.connect({
      sock,
      username: target.user,
      privateKey,
      readyTimeout: readyWithinMs,
      keepaliveInterval: keepaliveMs,
      keepaliveCountMax: keepalivesMissed,
      algorithms: { serverHostKey: preferKnown(hostKeyKinds, known) as never },
      hostVerifier: (key: Buffer) => {
        refusal = judgeHostKey(key, known, target);
        return refusal === undefined;
      },
    });
  });
}

/** A machine that is off is given up sooner than one that is slow. */
function dial({ address, port }: SshTarget): Duplex {
  const socket = connectSocket({ host: address, port, noDelay: true });
  const limit = setTimeout(
    () => socket.destroy(new Error(`no answer within ${answersWithinMs / 1000} s`)),
    answersWithinMs,
  );
  socket.once('connect', () => clearTimeout(limit)).once('close', () => clearTimeout(limit));
  return socket;
}

async function readKey({ name, keyFile }: SshTarget): Promise<Buffer> {
  const unusable = (why: string): HoldfastError =>
    new HoldfastError(
      'HF_SECRET_UNAVAILABLE',
      `The ssh key ${keyFile} for "${name}" ${why}; name another with hosts.${name}.ssh.key`,
    );
  const text = await readFile(keyFile).catch((error: NodeJS.ErrnoException) => {
    throw unusable(`cannot be read (${error.code})`);
  });
  const parsed = ssh2.utils.parseKey(text);
  if (!(parsed instanceof Error)) return text;
  throw unusable(
    /passphrase/i.test(parsed.message)
      ? 'has a passphrase, and nobody is there to type it'
      : 'is no private key that we can read',
  );
}

const readKnownHosts = ({ knownHostsFile }: SshTarget): Promise<string> =>
  readFile(knownHostsFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });

function inWords(target: SshTarget, error: Error & { level?: string; code?: string }): HoldfastError {
  const { name, user } = target;
  const place = placeOf(target);
  if (error.level === 'client-authentication')
    return new HoldfastError(
      'HF_SSH_DENIED',
      `"${name}" (${place}) refuses the key ${target.keyFile} for the user ${user}: add its public part to ~${user}/.ssh/authorized_keys there`.slice(
        0,
        300,
      ),
      {},
      { cause: error },
    );
  return unreachable(name, `${place}: ${error.message || error.code}`, error);
}

/** Waiting may help: the machine boots, the cable is plugged in again. */
export const unreachable = (name: string, why: string, cause?: unknown): HoldfastError =>
  new HoldfastError(
    'HF_SSH_UNREACHABLE',
    `"${name}" cannot be reached over ssh (${why})`.slice(0, 300),
    {},
    { cause },
  );
