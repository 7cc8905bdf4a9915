import { HoldfastError } from '../../contracts/errors.js';
import { ownProperties } from './list-command.js';
import { listTrees, type Zfs } from './listing.js';
import { changeOn } from './replicate-hosts.js';
import { type Role, roleText } from './role.js';
import { beforeText, localProperties, parseBefore, putBackWords } from './tree-properties.js';
import type { Listing } from './types.js';

/** Makes a whole tree stand by: nobody can write to it and nothing shares it, and it says since when. And the way back from that. */

const guarded = ['readonly', 'sharenfs', 'sharesmb'] as const;

type Log = (line: string) => void;

/** Safe to do twice: how it was before is written down first, and never over what an earlier attempt wrote down. */
export async function standBy(zfs: Zfs, root: string, role: Role, log: Log): Promise<Listing> {
  const local = await localProperties(zfs, root, [...guarded, ownProperties.before]);
  const names = new Set([root, ...local.keys()]);
  const touched = [...names].filter((name) => name === root || needsOwn(local.get(name)));
  await mustAll(
    zfs,
    touched
      .filter((name) => local.get(name)?.[ownProperties.before] === undefined)
      .map((name) => ['set', `${ownProperties.before}=${beforeText(local.get(name) ?? {}, guarded)}`, name]),
    log,
  );
  // The role first: from here on nothing of ours takes this side for the one in use.
  await mustAll(zfs, [['set', `${ownProperties.role}=${roleText(role)}`, root]], log);
  await mustAll(
    zfs,
    touched.map((name) => ['set', 'readonly=on', ...unshared(local.get(name)), name]),
    log,
  );
  return mustBeReadonly(zfs, root);
}

const isShared = (value: string | undefined): boolean => value !== undefined && value !== 'off';

const needsOwn = (own: Readonly<Record<string, string>> | undefined): boolean =>
  own?.readonly === 'off' || isShared(own?.sharenfs) || isShared(own?.sharesmb);

const unshared = (own: Readonly<Record<string, string>> | undefined): string[] =>
  (['sharenfs', 'sharesmb'] as const).flatMap((name) => (isShared(own?.[name]) ? [`${name}=off`] : []));

/**
 * What was written down is put back, then forgotten; the role goes last, so that an attempt that was cut is seen and done again. With `role` it
 * is the one in use again, without a moment in which it says nothing of itself.
 */
export async function standUp(zfs: Zfs, root: string, log: Log, role?: Role): Promise<void> {
  const local = await localProperties(zfs, root, [ownProperties.before]);
  for (const [name, own] of [...local].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const before = parseBefore(own[ownProperties.before]);
    if (!before) continue;
    await mustAll(zfs, putBackWords(name, before), log);
  }
  await mustAll(
    zfs,
    [...local.keys()].map((name) => ['inherit', ownProperties.before, name]),
    log,
  );
  const last = role
    ? ['set', `${ownProperties.role}=${roleText(role)}`, root]
    : ['inherit', ownProperties.role, root];
  await mustAll(zfs, [last], log);
}

async function mustBeReadonly(zfs: Zfs, root: string): Promise<Listing> {
  const listing = await listTrees(zfs, { roots: [root] });
  const open = [...listing.values()].find(({ readonly }) => readonly !== 'on');
  if (!open) return listing;
  throw new HoldfastError(
    'HF_TOOL_FAILED',
    `${open.name} on "${zfs.host.name}" is still writable after readonly=on was set: nothing further was done. Look at "zfs get -r readonly ${root}" there`.slice(
      0,
      300,
    ),
  );
}

/** Commands that may run side by side, all of which must succeed. */
export async function mustAll(zfs: Zfs, commands: readonly string[][], log: Log): Promise<void> {
  if (commands.length === 0) return;
  const done = await changeOn(zfs, zfs.host.name, commands, [], log);
  const failed = done.findIndex((end) => !end?.ok);
  if (failed === -1) return;
  const words = `zfs ${commands[failed]?.join(' ')} on "${zfs.host.name}" failed: ${done[failed]?.words ?? 'not begun'}`;
  throw new HoldfastError('HF_TOOL_FAILED', words.slice(0, 300));
}
