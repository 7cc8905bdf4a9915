import { type Command, requiredText, textOf } from '../command.js';
import { exitCodes } from '../exit-codes.js';

/** Asked by the completion scripts at every Tab: quick, and silent about whatever is wrong. */
export const complete: Command = {
  name: 'complete',
  summary: 'Print names of the configuration, one a line, for the completion of a shell',
  hidden: true,
  arguments: [{ name: 'KIND', key: 'kind', summary: 'jobs, stores, hosts, resources, …' }],
  options: [{ flags: '--config-word <WORD>', summary: 'what follows --config on the line, as it was typed' }],
  examples: [{ line: 'holdfast complete jobs', shows: 'what a script asks' }],
  async run(context, values) {
    try {
      const { isNameKind } = await import('../completion/model.js');
      const { namesInFile } = await import('../../config/names-in-file.js');
      const { findConfigFile } = await import('../../config/find-file.js');
      const { fromHome, unquote } = await import('../completion/unquote.js');
      const kind = requiredText(values, 'kind');
      if (!isNameKind(kind)) return exitCodes.done;
      const typed = unquote(textOf(values, 'configWord') ?? '') || context.givenConfig;
      const file = findConfigFile(context.env, typed && fromHome(typed, context.env.HOME));
      for (const name of namesInFile(file, kind)) context.out(name);
    } catch {
      // No configuration, no rights, no YAML: then there is nothing to offer.
    }
    return exitCodes.done;
  },
};
