/** system.posix_acl_*: a version of four bytes, then entries of tag (2), permissions (2) and id (4), all little-endian. Pure. */

const versionBytes = 4;
const entryBytes = 8;
export const namedUser = 0x02;
export const namedGroup = 0x08;

/** What getfacl calls each tag. */
const tags: Record<number, string> = {
  1: 'user:',
  [namedUser]: 'user',
  4: 'group:',
  [namedGroup]: 'group',
  16: 'mask:',
  32: 'other:',
};

/** Where each entry begins. */
export function entryOffsets(value: Buffer): number[] {
  const count = Math.max(0, Math.floor((value.length - versionBytes) / entryBytes));
  return Array.from({ length: count }, (_, index) => versionBytes + index * entryBytes);
}

/** "user::rw-", "group:60:r--": as getfacl --numeric says it. */
export const listEntries = (value: Buffer): string[] =>
  entryOffsets(value).map((at) => {
    const tag = value.readUInt16LE(at);
    const isNamed = tag === namedUser || tag === namedGroup;
    const who = `${tags[tag] ?? `tag ${tag}`}${isNamed ? `:${value.readUInt32LE(at + 4)}` : ''}`;
    return `${who}:${permissions(value.readUInt16LE(at + 2))}`;
  });

const permissions = (bits: number): string =>
  [
    [4, 'r'],
    [2, 'w'],
    [1, 'x'],
  ]
    .map(([bit, letter]) => ((bits & Number(bit)) === 0 ? '-' : letter))
    .join('');
