import type { TokenFacts } from './replicate-types.js';

/** Reads what `zfs send -nvt TOKEN` says. The token itself is opaque: only ZFS decodes it. */

const field = (text: string, name: string): string | undefined =>
  new RegExp(`^\\s*${name} = (.+)$`, 'm').exec(text)?.[1];

/** Hexadecimal there, decimal in listings. */
const guidIn = (text: string, name: string): string | undefined => {
  const value = field(text, name);
  return value && /^0x[0-9a-f]+$/i.test(value) ? BigInt(value).toString() : undefined;
};

const problemForm = /^(?:cannot resume send|warning|error|internal error|cannot)\b.*$/im;

/** undefined when there is nothing to be read: a corrupt token, or one of another format. */
export function parseToken(text: string): TokenFacts | undefined {
  const toGuid = guidIn(text, 'toguid');
  const toName = field(text, 'toname');
  if (toGuid === undefined || toName === undefined) return undefined;
  const fromGuid = guidIn(text, 'fromguid');
  const problem = problemForm.exec(text)?.[0];
  return {
    toGuid,
    toName,
    ...(fromGuid !== undefined && fromGuid !== '0' && { fromGuid }),
    raw: field(text, 'rawok') === '1',
    bytesDone: Number(guidIn(text, 'bytes') ?? 0),
    ...(problem !== undefined && { problem: problem.trim().slice(0, 200) }),
  };
}
