import { createHash } from 'node:crypto';

/** Of a text: what an approval is bound to, and short names for long ones. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
