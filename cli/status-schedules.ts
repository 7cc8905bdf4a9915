import { operationsOf } from '../config/lookup.js';
import type { Config } from '../config/schema.js';
import { scheduleId, schedulePrefix } from '../contracts/names.js';
import { typeOfOperation } from '../schedules/compile.js';
import type { Temporal } from './context.js';
import { dateOf } from './look.js';
import type { ScheduleFacts, StatusRow } from './status-model.js';

/** What Temporal starts by itself, also what the file does not name any more. */

/** The raw list: the SDK's own decodes every schedule in the namespace, and one foreign payload would stop us. */
export async function readSchedules({ client, namespace }: Temporal): Promise<Map<string, ScheduleFacts>> {
  const found = new Map<string, ScheduleFacts>();
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.listSchedules({
      namespace,
      nextPageToken,
      maximumPageSize: 1000,
    });
    for (const { scheduleId: id, info } of page.schedules ?? []) {
      const next = dateOf(info?.futureActionTimes?.[0]);
      const facts = { paused: info?.paused === true, note: info?.notes ?? '', ...(next && { next }) };
      if (id) found.set(id, { ...facts, workflowType: info?.workflowType?.name ?? '' });
    }
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
  } while (nextPageToken);
  return found;
}

/** A schedule of ours that the file does not name any more: nobody has taken it away, and it goes on starting runs. */
export interface LeftSchedule extends ScheduleFacts {
  id: string;
  name: string;
  operation: string;
}

/** Of one job or of all. A schedule of somebody else that begins with our prefix starts no workflow of ours. */
export function leftIn(
  schedules: ReadonlyMap<string, ScheduleFacts>,
  config: Config,
  job: string | undefined,
): LeftSchedule[] {
  const named = new Set(
    Object.keys(config.jobs)
      .flatMap((each) => operationsOf(config, each))
      .flatMap(({ name, schedule }) => (schedule ? [scheduleId(name)] : [])),
  );
  return [...schedules].flatMap(([id, facts]) => {
    const operation = operationOfType.get(facts.workflowType ?? '');
    if (operation === undefined || !id.startsWith(schedulePrefix) || named.has(id)) return [];
    const name = id.slice(schedulePrefix.length);
    return job === undefined || jobOfName(name) === job ? [{ ...facts, id, name, operation }] : [];
  });
}

const operationOfType = new Map(
  Object.values(typeOfOperation).flatMap((types) =>
    Object.entries(types).map(([operation, type]) => [type, operation] as const),
  ),
);

const jobOfName = (name: string): string => name.split('.', 1)[0] ?? name;

/** For --json, beside the rows of the file: nothing is promised of it, and all is not well. */
export const leftRow = ({ name, operation, note, next, paused }: LeftSchedule): StatusRow => ({
  name,
  job: jobOfName(name),
  operation,
  level: 'yellow',
  overdue: false,
  ...(next && !paused && { next }),
  schedule: 'not in the file',
  note,
});
