import { HoldfastError } from '../../contracts/errors.js';
import type { DatasetRestoreEnd, DatasetRestoreStepInput } from '../../contracts/zfs-restore.js';
import type { Tools } from '../door.js';
import { refuseBesideOthers, seeOthers } from './failover-others.js';
import { ownProperties } from './list-command.js';
import type { Done, Ends } from './replicate-ends.js';
import { openReplication } from './replicate-job.js';
import { targetNameOf } from './replicate-moves.js';
import { stopping } from './replicate-proof.js';
import { type Survey, settle, survey } from './replicate-survey.js';
import { refuseSecondSide } from './role.js';
import { backInput, isOwnDataset } from './send-back.js';
import { occupiedPlaces, setProperties } from './send-back-give.js';
import { type Gift, giftsFor, isMadeFrom } from './send-back-properties.js';
import type { Dataset } from './types.js';

/** What follows when everything is back: the datasets become ordinary ones, and forward replication gets its base. */

/** Until here every new dataset is read-only and does not mount: a half restored one must not be taken for the whole. */
export async function finishSendBack(
  tools: Tools,
  input: DatasetRestoreStepInput,
): Promise<DatasetRestoreEnd> {
  const { ends, request, target: at } = await openReplication(tools, backInput(input, 0));
  const [source, target] = await Promise.all([ends.list('source'), ends.list('target')]);
  // Somebody may have failed over while it was sent: then what came back stays readonly.
  const isOwn = isOwnDataset(tools, input.resource, input.target);
  if (isOwn) {
    refuseSecondSide(source.get(request.sourceRoot), input.job);
    refuseBesideOthers(await seeOthers(tools, { resource: input.resource, store: input.store ?? '' }));
  }
  const made = [...source.values()].flatMap((replica) => {
    const found = target.get(targetNameOf(replica.name, request));
    return found && isMadeFrom(found, replica, target) ? [{ replica: replica.name, dataset: found }] : [];
  });
  tools.progress({ phase: 'giving back properties' });
  const { gifts } = await giftsFor(tools, input, { sourceRoot: request.sourceRoot, isOwn }, made);
  const warnings = await setProperties(ends, gifts, target);
  const occupied = await occupiedPlaces(at, gifts, await ends.list('target'));
  const first = gifts.flatMap(({ dataset, canmount }) => [
    ['inherit', 'readonly', dataset],
    ...(canmount === undefined || occupied.has(dataset) ? [] : [['set', `canmount=${canmount}`, dataset]]),
  ]);
  // The mark goes last: an attempt that died finds by it what is still to be done.
  const then = gifts.map(({ dataset }) => ['inherit', ownProperties.replicaOf, dataset]);
  if (made.length > 0) mustAll(await ends.change('target', first, then), 'give back properties');
  const locked = made.flatMap(({ dataset }) => (dataset.keyStatus === 'unavailable' ? [dataset] : []));
  return {
    notes: [...setWords(gifts), ...mountWords(input.target), ...keyWords(locked)],
    warnings: [...warnings, ...occupiedWords(occupied)].slice(0, 10),
  };
}

const setWords = (gifts: readonly Gift[]): string[] => {
  const some = gifts.filter(({ set }) => Object.keys(set).length > 0).length;
  const byHand = gifts.filter((gift) => gift.byHand.length > 0);
  return [
    ...(some > 0 ? [`${some} datasets have the properties again that were set on their source`] : []),
    ...byHand
      .slice(0, 5)
      .map((gift) => `set by hand on ${gift.dataset}: ${gift.byHand.join(' ')}`.slice(0, 250)),
    ...(byHand.length > 5 ? [`and on ${byHand.length - 5} more datasets: the plan names them`] : []),
  ];
};

const occupiedWords = (occupied: ReadonlyMap<string, string>): string[] =>
  [...occupied].map(([dataset, place]) =>
    `${dataset} stays canmount=noauto: ${place} holds files, which it would hide. Move them away, then "zfs set canmount=on '${dataset}'"`.slice(
      0,
      300,
    ),
  );

function mustAll(done: readonly (Done | undefined)[], what: string): void {
  const failed = done.find((end) => !end?.ok);
  if (done.every((end) => end?.ok)) return;
  throw new HoldfastError('HF_TOOL_FAILED', `Cannot ${what}: ${failed?.words ?? 'not begun'}`.slice(0, 300));
}

const mountWords = (target: string): string[] => [
  `nothing was mounted: look at "zfs get -r mountpoint ${target}", then "zfs mount -a"`,
];

const keyWords = (locked: readonly Dataset[]): string[] => {
  const [first] = locked;
  if (!first) return [];
  const more = locked.length > 1 ? ` and ${locked.length - 1} more` : '';
  return [
    `${first.name}${more} came back encrypted, each as an encryption root of its own (keylocation ${first.keyLocation ?? 'prompt'}): "zfs load-key ${first.name}"; "zfs change-key -i" makes a child use its parent's key again`,
  ];
};

/** The newest common snapshot of every dataset gets its cursor and its fence; the replicas learn the new datasets' guids. */
export async function reanchor(tools: Tools, input: DatasetRestoreStepInput): Promise<DatasetRestoreEnd> {
  if (!isOwnDataset(tools, input.resource, input.target)) return { notes: [], warnings: [] };
  const { sendBack: _, ...forward } = backInput(input, 0);
  const { ends, request } = await openReplication(tools, forward);
  tools.progress({ phase: 'cursors and fences' });
  const now = await survey(ends, request);
  const { troubles } = await settle(ends, now);
  await tellNewGuids(ends, now);
  const stopped = now.plans.filter(({ kind }) => stopping.has(kind));
  const anchored = now.plans.filter(({ source, common }) => source !== '' && common !== undefined).length;
  return {
    notes: [`the next replication of ${anchored} datasets goes on from what both sides have`],
    warnings: [
      ...troubles.map(({ target, words }) => `${target}: ${words}`.slice(0, 300)),
      ...stopped.map(({ target, reason }) => `${target} will not be replicated: ${reason}`.slice(0, 300)),
    ].slice(0, 10),
  };
}

/** A replica knows its source by guid, to follow it when it is renamed; what came back has a new one. */
async function tellNewGuids(ends: Ends, { plans, input }: Survey): Promise<void> {
  const changes = plans.flatMap(({ common, guid, target }) =>
    common && input.target.get(target)?.replicaOf !== guid
      ? [['set', `${ownProperties.replicaOf}=${guid}`, target]]
      : [],
  );
  if (changes.length > 0) mustAll(await ends.change('target', changes), 'tell the replicas their new source');
}
