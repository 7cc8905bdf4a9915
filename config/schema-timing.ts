import ms from 'ms';
import { z } from 'zod';
import { cronMistake } from './cron.js';
import { atLeast, count, Duration } from './values.js';
import { zoneMistake } from './zone.js';

/** What all kinds of jobs share: when they run, what they keep and how long they are patient. */

/** The message of a check that has its own words for each mistake. */
const judged = (mistakeOf: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = mistakeOf(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

const timing = {
  timezone: judged(zoneMistake)
    .meta({ title: 'time zone' })
    .describe('Time zone of the schedule')
    .meta({ examples: ['Europe/Berlin'] }),
  jitter: Duration.describe('Starts are spread over so long').meta({ examples: ['5m'] }),
  catchup: atLeast('10s', 'the server knows nothing shorter')
    .describe('A start that was missed is made up for within so long')
    .meta({
      examples: ['12h'],
    }),
  overlap: z
    .enum(['skip', 'buffer-one'])
    .describe('A start that falls due while the last run still goes on: left out, or one kept for afterwards')
    .meta({ examples: ['skip'] }),
};
const Cron = judged(cronMistake)
  .meta({ title: 'cron line' })
  .describe('Minute, hour, day of month, month, day of week')
  .meta({ examples: ['30 3 * * *'] });

/** Of the main operation of a job. */
export const Schedule = z.strictObject({
  cron: Cron,
  timezone: timing.timezone.default('UTC'),
  jitter: timing.jitter.prefault('1m'),
  catchup: timing.catchup.prefault('12h'),
  overlap: timing.overlap.default('skip'),
});

/** For an operation of a job that has no schedule to take them from. */
export const timingDefaults = {
  timezone: 'UTC',
  jitter: ms('1m'),
  catchup: ms('12h'),
  overlap: 'skip',
} as const;

/** An operation's own schedule: what it does not say is taken from the job's. */
const asInJob = "; without it as in the job's schedule";
export const operationTiming = {
  cron: Cron,
  timezone: timing.timezone.describe(`Time zone of the schedule${asInJob}`).optional(),
  jitter: timing.jitter.describe(`Starts are spread over so long${asInJob}`).optional(),
  catchup: timing.catchup
    .describe(`A start that was missed is made up for within so long${asInJob}`)
    .optional(),
  overlap: timing.overlap
    .describe(`A start that falls due while the last run still goes on${asInJob}`)
    .optional(),
};

/** How many of the newest things of each period stay. */
export const periods = {
  last: count('So many newest copies', 3),
  hourly: count('The last copy of so many hours', 24),
  daily: count('The last copy of so many days', 7),
  weekly: count('The last copy of so many weeks', 5),
  monthly: count('The last copy of so many months', 12),
  yearly: count('The last copy of so many years', 3),
};

/** Nothing is promised about what is younger than no time at all. */
export const Promised = atLeast('1s', 'nothing can be younger');

/** How long outages are waited for, and how long a step may take. */
export const patience = (retryFor: ms.StringValue) => ({
  retryFor: Duration.prefault(retryFor)
    .describe('An outage is waited for so long, counted from the last progress')
    .meta({ examples: ['6h'] }),
  giveUpAfter: atLeast('1s', 'a step needs time')
    .prefault('30d')
    .describe('The longest that one step may take')
    .meta({ examples: ['30d'] }),
});
