import type { FolderResource } from '../../config/lookup.js';
import type { SourceFacts } from '../../contracts/doctor.js';
import type { Host } from '../../system/host.js';
import { checkSourceThere } from '../host/guard.js';
import { wordsOf } from './machine.js';

/** Whether the worker finds and may read what it is to copy; nothing is counted, that is what runs do. */

const lookForMs = 5_000;
/** A disk that sleeps answers in less, and doctor looks at many. */
const answerMs = 20_000;

/** Asks the guard itself, so that doctor and run never disagree. */
export async function lookAtSource(
  host: Host,
  resource: string,
  config: FolderResource,
  signal: AbortSignal,
): Promise<SourceFacts> {
  const { directory } = config;
  const facts: SourceFacts = { resource, directory };
  try {
    await checkSourceThere({ host, signal, resource, config, answerMs });
  } catch (error) {
    return { ...facts, error: wordsOf(error) };
  }
  const unreadable = await firstUnreadable(host, directory, signal);
  return unreadable === undefined ? facts : { ...facts, unreadable };
}

/** One entry of the two uppermost levels: the rest is met by the backup itself, which names each. */
async function firstUnreadable(
  host: Host,
  directory: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const question = [directory, '-maxdepth', '2', '!', '-readable', '!', '-type', 'l', '-print', '-quit'];
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(lookForMs)]);
    const { stdout } = await host.run(
      { file: 'find', args: question },
      { signal: limited, maxStdoutBytes: 65_536 },
    );
    return stdout.trim() === '' ? undefined : stdout.replace(/\n$/, '').slice(0, 200);
  } catch {
    // find is missing or the folder is slow: that it is there was seen, and no more is said.
    return undefined;
  }
}
