import type { ReplicaState } from '../../contracts/replication.js';
import { newestCommon } from './replicate-base.js';
import { replicaOf, targetNameOf } from './replicate-moves.js';
import type { DatasetPlan, PlanInput } from './replicate-types.js';
import type { Dataset } from './types.js';

/**
 * Who else works on a dataset, known by the names that each tool gives to what it makes. Most of them receive with -F, which destroys
 * what is newer: a dataset that two tools send to is a dataset that one of them will roll back.
 */

type Forms = readonly [RegExp, string][];

const snapshotForms: Forms = [
  [/^auto-\d{4}-\d{2}-\d{2}_\d{2}-\d{2}/, 'TrueNAS'],
  [/^syncoid_/, 'syncoid'],
  [/^autosnap_/, 'sanoid'],
  [/^zrepl_/, 'zrepl'],
  [/^pyznap_/, 'pyznap'],
  [/^(bzfs_|\.TMPBZFS)/, 'bzfs'],
  [/^zfs-auto-snap_/, 'zfs-auto-snapshot'],
  [/^znapzend|^\d{4}-\d{2}-\d{2}-\d{6}$/, 'znapzend'],
  [/^zxfer_/, 'zxfer'],
  [/^__replicate_/, 'Proxmox VE'],
  [/^holdfast_/, 'Holdfast'],
];
const bookmarkForms: Forms = [...snapshotForms, [/^\.TMPBZFS\.|_\d{15,20}$/, 'bzfs']];
const holdForms: Forms = [
  [/^zrepl_/, 'zrepl'],
  [/^syncoid/, 'syncoid'],
  [/^truenas$/, 'TrueNAS'],
];
const propertyForms: Forms = [
  [/^syncoid:/, 'syncoid'],
  [/^zrepl:/, 'zrepl'],
  [/^org\.znapzend:/, 'znapzend'],
  [/^org\.(truenas|freenas):/, 'TrueNAS'],
  [/^com\.sun:auto-snapshot/, 'zfs-auto-snapshot'],
  [/^bzfs/, 'bzfs'],
  [/^autobackup:/, 'zfs_autobackup'],
];

const formsOf = {
  snapshot: snapshotForms,
  bookmark: bookmarkForms,
  hold: holdForms,
  property: propertyForms,
};

/** The tool that names such things so; undefined when it could be anybody. */
export const makerOf = (name: string, what: keyof typeof formsOf = 'snapshot'): string | undefined =>
  formsOf[what].find(([form]) => form.test(name))?.[1];

/** What others have left in a replica: no bookmark there is ours, and of the snapshots only those that the source knows. */
export function actorsOn(replica: Dataset, source: Dataset | undefined): Map<string, string> {
  const actors = new Map<string, string>();
  const add = (sign: string, name: string, who: string | undefined): void => {
    if (who !== undefined && who !== 'Holdfast') actors.set(who, `${sign}${name.slice(0, 60)}`);
  };
  const ours = new Set([...(source?.snapshots ?? []), ...(source?.bookmarks ?? [])].map(({ guid }) => guid));
  for (const { name, guid } of replica.snapshots) if (!ours.has(guid)) add('@', name, makerOf(name));
  for (const { name } of replica.bookmarks) add('#', name, makerOf(name, 'bookmark'));
  return actors;
}

/** "syncoid works on it too (@syncoid_din_…)" */
export const actorWords = (actors: readonly [string, string][]): string =>
  actors.map(([who, by]) => `${who} works on it too (${by})`).join(', ');

/** One line for each tool that has left something in replicas, however many they are. */
export function actorNotes({ source, target }: PlanInput, plans: readonly DatasetPlan[]): string[] {
  const found = new Map<string, string[]>();
  for (const plan of plans) {
    const replica = plan.source === '' ? undefined : replicaOf(target, plan);
    if (!replica) continue;
    for (const [who, by] of actorsOn(replica, source.get(plan.source)))
      found.set(who, [...(found.get(who) ?? []), `${replica.name}${by}`]);
  }
  return [...found].map(
    ([who, where]) =>
      `${who} works on ${where.length} ${where.length === 1 ? 'replica' : 'replicas'} too: ${where[0]}`,
  );
}

/** What somebody took away from replicas since the last look that proved them. */
export const setBacks = (input: PlanInput, before: readonly ReplicaState[]): string[] =>
  before.flatMap((state) => {
    const words = setBackOf(input, state);
    return words === undefined ? [] : [`${state.target}: ${words}`];
  });

function setBackOf(input: PlanInput, { source: name, target, common }: ReplicaState): string | undefined {
  const source = input.source.get(name);
  if (!source || !common || targetNameOf(name, input) !== target) return undefined;
  const replica = input.target.get(target);
  if (!replica) return isElsewhere(input, target) ? undefined : gone(common.name);
  // The source was made anew: the plan says so.
  if (source.createtxg > common.createtxg) return undefined;
  const now = newestCommon(source, replica);
  if (now && now.base.createtxg >= common.createtxg) return undefined;
  const actors = [...actorsOn(replica, source)];
  const [who, by] = actors.length === 1 ? (actors[0] ?? []) : [];
  const words = who ? `${who} has rolled it back (${by})` : 'somebody has rolled it back';
  return `${words}: it held @${common.name} at the last look, now ${now ? `@${now.at.name}` : 'nothing of it'}`;
}

const gone = (name: string): string =>
  `it was there at the last look, with @${name}, and is gone: somebody has destroyed or renamed it`;

/** Put aside by ourselves, or with a parent that was. */
const isElsewhere = ({ target }: PlanInput, name: string): boolean =>
  [...target.keys()].some((other) => {
    const at = other.indexOf('.parked-');
    return at > 0 && (name === other.slice(0, at) || name.startsWith(`${other.slice(0, at)}/`));
  });
