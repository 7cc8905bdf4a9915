import type { ErrorEntry } from './error-entry.js';

/** Of messages to people. No run ever ends with one of these: a message has a workflow of its own. */
export const notifyErrors = {
  HF_NOTIFICATION_REFUSED: {
    meaning:
      'What a message should go through refuses it: the token, the password, the address or a recipient',
    retry: 'never',
    exit: 1,
    next: 'Correct the channel under "notifications" in holdfast.yaml, then try it: "holdfast notify CHANNEL"',
  },
  HF_NOTIFICATION_FAILED: {
    meaning: 'What a message should go through is away, or cannot take it now',
    retry: 'outage',
    exit: 1,
    next: 'Nothing, it is tried again for a day; "holdfast notify CHANNEL" tries it now',
  },
} as const satisfies Record<string, ErrorEntry>;
