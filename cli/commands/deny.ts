import { type Command, requiredText, textOf } from '../command.js';

export const deny: Command = {
  name: 'deny',
  summary: 'Say no to what a run waits with: it ends, and nothing has been changed',
  arguments: [{ name: 'RUN', key: 'run', summary: 'the run that waits' }],
  options: [
    { flags: '--digest <DIGEST>', summary: 'refuse unless the plan still has this digest' },
    { flags: '--note <TEXT>', summary: 'why, for the history' },
  ],
  examples: [
    {
      line: 'holdfast deny photos-offsite.restore-2026-11-20T12:00:00Z',
      shows: 'the wrong snapshot was chosen',
    },
  ],
  json: true,
  async run(context, values) {
    const { answerApproval } = await import('../approval.js');
    const { digest, note } = { digest: textOf(values, 'digest'), note: textOf(values, 'note') };
    return answerApproval(context, requiredText(values, 'run'), 'deny', { digest, note });
  },
};
