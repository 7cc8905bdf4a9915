import { isCancellation, patched } from '@temporalio/workflow';

/**
 * In a scope that was cancelled every question fails at once: that is no answer of whoever was asked, and who takes it for one asks for ever.
 * The histories of runs that did go on as they were.
 */
export function throwIfCancelled(error: unknown): void {
  if (isCancellation(error) && patched('2026-11-cancelled-is-no-answer')) throw error;
}
