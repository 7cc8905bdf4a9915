import type { Command } from '../../system/host.js';
import { zfsCommand } from './list-command.js';

/** How snapshots are destroyed: never by a recursive destroy, and where we may, only while their guids are what was judged. */

export interface Doomed {
  dataset: string;
  snapshot: string;
  guid: string;
}

/**
 * Runs inside of ZFS, in one moment: each snapshot goes only while it is the one that was judged and nobody holds it.
 * Lua of channel programs; see luaGuid.
 */
const destroyProgram = `
args = ...
argv = args["argv"]
result = {}
for i = 1, #argv, 2 do
  name = argv[i]
  if not zfs.exists(name) then
    result[name] = "gone"
  elseif "guid" .. tostring(zfs.get_prop(name, "guid")) ~= argv[i + 1] then
    result[name] = "other"
  else
    err = zfs.sync.destroy(name)
    if err == 0 then
      result[name] = "destroyed"
    else
      result[name] = "errno " .. err
    end
  end
end
return result
`;

/** A 64-bit number as ZFS's own Lua writes it, behind a word: a minus in front would be taken for an option. */
export const luaGuid = (guid: string): string => `guid${BigInt.asIntN(64, BigInt(guid))}`;

/**
 * One pool's snapshots at once. Only root may run channel programs. Never from a file: root would run whatever somebody has put there.
 * `zfs` is the words of zfs with what goes before them, sudo where it is needed.
 */
export const programCommand = (zfs: readonly string[], pool: string, doomed: readonly Doomed[]): Command =>
  zfsCommand('sh', [
    '-c',
    'l=$1; shift; printf %s "$l" | "$@"',
    'sh',
    destroyProgram,
    ...[...zfs, 'program', '-j', pool, '-'],
    ...doomed.flatMap(({ dataset, snapshot, guid }) => [`${dataset}@${snapshot}`, luaGuid(guid)]),
  ]);

/** Several snapshots of one dataset at once. Only of one: ZFS knows no list across datasets but the recursive one. */
export const destroyCommand = (zfs: string, dataset: string, snapshots: readonly string[]): Command =>
  zfsCommand(zfs, ['destroy', `${dataset}@${snapshots.join(',')}`]);

/** The guids of some snapshots, right before they go. */
export const guidsCommand = (zfs: string, names: readonly string[]): Command =>
  zfsCommand(zfs, ['list', '-Hp', '-t', 'snapshot', '-o', 'name,guid', ...names]);
