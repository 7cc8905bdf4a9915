import { complains } from './classify.js';
import type { TokenAnswer } from './replicate-ends.js';
import type { TokenFacts, TokenReading } from './replicate-types.js';

/** Reads what `zfs send -nvt TOKEN` says. The token itself is opaque: only ZFS decodes it. */

const field = (text: string, name: string): string | undefined =>
  new RegExp(`^\\s*${name} = (.+)$`, 'm').exec(text)?.[1];

/** Hexadecimal there, decimal in listings. */
const guidIn = (text: string, name: string): string | undefined => {
  const value = field(text, name);
  return value && /^0x[0-9a-f]+$/i.test(value) ? BigInt(value).toString() : undefined;
};

/** All that means that no try will ever go on with it; the same words in every version from 0.8 to 2.4 (libzfs_sendrecv.c). */
const hopelessForm =
  /^cannot resume send: (?:resume token is corrupt|'' used in the initial send no longer exists|'' is no longer the same snapshot used in the initial send|incremental source 0x[0-9a-f]+ no longer exists)/i;

/** What it prints besides of any token. */
const contents =
  /^(?:\s|resume token contents:|nvlist version:|full send of |incremental\b|send from |total estimated )/;

/** Where zfs was killed, denied or is not there, nothing is known: what has arrived is given up only for words that mean it. */
export function readToken(answer: TokenAnswer | undefined): TokenReading {
  if (answer === undefined) return { unread: 'zfs was not asked' };
  const { exitCode, text } = answer;
  const facts = factsIn(text);
  const said = text.split('\n').filter((line) => line.trim() !== '' && !contents.test(line));
  const hopeless = said.find((line) => complains(hopelessForm, line));
  const known = facts ? { facts } : {};
  if (exitCode !== 0 && hopeless !== undefined) return { ...known, hopeless: hopeless.trim().slice(0, 200) };
  if (exitCode === 0 && facts) return { facts };
  const words = said.join(' ').trim().slice(0, 160) || 'nothing was said of it';
  return { ...known, unread: `"zfs send -nvt" ended with ${exitCode}: ${words}` };
}

function factsIn(text: string): TokenFacts | undefined {
  const toGuid = guidIn(text, 'toguid');
  const toName = field(text, 'toname');
  if (toGuid === undefined || toName === undefined) return undefined;
  const fromGuid = guidIn(text, 'fromguid');
  return {
    toGuid,
    toName,
    ...(fromGuid !== undefined && fromGuid !== '0' && { fromGuid }),
    raw: field(text, 'rawok') === '1',
    bytesDone: Number(guidIn(text, 'bytes') ?? 0),
  };
}
