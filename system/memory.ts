import { freemem } from 'node:os';

/** What a new process may take, in bytes: what the machine can give, and never more than our control group may have in all. */
export function freeMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(freemem(), limit) : freemem();
}
