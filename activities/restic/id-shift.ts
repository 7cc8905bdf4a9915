import { HoldfastError } from '../../contracts/errors.js';
import { type IdMap, mappedId } from '../../contracts/id-map.js';
import { entryOffsets, namedGroup, namedUser } from './access-list.js';

/** Ids inside of attributes, mapped: access lists in words and in bytes, and the root that file capabilities are for. Pure. */

/** What an id becomes; refuses one that the map has no place for. */
export function shifted(map: IdMap, side: 'uid' | 'gid', id: number): number {
  const mapped = mappedId(map[side], id);
  if (mapped !== undefined) return mapped;
  const message = `--map-ids has no place for ${side} ${id}, which an access list or a capability in the copy names. Map it too`;
  throw new HoldfastError('HF_TARGET_REFUSED', message);
}

/** "user:33:r-x", also after "default:". */
export const shiftedEntry = (map: IdMap, entry: string): string =>
  entry.replace(
    /^((?:default:)?)(user|group):(\d+):/,
    (_, inherited: string, kind: string, id: string) =>
      `${inherited}${kind}:${shifted(map, kind === 'user' ? 'uid' : 'gid', Number(id))}:`,
  );

/** The ids of named users and groups in an access list. */
export function shiftedList(map: IdMap, value: Buffer): Buffer {
  const mapped = Buffer.from(value);
  for (const at of entryOffsets(mapped)) {
    const tag = mapped.readUInt16LE(at);
    if (tag !== namedUser && tag !== namedGroup) continue;
    const side = tag === namedUser ? 'uid' : 'gid';
    mapped.writeUInt32LE(shifted(map, side, mapped.readUInt32LE(at + 4)), at + 4);
  }
  return mapped;
}

const revisionMask = 0xff000000;
const revision2 = 0x02000000;
const revision3 = 0x03000000;
const revision3Bytes = 24;

/** security.capability: revision 3 names the root it holds for in its last four bytes; the system writes that of root 0 as revision 2. */
export function shiftedCapability(map: IdMap, value: Buffer): Buffer {
  if (value.length !== revision3Bytes) return value;
  const magic = value.readUInt32LE(0);
  if ((magic & revisionMask) >>> 0 !== revision3) return value;
  const mapped = Buffer.from(value);
  const root = shifted(map, 'uid', value.readUInt32LE(revision3Bytes - 4));
  mapped.writeUInt32LE(root, revision3Bytes - 4);
  if (root !== 0) return mapped;
  mapped.writeUInt32LE(((magic & ~revisionMask) | revision2) >>> 0, 0);
  return mapped.subarray(0, revision3Bytes - 4);
}
