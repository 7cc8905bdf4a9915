import type { Finding } from '../../contracts/doctor.js';
import type { NamespaceState } from '../../schedules/inspect-namespace.js';
import type { ScheduleChange } from '../../schedules/plan.js';
import { durationWords } from '../../schedules/words.js';
import { about, type Teller } from './findings.js';

/** Temporal itself, and whether what is scheduled is what the file says. Pure. */

export interface TemporalFacts {
  address: string;
  namespace: string;
  state: NamespaceState;
  /** Orchestrators that asked for work lately; undefined when the server does not say. */
  orchestrators: number | undefined;
  schedules: ScheduleChange[];
}

/** Without a namespace nothing else can be said. */
export function judgeTemporal(facts: TemporalFacts): Finding[] {
  const tell = about('temporal');
  const { address, namespace, state } = facts;
  const server = tell.ok('server', `${state.serverVersion} answers at ${address}`);
  if (!state.exists)
    return [
      server,
      tell.blocking('namespace', `${namespace} does not exist`, 'Run "holdfast apply", which makes it'),
    ];
  return [
    server,
    judgeRetention(tell, namespace, state),
    judgeAttributes(tell, state),
    judgeOrchestrators(tell, facts.orchestrators),
    ...judgeSchedules(tell, facts.schedules),
  ];
}

function judgeRetention(tell: Teller, namespace: string, { retention }: NamespaceState): Finding {
  const { presentMs, wantedMs } = retention;
  const found = `${namespace} keeps ended runs for ${durationWords(presentMs)}`;
  if (presentMs >= wantedMs) return tell.ok('namespace', found);
  const next = `Run "holdfast apply", which raises it to ${durationWords(wantedMs)}`;
  return tell.warning('namespace', found, next);
}

function judgeAttributes(tell: Teller, { attributes }: NamespaceState): Finding {
  const { missing, wrong, refused } = attributes;
  const subject = 'search attributes';
  if (refused !== undefined)
    return tell.note(subject, refused, 'Ask those who run the cluster whether all Hf attributes are there');
  if (wrong.length > 0)
    return tell.blocking(
      subject,
      `of another type than ours: ${wrong.join(', ')}`,
      'Remove them there, or use another namespace',
    );
  if (missing.length > 0)
    return tell.blocking(subject, `missing: ${missing.join(', ')}`, 'Run "holdfast apply", which adds them');
  return tell.ok(subject, 'all there');
}

function judgeOrchestrators(tell: Teller, count: number | undefined): Finding {
  const subject = 'orchestrator';
  if (count === undefined) return tell.note(subject, 'the server does not say whether one is there');
  if (count > 0) return tell.ok(subject, 'asks for work');
  return tell.blocking(
    subject,
    'none asks for work: no run goes on, and no host can be asked',
    'Start "holdfast orchestrator", or "holdfast up" on the machine of the embedded server',
  );
}

const apply = 'Run "holdfast plan" to see it, then "holdfast apply"';

function judgeSchedules(tell: Teller, changes: readonly ScheduleChange[]): Finding[] {
  const same = changes.filter((change) => change.kind === 'same' && !isLimited(change));
  const others = changes.filter(({ kind }) => kind !== 'same');
  return [
    ...(same.length > 0 ? [tell.ok('schedules', `${same.length} as the configuration says`)] : []),
    ...others.map((change) => judgeSchedule(tell, change)),
    ...changes.flatMap((change) => [...judgeLimit(tell, change), ...judgePause(tell, change)]),
  ];
}

/** "apply" leaves the state of a schedule to people, and with it a limit that somebody has set. */
const isLimited = (change: ScheduleChange): boolean => remainingOf(change) !== undefined;

const remainingOf = (change: ScheduleChange): number | undefined =>
  change.kind === 'add' || change.kind === 'orphan' ? undefined : change.observed.remainingActions;

function judgeLimit(tell: Teller, change: ScheduleChange): Finding[] {
  const left = remainingOf(change);
  if (left === undefined) return [];
  const words = left > 0 ? `starts ${left} more times, then never again` : 'never starts again';
  return [
    tell.warning(
      `schedule ${change.id}`,
      `was limited by hand: it ${words}`,
      `Delete it ("temporal schedule delete --schedule-id ${change.id}"), and "holdfast apply" makes it anew without a limit`,
    ),
  ];
}

function judgeSchedule(tell: Teller, { kind, id }: ScheduleChange): Finding {
  const subject = `schedule ${id}`;
  switch (kind) {
    case 'add':
      return tell.warning(subject, 'is not there: it never starts', apply);
    case 'edited':
      return tell.warning(subject, 'was edited by hand since it was applied', apply);
    case 'orphan':
      return tell.warning(
        subject,
        'is not in the configuration any more, and still starts runs unless it is paused',
        'Run "holdfast apply --prune" to delete it',
      );
    default:
      return tell.warning(subject, 'is not as the configuration says', apply);
  }
}

/** A pause is somebody's decision: told, not judged. */
function judgePause(tell: Teller, change: ScheduleChange): Finding[] {
  if (change.kind === 'add' || !change.observed.paused) return [];
  const { note } = change.observed;
  return [
    tell.note(
      `schedule ${change.id}`,
      `is paused${note ? `: ${note}` : ''}`,
      '"holdfast resume JOB" ends it',
    ),
  ];
}
