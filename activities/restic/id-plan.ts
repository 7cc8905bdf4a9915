import { HoldfastError } from '../../contracts/errors.js';
import { type IdMap, mappedId, parseIdMap, rangeNotAllowed } from '../../contracts/id-map.js';
import type { RestorePlan } from '../../contracts/jobs.js';
import type { Tools } from '../door.js';
import type { Node } from './listing.js';
import { isRootOn } from './scan.js';

/** Whether owners may and can be mapped as it was asked for. */

/**
 * Only what the host's own file lists: whoever could choose freely would make a program of his with setuid one of root's, or
 * root's own files ones of his.
 */
export function allowedIdMap(
  { host, config }: Pick<Tools, 'host' | 'config'>,
  words: readonly string[],
): IdMap {
  const wanted = parseIdMap(words);
  const allowed = (config.hosts[host.name]?.mapIds ?? []).map((word) => parseIdMap([word]));
  const stranger = rangeNotAllowed(wanted, allowed);
  if (stranger === undefined) return wanted;
  const message = `The host "${host.name}" does not map owners by ${stranger}. List the range in hosts.${host.name}.mapIds of its holdfast.yaml if it shall`;
  throw new HoldfastError('HF_TARGET_REFUSED', message.slice(0, 300), {
    next: 'List the range in mapIds of the host, or leave --map-ids out',
  });
}

/** What the plan shows of it; refuses a copy that holds an owner without a place in the map. */
export async function planMapping(
  { host, signal }: Pick<Tools, 'host' | 'signal'>,
  nodes: readonly Node[],
  map: IdMap,
  words: readonly string[],
): Promise<RestorePlan['mapping']> {
  if (words.length === 0) return undefined;
  if (!(await isRootOn({ host, signal })))
    throw refused('only root can give files to other owners, and the worker is not root');
  let entries = 0;
  const homeless = new Map<string, { path: string; count: number }>();
  for (const node of nodes) {
    const { path, uid, gid } = node;
    const owner = mappedOwner(node, map);
    if (owner?.uid !== uid || owner.gid !== gid) entries += 1;
    for (const id of owner ? [] : withoutPlace(node, map)) {
      const known = homeless.get(id);
      homeless.set(id, { path: known?.path ?? path, count: (known?.count ?? 0) + 1 });
    }
  }
  const [first] = homeless;
  if (!first) return { mapIds: [...words], entries };
  const [id, { path, count }] = first;
  const others = homeless.size > 1 ? `, and for ${homeless.size - 1} more ids` : '';
  throw refused(
    `--map-ids has no place for ${id} (${count} entries, first ${JSON.stringify(path.slice(0, 80))})${others}`,
  );
}

const withoutPlace = ({ uid, gid }: Node, map: IdMap): string[] => [
  ...(mappedId(map.uid, uid) === undefined ? [`uid ${uid}`] : []),
  ...(mappedId(map.gid, gid) === undefined ? [`gid ${gid}`] : []),
];

function mappedOwner({ uid, gid }: Node, map: IdMap): { uid: number; gid: number } | undefined {
  const owner = { uid: mappedId(map.uid, uid), gid: mappedId(map.gid, gid) };
  return owner.uid === undefined || owner.gid === undefined ? undefined : { uid: owner.uid, gid: owner.gid };
}

/** As it shall lie on the disk. From the listing and never from the disk: an attempt that goes on cannot map twice. */
export const withMappedOwner = (node: Node, map: IdMap): Node => ({ ...node, ...mappedOwner(node, map) });

/** Nothing was changed by then. */
export const refused = (why: string): HoldfastError =>
  new HoldfastError('HF_TARGET_REFUSED', `${why}. Nothing was restored`.slice(0, 300));
