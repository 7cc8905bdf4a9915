import { type Command, textOf } from '../command.js';

export const explain: Command = {
  name: 'explain',
  summary: 'Tell what a key of holdfast.yaml means, or what an error code wants from you',
  details:
    'KEY is a whole key (jobs.photos.check.parts; any name stands for all) or its last words where they fit one key only ' +
    '(keep). Without KEY the sections are listed. An error code begins with HF_. Reads no file and asks nobody.',
  arguments: [{ name: 'KEY', key: 'key', summary: 'a key or an error code', optional: true }],
  examples: [
    { line: 'holdfast explain jobs.NAME.check.parts', shows: 'type, default and example of one key' },
    {
      line: 'holdfast explain HF_STORE_LOCKED',
      shows: 'an error: is it tried again, and what is to be done',
    },
  ],
  json: true,
  async run(context, values) {
    const { explainSections, explainWord } = await import('../explain-view.js');
    const key = textOf(values, 'key');
    return key === undefined ? explainSections(context) : explainWord(context, key);
  },
};
