import { type Command, numberOf, textOf } from '../command.js';
import { wholeNumber } from '../parse-options.js';

export const copies: Command = {
  name: 'copies',
  summary: 'List what can be restored: every copy in every store, and what was proved of it',
  details:
    'Asks the worker of the host that holds the resource, newest copy first. "refused" copies hold far too little, "not proved" ones were ' +
    'never looked at by a run of ours; "held" is the newest good one, which retention never removes. A store that does not answer ' +
    'is named, and the others are listed (exit code 6).',
  arguments: [
    {
      name: 'RESOURCE',
      key: 'resource',
      summary: 'only of this resource; without it, of all',
      optional: true,
    },
  ],
  options: [
    { flags: '--store <STORE>', summary: 'only in this store' },
    {
      flags: '--limit <N>',
      summary: 'so many of the newest of each resource in each store',
      parse: wholeNumber('--limit', 1, 100),
      default: 20,
    },
    {
      flags: '--host <NAME>',
      summary:
        "ask this host's worker, when the resource's own is gone; what was proved is known to the own one alone",
    },
  ],
  examples: [{ line: 'holdfast copies photos --limit 5', shows: 'the newest five copies of a resource' }],
  json: true,
  async run(context, values) {
    const { printCopies } = await import('../copies.js');
    return printCopies(context, {
      resource: textOf(values, 'resource'),
      store: textOf(values, 'store'),
      host: textOf(values, 'host'),
      limit: numberOf(values, 'limit') ?? 20,
    });
  },
};
