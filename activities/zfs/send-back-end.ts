import { HoldfastError } from '../../contracts/errors.js';
import type { DatasetRestoreEnd, DatasetRestoreStepInput } from '../../contracts/zfs-restore.js';
import type { Tools } from '../door.js';
import { ownProperties } from './list-command.js';
import type { Done, Ends } from './replicate-ends.js';
import { openReplication } from './replicate-job.js';
import { parentOf, targetNameOf } from './replicate-moves.js';
import { stopping } from './replicate-proof.js';
import { type Survey, settle, survey } from './replicate-survey.js';
import { refuseSecondSide } from './role.js';
import { backInput, isOwnDataset } from './send-back.js';
import type { Dataset, Listing } from './types.js';

/** What follows when everything is back: the datasets become ordinary ones, and forward replication gets its base. */

/** Until here every new dataset is read-only and does not mount: a half restored one must not be taken for the whole. */
export async function finishSendBack(
  tools: Tools,
  input: DatasetRestoreStepInput,
): Promise<DatasetRestoreEnd> {
  const { ends, request } = await openReplication(tools, backInput(input, 0));
  const [source, target] = await Promise.all([ends.list('source'), ends.list('target')]);
  // Somebody may have failed over while it was sent: then what came back stays readonly.
  if (isOwnDataset(tools, input.resource, input.target))
    refuseSecondSide(source.get(request.sourceRoot), input.job);
  const made = [...source.values()].flatMap((replica) => {
    const found = target.get(targetNameOf(replica.name, request));
    return found && isMadeFrom(found, replica, target) ? [found] : [];
  });
  tools.progress({ phase: 'giving back properties' });
  const first = made.flatMap(({ name, type }) => [
    ['inherit', 'readonly', name],
    ...(type === 'volume' ? [] : [['set', 'canmount=on', name]]),
  ]);
  // The mark goes last: an attempt that died finds by it what is still to be done.
  const then = made.map(({ name }) => ['inherit', ownProperties.replicaOf, name]);
  if (made.length > 0) mustAll(await ends.change('target', first, then), 'give back properties');
  const locked = made.filter(({ keyStatus }) => keyStatus === 'unavailable');
  return { notes: [...mountWords(input.target), ...keyWords(locked)], warnings: [] };
}

/** Children inherit what only their parent says of itself. */
function isMadeFrom(found: Dataset, replica: Dataset, target: Listing): boolean {
  const above = target.get(parentOf(found.name))?.replicaOf;
  return found.replicaOf === replica.guid && found.replicaOf !== above;
}

function mustAll(done: readonly (Done | undefined)[], what: string): void {
  const failed = done.find((end) => !end?.ok);
  if (done.every((end) => end?.ok)) return;
  throw new HoldfastError('HF_TOOL_FAILED', `Cannot ${what}: ${failed?.words ?? 'not begun'}`.slice(0, 300));
}

const mountWords = (target: string): string[] => [
  `nothing was mounted: look at "zfs get -r mountpoint ${target}", set what was set before, then "zfs mount -a"`,
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
