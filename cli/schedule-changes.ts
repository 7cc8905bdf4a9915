import { applySchedules } from '../schedules/apply.js';
import { compileSchedules } from '../schedules/compile.js';
import { ensureNamespaceReady } from '../schedules/namespace.js';
import { observeSchedules } from '../schedules/observe.js';
import { planSchedules, type ScheduleChange } from '../schedules/plan.js';
import { renderPlan } from '../schedules/render.js';
import type { Context } from './context.js';
import { exitCodes } from './exit-codes.js';

/** What `plan` shows and `apply` does. */
export async function plannedChanges(context: Context): Promise<ScheduleChange[]> {
  const desired = compileSchedules(await context.config());
  const { client } = await context.temporal();
  const observed = await observeSchedules(
    client,
    desired.map(({ id }) => id),
  );
  return planSchedules(desired, observed);
}

/** Prepares the namespace, shows the differences and makes them so. */
export async function applyChanges(context: Context, prune: boolean): Promise<number> {
  const { client, connection, namespace } = await context.temporal();
  const prepared = await ensureNamespaceReady(connection, namespace);
  const changes = await plannedChanges(context);
  if (!context.json) {
    for (const line of prepared.done) context.out(line);
    for (const line of prepared.warnings) context.note(`warning: ${line}`);
    context.out(renderPlan(changes).join('\n'));
  }
  const applied = await applySchedules(client, changes, { prune });
  if (context.json) context.out(JSON.stringify({ prepared, schedules: applied }, null, 2));
  else for (const { id, done } of applied) if (done !== 'unchanged') context.out(`${id}: ${done}`);
  return exitCodes.done;
}
