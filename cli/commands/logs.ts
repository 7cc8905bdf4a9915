import { type Command, numberOf, requiredText } from '../command.js';
import { wholeNumber } from '../parse-options.js';

export const logs: Command = {
  name: 'logs',
  summary: 'Print what the tools of a run said, from this host or the one that ran it',
  arguments: [{ name: 'RUN', key: 'run', summary: 'as "holdfast runs" lists it' }],
  options: [
    {
      flags: '--lines <N>',
      summary: 'so many of the newest lines',
      parse: wholeNumber('--lines', 1, 2000),
      default: 200,
    },
  ],
  examples: [
    { line: 'holdfast logs photos-offsite-2026-11-20T03:30:00Z --lines 50', shows: 'how a failed run ended' },
  ],
  json: true,
  async run(context, values) {
    const { printLog } = await import('../run-log.js');
    return printLog(context, requiredText(values, 'run'), numberOf(values, 'lines') ?? 200);
  },
};
