import type { Config } from '../../config/schema.js';
import type { ErrorCode } from '../../contracts/errors.js';
import type { NotifyStepInput } from '../../contracts/notify.js';
import type { Host } from '../../system/host.js';
import { notify } from './driver.js';

export interface NotifyOptions {
  host: Host;
  config: () => Config;
  /** The door for what belongs to no run, and is tried again until it is done or ends with `final`: see run.ts. */
  attempt: <O>(body: (signal: AbortSignal) => Promise<O>, final: ErrorCode) => Promise<O>;
}

export function createNotifyActivities({ host, config, attempt }: NotifyOptions) {
  return {
    /** Asks for a channel by its name; what it is, this host's own file says. Whatever is wrong on this host may be mended within the day. */
    notifySend: (input: NotifyStepInput): Promise<{ sent: boolean }> =>
      attempt((signal) => notify({ host, config: config(), signal }, input), 'HF_NOTIFICATION_REFUSED'),
  };
}

export type NotifyActivities = ReturnType<typeof createNotifyActivities>;
