import { HoldfastError } from '../../contracts/errors.js';

/** What goes wrong past the point from which a run undoes nothing says how it is ended. */
export async function sayingWhatEndsIt<T>(how: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    const words = `${error.message.slice(0, 300)}. ${how.slice(0, 280)}`;
    throw new HoldfastError(error.code, words, error.details, { cause: error });
  }
}
