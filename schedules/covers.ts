import { createHash } from 'node:crypto';

/** What a run covers, so that status never takes the copy in one store for a copy in another that was added since. */

/** SQL visibility keeps 255 characters of a keyword. */
const longest = 250;

/** `photos>b2 photos>usb` for a backup, `b2 usb` for what works on stores alone; a digest when that is too long. */
export function coversOf(operation: string, resources: readonly string[], stores: readonly string[]): string {
  const parts =
    operation === 'backup'
      ? resources.flatMap((resource) => stores.map((store) => `${resource}>${store}`))
      : [...stores];
  const text = parts.sort().join(' ');
  return text.length <= longest ? text : `#${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

/** Whether a run that covered one thing covers all that is wanted now; digests can only be the same or not. */
export function isCovered(wanted: string, had: string): boolean {
  if (wanted.startsWith('#') || had.startsWith('#')) return wanted === had;
  const parts = new Set(had.split(' '));
  return wanted.split(' ').every((part) => parts.has(part));
}
