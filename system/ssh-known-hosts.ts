import { createHash, createHmac } from 'node:crypto';
import { HoldfastError } from '../contracts/errors.js';
import { placeOf, type SshTarget } from './ssh-target.js';

/** Whether a machine is the one that we know: the file known_hosts, read as OpenSSH reads it. Pure but for what it is given. */

export interface KnownKey {
  line: number;
  revoked: boolean;
  /** "ssh-ed25519". */
  type: string;
  /** base64, as in the file. */
  key: string;
}

/** The keys of a place; lines for certificate authorities are of no use to us, because we take plain keys only. */
export function knownKeys(text: string, target: Pick<SshTarget, 'address' | 'port'>): KnownKey[] {
  return text.split('\n').flatMap((line, index) => {
    const fields = line.trim().split(/\s+/);
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
    const [names = '', type, key] = fields;
    if (names.startsWith('#') || !type || !key || marker === '@cert-authority') return [];
    if (!isNamed(names, target)) return [];
    return [{ line: index + 1, revoked: marker === '@revoked', type, key }];
  });
}

function isNamed(names: string, target: Pick<SshTarget, 'address' | 'port'>): boolean {
  const place = placeOf(target).toLowerCase();
  if (names.startsWith('|1|')) return isHashOf(names, place);
  const patterns = names.toLowerCase().split(',');
  if (patterns.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1), place))) return false;
  return patterns.some((pattern) => fits(pattern, place));
}

/** "|1|salt|hash", both base64. */
function isHashOf(names: string, place: string): boolean {
  const [, , salt = '', hash = ''] = names.split('|');
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(place).digest('base64') === hash;
}

function fits(pattern: string, place: string): boolean {
  const form = pattern
    .replace(/[.+^$|()[\]{}\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${form}$`).test(place);
}

/** As ssh-keygen -l prints it. */
export const fingerprintOf = (key: string): string =>
  `SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`;

/** The name of its kind stands at the beginning of every key, after its length. */
export function typeOfKey(key: Buffer): string {
  const length = key.readUInt32BE(0);
  return key.subarray(4, 4 + length).toString('latin1');
}

/** undefined when the key is the one that we know; else why it is refused. */
export function judgeHostKey(
  key: Buffer,
  known: readonly KnownKey[],
  target: Pick<SshTarget, 'name' | 'address' | 'port' | 'knownHostsFile'>,
): HoldfastError | undefined {
  const shown = key.toString('base64');
  const type = typeOfKey(key);
  const place = placeOf(target);
  const same = known.filter((entry) => entry.type === type && entry.key === shown);
  const revoked = same.find((entry) => entry.revoked);
  if (revoked)
    return refused(
      `The host "${target.name}" (${place}) shows a key that is marked as revoked in line ${revoked.line} of ${endOf(target.knownHostsFile)}: ${fingerprintOf(shown)}. Nothing was sent to it`,
    );
  if (same.length > 0) return undefined;
  const now = fingerprintOf(shown);
  const trusted = known.filter((entry) => !entry.revoked);
  const old = trusted.find((entry) => entry.type === type) ?? trusted[0];
  const line = `${place} ${type} ${shown}`;
  const details = { line, fingerprint: now, ...(old && { knownFingerprint: fingerprintOf(old.key) }) };
  if (old)
    return refused(
      `The key of "${target.name}" (${place}) has changed: it was ${fingerprintOf(old.key)}, now it is ${now}. Installed anew? Replace line ${old.line} of ${endOf(target.knownHostsFile)}; if not, somebody may be in between`,
      details,
    );
  // A whole line of an RSA key does not fit.
  const add =
    line.length < 130
      ? `add to ${endOf(target.knownHostsFile)}: ${line}`
      : `add its line to ${target.knownHostsFile} (ssh-keyscan -p ${target.port} ${target.address} shows it)`;
  return refused(
    `"${target.name}" is not known yet: its key is ${now}. If the machine itself says so too, ${add}`,
    details,
  );
}

const refused = (message: string, details: Record<string, unknown> = {}): HoldfastError =>
  new HoldfastError('HF_SSH_HOST_KEY', message, details);

/** A message has 300 characters, and two fingerprints take a third of them. */
const endOf = (path: string): string => (path.length > 60 ? `…${path.slice(-59)}` : path);

/** Kinds that the place is known by come first: else a second, unknown key of a known machine would be shown to us. */
export function preferKnown(algorithms: readonly string[], known: readonly KnownKey[]): string[] {
  const types = new Set(known.filter(({ revoked }) => !revoked).map(({ type }) => type));
  const isKnown = (algorithm: string): boolean =>
    types.has(algorithm) || (types.has('ssh-rsa') && algorithm.startsWith('rsa-sha2-'));
  return [...algorithms.filter(isKnown), ...algorithms.filter((algorithm) => !isKnown(algorithm))];
}
