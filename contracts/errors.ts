import { dataErrors } from './errors-data.js';
import { engineErrors } from './errors-engine.js';
import { notifyErrors } from './errors-notify.js';
import { snapraidErrors } from './errors-snapraid.js';
import { zfsErrors } from './errors-zfs.js';

/** Every error that an operator can meet: its code, what it means, whether waiting helps, and how the command ends. */
export const errors = { ...zfsErrors, ...snapraidErrors, ...engineErrors, ...dataErrors, ...notifyErrors };

export type ErrorCode = keyof typeof errors;

export const isErrorCode = (text: unknown): text is ErrorCode =>
  typeof text === 'string' && Object.hasOwn(errors, text);

/**
 * What went wrong, with which thing, in words for the operator: at most 300 characters, no stack, no secret.
 * `details` are small facts for machines (names, counts, paths of logs).
 */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
