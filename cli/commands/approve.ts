import { type Command, requiredText, textOf } from '../command.js';

export const approve: Command = {
  name: 'approve',
  summary: 'Say yes to what a run waits with, bound to exactly what is shown',
  arguments: [{ name: 'RUN', key: 'run', summary: 'the run that waits' }],
  options: [
    { flags: '--digest <DIGEST>', summary: 'refuse unless the plan still has this digest' },
    { flags: '--note <TEXT>', summary: 'why, for the history' },
  ],
  examples: [
    { line: 'holdfast approve photos-offsite.restore-2026-11-20T12:00:00Z', shows: 'let the restore begin' },
  ],
  json: true,
  async run(context, values) {
    const { answerApproval } = await import('../approval.js');
    const { digest, note } = { digest: textOf(values, 'digest'), note: textOf(values, 'note') };
    return answerApproval(context, requiredText(values, 'run'), 'approve', { digest, note });
  },
};
