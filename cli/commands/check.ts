import type { Command } from '../command.js';
import { exitCodes } from '../exit-codes.js';

export const check: Command = {
  name: 'check',
  summary: 'Find the mistakes in holdfast.yaml, each with file, line and key',
  details: 'Reads the file only: no host, no store and no Temporal is asked.',
  examples: [
    { line: 'holdfast check --config ./holdfast.yaml', shows: 'before a changed file is given to the hosts' },
  ],
  json: true,
  async run(context) {
    const { readConfig } = await import('../../config/load.js');
    const { renderMistake } = await import('../../config/mistakes.js');
    const file = await context.configFile();
    const { config, mistakes, warnings } = readConfig(file);
    const exit = mistakes.length > 0 ? exitCodes.usage : exitCodes.done;
    if (context.json) {
      context.out(JSON.stringify({ file, mistakes, warnings }, null, 2));
      return exit;
    }
    for (const mistake of mistakes) context.out(renderMistake(mistake));
    for (const warning of warnings) context.out(`${renderMistake(warning)} (warning)`);
    if (config) {
      const counts = [
        plural(config.jobs, 'job'),
        plural(config.resources, 'resource'),
        plural(config.stores, 'store'),
        plural(config.hosts, 'host'),
      ];
      context.out(`${counts.join(', ')}; no mistakes`);
    } else
      context.note(
        `holdfast: ${mistakes.length} ${mistakes.length === 1 ? 'mistake' : 'mistakes'} in ${file}`,
      );
    return exit;
  },
};

function plural(entries: object, word: string): string {
  const count = Object.keys(entries).length;
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
