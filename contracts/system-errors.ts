import { HoldfastError } from './errors.js';

/** As Node gives what the operating system said. */
interface SystemError extends Error {
  code?: unknown;
}

/** What the operating system refused, with the path that its words name; undefined for anything else. */
export function systemRefusal(error: unknown): HoldfastError | undefined {
  if (!(error instanceof Error)) return undefined;
  switch ((error as SystemError).code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new HoldfastError('HF_NO_SPACE', `No space left: ${error.message}`);
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new HoldfastError('HF_FILE_REFUSED', `The system refuses: ${error.message}`);
    default:
      return undefined;
  }
}
