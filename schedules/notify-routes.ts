import { senderOf } from '../config/lookup.js';
import type { Config } from '../config/schema.js';
import type { Notifying } from '../contracts/notify.js';

/** Who is told of the runs of a job, for their input; nothing at all where nobody is. */
export function notifyOf(config: Config, job: string): Notifying {
  const notify = Object.entries(config.notifications ?? {}).flatMap(([channel, entry]) => {
    const host = senderOf(config, entry);
    const isMeant = entry.jobs === undefined || entry.jobs.includes(job);
    return isMeant && host !== undefined ? [{ channel, host, on: entry.on }] : [];
  });
  return notify.length > 0 ? { notify } : {};
}
