import { HoldfastError } from '../../contracts/errors.js';
import { isAtOrBelow } from './dataset-names.js';
import { ownProperties } from './list-command.js';
import { listTrees, type Zfs } from './listing.js';
import { changeOn } from './replicate-hosts.js';
import { type Role, roleOf, roleText } from './role.js';
import {
  beforeText,
  type LocalProperties,
  localProperties,
  parseBefore,
  putBackWords,
} from './tree-properties.js';
import type { Listing } from './types.js';

/** Makes a whole tree stand by: nobody can write to it and nothing shares it, and it says since when. And the way back from that. */

const guarded = ['readonly', 'sharenfs', 'sharesmb'] as const;

type Log = (line: string) => void;

/** False also for what was made to stand by half way: the role comes first, so it alone says nothing of who can write. */
export const standsBy = (root: string, listing: Listing): boolean =>
  roleOf(listing.get(root))?.kind === 'standby' && openIn(root, listing).length === 0;

/** With which role: one that was given half way is kept. */
export const roleToStandBy = (own: Role | undefined, run: string, store: string): Role =>
  own?.kind === 'standby' ? own : { kind: 'standby', run, store };

const openIn = (root: string, listing: Listing): string[] =>
  [...listing.values()]
    .filter(({ name, readonly }) => isAtOrBelow(name, root) && readonly !== 'on')
    .map(({ name }) => name);

/** Safe to do twice: how it was before is written down first, and never over what an earlier attempt wrote down. */
export async function standBy(zfs: Zfs, root: string, role: Role, log: Log): Promise<Listing> {
  // What was received holds as well as what was set here; a text of ours that was received is of the other side.
  const own = await localProperties(zfs, root, guarded, { sources: 'local,received' });
  const noted = await localProperties(zfs, root, [ownProperties.before]);
  const touched = [...new Set([root, ...own.keys()])].filter(
    (name) => name === root || needsOwn(own.get(name)),
  );
  await noteBefore(zfs, touched, { own, noted }, log);
  // The role first: from here on nothing of ours takes this side for the one in use.
  await mustAll(zfs, [['set', `${ownProperties.role}=${roleText(role)}`, root]], log);
  await mustAll(
    zfs,
    touched.map((name) => ['set', 'readonly=on', ...unshared(own.get(name)), name]),
    log,
  );
  const listing = await listTrees(zfs, { roots: [root] });
  const left = openIn(root, listing).filter((name) => !touched.includes(name));
  if (left.length === 0) return mustBeReadonly(zfs, root, listing);
  // Writable for a reason that no property says, such as a mount that was made writable by hand.
  await noteBefore(zfs, left, { own, noted }, log);
  await mustAll(
    zfs,
    left.map((name) => ['set', 'readonly=on', name]),
    log,
  );
  return mustBeReadonly(zfs, root, await listTrees(zfs, { roots: [root] }));
}

const noteBefore = (
  zfs: Zfs,
  names: readonly string[],
  { own, noted }: { own: LocalProperties; noted: LocalProperties },
  log: Log,
): Promise<void> =>
  mustAll(
    zfs,
    names
      .filter((name) => noted.get(name)?.[ownProperties.before] === undefined)
      .map((name) => ['set', `${ownProperties.before}=${beforeText(own.get(name) ?? {}, guarded)}`, name]),
    log,
  );

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

function mustBeReadonly(zfs: Zfs, root: string, listing: Listing): Listing {
  const [open] = openIn(root, listing);
  if (open === undefined) return listing;
  throw new HoldfastError(
    'HF_TOOL_FAILED',
    `${open} on "${zfs.host.name}" is still writable after readonly=on was set: nothing further was done. Look at "zfs get -r readonly ${root}" there`.slice(
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
