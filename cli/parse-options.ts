import { HoldfastError } from '../contracts/errors.js';

/** A number within bounds, or a usage error that names the option. */
export const wholeNumber =
  (option: string, least: number, most: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new HoldfastError('HF_USAGE', `${option} takes a whole number from ${least} to ${most}`);
  };
