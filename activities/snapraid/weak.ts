import type { ArrayStatus } from './parse-status.js';

/** Blocks from which nothing can be computed, or only perhaps. Pure. */

type Weak = Pick<ArrayStatus, 'unsynced' | 'bad'>;

/** Nobody may promise then that all comes back. */
export const isWeak = ({ unsynced, bad }: Weak): boolean => unsynced > 0 || bad > 0;

/** How many they are, for who must decide. */
export const weakLines = ({ unsynced, bad }: Weak): string[] => [
  ...(unsynced > 0
    ? [`${unsynced} blocks have no parity since a sync was interrupted: what lay there can be lost`]
    : []),
  ...(bad > 0 ? [`${bad} blocks are known to be bad: what shares its places with them can be lost`] : []),
];
