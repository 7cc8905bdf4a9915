import type { ErrorCode } from '../../contracts/errors.js';
import { diagnose } from './failure.js';
import type { Report } from './report.js';

/** Of the thing and not of the run: what holds until somebody does something about it. */
const lasting: ReadonlySet<ErrorCode> = new Set(['HF_ARRAY_DISK_MISSING', 'HF_ARRAY_DAMAGED']);

/** Does the body; trouble that outlasts the run is what `status` says of the job from then on. */
export async function noteTrouble<R>(report: Report, body: () => Promise<R>): Promise<R> {
  try {
    return await body();
  } catch (error) {
    const { code, message } = diagnose(error);
    if (lasting.has(code)) report.note(message);
    throw error;
  }
}
