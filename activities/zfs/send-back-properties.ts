import { replicaStoreOf, resourceOf } from '../../config/lookup.js';
import type { DatasetRestoreStepInput } from '../../contracts/zfs-restore.js';
import type { Tools } from '../door.js';
import { parentOf } from './dataset-names.js';
import { targetNameOf } from './replicate-moves.js';
import { isParked } from './replicate-names.js';
import type { SurveyRequest } from './replicate-survey.js';
import type { PlanInput } from './replicate-types.js';
import { readSharing, type SavedSharing } from './sharing.js';
import { isManyLines } from './sharing-read.js';
import type { Dataset, Listing } from './types.js';
import { zfsOn } from './zfs-on.js';

/** What datasets that come back had set themselves, as it was written down at their source beside the last replication. A stream carries none of it. */

export interface Gift {
  dataset: string;
  /** By property; without `canmount`, which goes last. */
  set: Readonly<Record<string, string>>;
  /** undefined: it stays as it was received, and mounts only when somebody says so. */
  canmount: 'on' | 'off' | undefined;
  /** What a human has to look at, as `property=value`. */
  byHand: readonly string[];
}

/** Of streams and keys: what they say was settled when the dataset arrived. */
const settled =
  /^(canmount|volsize|volblocksize|version|utf8only|normalization|casesensitivity|encryption|keyformat|keylocation|pbkdf2iters|pbkdf2salt|holdfast:.*)$/;
/** Where files lie and who may reach them, and other programs' own words: of the original, and not of a copy beside it. */
const ofTheOriginal = /^(mountpoint|sharenfs|sharesmb|.*:.*)$/;

interface Back {
  /** The record, if there is one. */
  saved: SavedSharing | undefined;
  /** What the dataset was called at its source. */
  source: string;
  /** It returns to where it was, and is no copy beside. */
  isOwn: boolean;
}

/** Pure. TrueNAS imports its pools below /mnt, which stands in front of what a dataset says and would be put there twice. */
export function giftFor({ name, type }: Dataset, { saved, source, isOwn }: Back): Gift {
  const all = Object.entries(saved?.properties[source] ?? {});
  const said = new Map(isOwn ? all : all.filter(([property]) => !ofTheOriginal.test(property)));
  const isByHand = (property: string, value: string): boolean =>
    ['readonly', 'zoned'].includes(property)
      ? value === 'on'
      : property === 'mountpoint' && saved?.middleware !== undefined && value.startsWith('/');
  const byHand = [...said].filter(([property, value]) => isByHand(property, value));
  const set = [...said].filter(
    ([property, value]) =>
      !settled.test(property) && !['readonly', 'zoned'].includes(property) && !isByHand(property, value),
  );
  const canmount = (isOwn && said.get('canmount')) || 'on';
  const stays = canmount !== 'on' && canmount !== 'off';
  return {
    dataset: name,
    set: Object.fromEntries(set),
    canmount: stays || type === 'volume' ? undefined : canmount,
    byHand: [
      ...byHand.map(([property, value]) => `${property}=${value}`),
      ...(stays && type !== 'volume' ? [`canmount=${canmount}`] : []),
    ],
  };
}

/** Of what this way back has made, or will make. */
export interface Gifts {
  gifts: Gift[];
  saved: SavedSharing | undefined;
  isOwn: boolean;
}

/** `made`: the replica of each dataset, and the dataset as it is or will be called. */
export async function giftsFor(
  tools: Tools,
  input: DatasetRestoreStepInput,
  { sourceRoot, isOwn }: Pick<SurveyRequest, 'sourceRoot'> & { isOwn: boolean },
  made: readonly { replica: string; dataset: Dataset }[],
): Promise<Gifts> {
  const { config, host } = tools;
  const known = resourceOf(config, input.resource);
  const place = zfsOn(tools, replicaStoreOf(config, input.store ?? '').host);
  const saved = await readSharing(host, place.host, input.resource);
  const root = saved?.source?.dataset ?? known.dataset ?? '';
  const gifts = made.map(({ replica, dataset }) =>
    giftFor(dataset, { saved, source: `${root}${replica.slice(sourceRoot.length)}`, isOwn }),
  );
  return { gifts, saved, isOwn };
}

/** Children inherit what only their parent says of itself. */
export function isMadeFrom(found: Dataset, replica: Dataset, target: Listing): boolean {
  const above = target.get(parentOf(found.name))?.replicaOf;
  return found.replicaOf === replica.guid && found.replicaOf !== above;
}

/** What is new at the target when all has arrived: an earlier attempt may have made some of it. */
export const newDatasets = (input: PlanInput): { replica: string; dataset: Dataset }[] =>
  [...input.source.values()].flatMap((replica) => {
    if (isParked(replica.name)) return [];
    const name = targetNameOf(replica.name, input);
    const found = input.target.get(name);
    if (found && !isMadeFrom(found, replica, input.target)) return [];
    return [{ replica: replica.name, dataset: found ?? { ...replica, name } }];
  });

const mostLines = 12;

/** For the person who says yes. */
export function giftWords({ gifts, saved, isOwn }: Gifts): string[] {
  if (gifts.length === 0) return [];
  const beside = isOwn
    ? []
    : ['beside     mount points, shares and properties of other programs stay those of the original'];
  if (!saved?.allProperties)
    return [
      `by hand    what was set on the datasets was ${saved ? 'not written down in full' : 'never written down'} beside a replication: look after mountpoint, sharenfs, sharesmb, quota, reservation, compression, recordsize, xattr and acltype with "zfs set"`,
      ...(saved ? listed(gifts) : []),
      ...beside,
    ];
  const long = saved.problems.filter(isManyLines).slice(0, mostLines);
  return [
    ...listed(gifts),
    ...long.map((words) => `by hand    not written down: ${words}`),
    ...beside,
    `properties as they were set on the source on ${saved.at}; what it inherited from above its root is not known here`,
  ];
}

function listed(gifts: readonly Gift[]): string[] {
  const set = gifts.flatMap(({ dataset, set: own, canmount }) => {
    const words = [
      ...Object.entries(own).map(([property, value]) => `${property}=${value}`),
      ...(canmount === 'off' ? ['canmount=off'] : []),
    ];
    return words.length === 0 ? [] : [`set        ${dataset}: ${words.join(' ')}`];
  });
  const byHand = gifts.flatMap(({ dataset, byHand: own }) =>
    own.length === 0 ? [] : [`by hand    ${dataset}: ${own.join(' ')} (not set)`],
  );
  return [...someOf(set, 'set'), ...someOf(byHand, 'by hand')];
}

const someOf = (lines: readonly string[], label: string): string[] => [
  ...lines.slice(0, mostLines).map((line) => line.slice(0, 300)),
  ...(lines.length > mostLines ? [`${label.padEnd(10)} and ${lines.length - mostLines} more datasets`] : []),
];

/** What a yes is bound to. */
export const giftFacts = ({ gifts }: Pick<Gifts, 'gifts'>): string[] =>
  gifts.map(({ dataset, set, canmount }) => `${dataset} ${canmount ?? ''} ${JSON.stringify(set)}`);
