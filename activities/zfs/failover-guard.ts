import { replicaStoreOf, resourceOf } from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { ReplicationStepInput } from '../../contracts/replication.js';
import type { Tools } from '../door.js';
import { addEvidence } from '../host/evidence.js';
import { complains } from './classify.js';
import { volumeWords } from './failover-words.js';
import { newestCommon } from './replicate-base.js';
import { changeOn } from './replicate-hosts.js';
import type { Replication } from './replicate-job.js';
import type { Sent } from './replicate-known-holds.js';
import { targetNameOf } from './replicate-moves.js';
import { fenceTag } from './replicate-names.js';
import { type Survey, type SurveyRequest, survey } from './replicate-survey.js';
import { isReceivedFrom, roleOf, type Sides, whyNotBack, whyNotForward } from './role.js';
import { roleToStandBy, standBy, standsBy } from './stand-by.js';

/** The look at both ends that every replication begins with, refused where the other side is the one in use. */

type Asks = Pick<ReplicationStepInput, 'job' | 'run' | 'resource' | 'store' | 'back' | 'sendBack'>;

const sidesOf = ({ config }: Tools, { job, resource, store }: Asks): Sides => ({
  job,
  sourceHost: resourceOf(config, resource).host,
  targetHost: replicaStoreOf(config, store).host,
});

/** Two commands as ever: the roles stand in the listing. */
export async function surveyInOrder(
  tools: Tools,
  replication: Replication,
  input: Asks,
  request: SurveyRequest = replication.request,
  sentBefore?: Sent,
): Promise<Survey> {
  // A restore from a replica asks nobody which side is in use.
  if (input.sendBack) return survey(replication.ends, request, sentBefore);
  const now = await survey(replication.ends, request, sentBefore).catch(async (error: unknown) => {
    throw (await promotedMeanwhile(tools, replication, input, error)) ?? error;
  });
  const sent = now.input.source.get(request.sourceRoot);
  const received = now.input.target.get(request.targetRoot);
  const sides = sidesOf(tools, input);
  const why = input.back
    ? whyNotBack({ source: received, target: sent }, input.run, sides)
    : whyNotForward({ source: sent, target: received }, input.run, sides);
  if (why === undefined) return now;
  const fenced = input.back ? '' : await fenceReturned(tools, replication, input, now);
  // What was just done is never cut off by long names.
  const done = fenced.slice(0, 350);
  throw new HoldfastError('HF_FAILED_OVER', `${why.slice(0, 600 - done.length)}${done}`);
}

/** With the source gone an outage would be waited for, again and again: the replica itself says that nothing is to come. */
async function promotedMeanwhile(
  tools: Tools,
  { ends, request }: Replication,
  input: Asks,
  error: unknown,
): Promise<HoldfastError | undefined> {
  const isAway =
    error instanceof HoldfastError && ['HF_SSH_UNREACHABLE', 'HF_DATASET_MISSING'].includes(error.code);
  if (!isAway || input.back) return undefined;
  const target = (await ends.list('target').catch(() => undefined))?.get(request.targetRoot);
  const role = roleOf(target);
  if (role?.kind !== 'promoted') return undefined;
  const sides = sidesOf(tools, input);
  const words = `${request.targetRoot} on ${sides.targetHost} is the one in use since ${role.run}, and ${sides.sourceHost} does not answer. Nothing was sent`;
  return new HoldfastError('HF_FAILED_OVER', words.slice(0, 600));
}

/**
 * A source that came back while its replica is in use is made to stand by as soon as it is seen: each further byte that somebody writes
 * there would be lost work. Nothing is destroyed by it, and the failover's approval has said so. What was cut half way is done again.
 */
export async function fenceReturned(
  tools: Tools,
  { source, request }: Pick<Replication, 'source' | 'request'>,
  { job, run, resource, store }: Asks,
  { input }: Pick<Survey, 'input'>,
): Promise<string> {
  const root = input.source.get(request.sourceRoot);
  const replica = input.target.get(request.targetRoot);
  const promoted = roleOf(replica);
  if (promoted?.kind !== 'promoted' || !root || standsBy(root.name, input.source)) return '';
  // A machine that was built anew, on the way back: a failback goes on with it.
  if (isReceivedFrom({ source: root, target: replica })) return '';
  tools.log(`${root.name} is made to stand by: its replica is in use since ${promoted.run}`);
  await holdCommon(tools, source, { input, request });
  const role = roleToStandBy(roleOf(root), promoted.run, store);
  await standBy(source, request.sourceRoot, role, tools.log);
  await addEvidence(tools.host, { kind: 'failover', run, job, resource, store, what: 'source-stood-by' });
  // Initiators log in again by themselves as soon as it boots.
  const open = volumeWords(input.source.values(), source.host.name, 'now');
  for (const words of open) tools.log(words);
  const done = `${root.name} was made readonly just now: look at who wrote to it since it came back`;
  return ` ${[done, ...open].join('. ')}`;
}

/** The base of the way back: nobody may remove it while the other side is in use. */
export async function holdCommon(
  { log }: Pick<Tools, 'log'>,
  zfs: Replication['source'],
  { input, request }: { input: Survey['input']; request: Pick<SurveyRequest, 'sourceRoot' | 'targetRoot'> },
): Promise<void> {
  const words = [...input.source.values()].flatMap((dataset) => {
    const replica = input.target.get(targetNameOf(dataset.name, request));
    const base = replica && newestCommon(dataset, replica)?.base;
    return base?.kind === 'snapshot' ? [['hold', fenceTag, `${dataset.name}@${base.name}`]] : [];
  });
  if (words.length === 0) return;
  const done = await changeOn(zfs, zfs.host.name, words, [], log);
  const failed = done.findIndex((end) => !end?.ok && !complains(/already exists/, end?.words ?? ''));
  if (failed === -1) return;
  const what = `${words[failed]?.at(-1)} on "${zfs.host.name}" cannot be held: ${done[failed]?.words ?? 'not begun'}`;
  throw new HoldfastError('HF_TOOL_FAILED', what.slice(0, 300));
}
