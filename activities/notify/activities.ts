import type { Config } from '../../config/schema.js';
import type { NotifyStepInput } from '../../contracts/notify.js';
import type { Host } from '../../system/host.js';
import { notify } from './driver.js';

export interface NotifyOptions {
  host: Host;
  config: () => Config;
  /** The door for what belongs to no run, and is tried again: see run.ts. */
  attempt: <O>(body: (signal: AbortSignal) => Promise<O>) => Promise<O>;
}

export function createNotifyActivities({ host, config, attempt }: NotifyOptions) {
  return {
    /** Asks for a channel by its name; what it is, this host's own file says. */
    notifySend: (input: NotifyStepInput): Promise<{ sent: boolean }> =>
      attempt((signal) => notify({ host, config: config(), signal }, input)),
  };
}

export type NotifyActivities = ReturnType<typeof createNotifyActivities>;
