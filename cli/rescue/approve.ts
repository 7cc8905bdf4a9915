import { HoldfastError } from '../../contracts/errors.js';
import type { RestorePlan, RestoreReport } from '../../contracts/jobs.js';
import type { Context } from '../context.js';
import { endLines } from '../end.js';
import { exitCodes } from '../exit-codes.js';
import { planLines } from '../plan-view.js';
import { askText } from './prompt.js';

/** What every rescue asks before it writes anything, and says when it is done. */

const digestCharacters = 8;

/** Shows the plan and waits for a yes to this very one: its digest is what is typed. */
export async function approve(context: Context, plan: RestorePlan, yes: string | undefined): Promise<void> {
  if (!context.json) for (const line of planLines(plan)) context.out(line);
  const canAsk = context.interactive && !context.json;
  const beginning = plan.digest.slice(0, digestCharacters);
  if (yes === undefined && !canAsk)
    throw new HoldfastError(
      'HF_NOT_APPROVED',
      'Nothing was restored: this is not a terminal, and no plan was approved',
      {
        next: `Look at the plan, then give --yes ${beginning}`,
      },
    );
  const typed =
    yes ?? (await askText(`Type the first ${digestCharacters} characters of the digest to restore: `));
  const given = typed.trim().toLowerCase();
  if (given.length >= digestCharacters && plan.digest.startsWith(given)) return;
  throw new HoldfastError('HF_NOT_APPROVED', 'Nothing was restored: that is not the digest of this plan', {
    next: `Look at the plan; the digest of this one begins with ${beginning}`,
  });
}

/** The end of a rescue, and its exit code. */
export function tell(context: Context, run: string, report: RestoreReport, summary: string): number {
  const { warnings } = report;
  const outcome = warnings.length > 0 ? 'warnings' : 'ok';
  const result = { outcome, report, summary, warnings } as const;
  if (context.json) context.out(JSON.stringify({ run, ...result }, null, 2));
  else for (const line of endLines(run, result)) context.out(line);
  return warnings.length > 0 ? exitCodes.warnings : exitCodes.done;
}
