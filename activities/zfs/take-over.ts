import { HoldfastError } from '../../contracts/errors.js';
import type { Tools } from '../door.js';
import { complains } from './classify.js';
import { parentOf } from './dataset-names.js';
import type { Promotion } from './failover-facts.js';
import { ownProperties } from './list-command.js';
import { listTrees, type Zfs } from './listing.js';
import { changeOn } from './replicate-hosts.js';
import { fenceTag } from './replicate-names.js';
import { type Role, roleText } from './role.js';
import { mustAll } from './stand-by.js';
import type { Dataset, Listing } from './types.js';

/** Makes replicas writable and mounts them: the same for the first time and for an attempt that goes on. */

export interface Taking {
  root: string;
  role: Role;
  promotion: Promotion;
  /** What the source's dataset said of its mount point and shares, as far as it is known. */
  propertiesOf(dataset: string): Readonly<Record<string, string>>;
}

export interface Taken {
  notes: string[];
  warnings: string[];
}

type Says = Pick<Tools, 'log'>;

export async function takeOver(tools: Says, zfs: Zfs, taking: Taking): Promise<Taken> {
  const { root, role, promotion, propertiesOf } = taking;
  const { live, kept } = promotion;
  // The role first: from here on no replication writes to it.
  await mustAll(zfs, [['set', `${ownProperties.role}=${roleText(role)}`, root]], tools.log);
  const keptText = roleText({ ...role, kind: 'kept' });
  await mustAll(
    zfs,
    kept.map(({ name }) => ['set', `${ownProperties.role}=${keptText}`, name]),
    tools.log,
  );
  await holdBases(tools, zfs, live);
  await giveUpPartial(tools, zfs, live);
  const levels = mountLevels(live, propertiesOf);
  // Setting a mount point or a share can mount at once.
  for (const level of levels)
    await mustAll(
      zfs,
      level.map((dataset) => ['set', ...wantedProperties(dataset, propertiesOf), dataset.name]),
      tools.log,
    );
  const troubles = await mountAll(tools, zfs, levels, propertiesOf);
  const now = await mustBeWritable(zfs, root, live);
  return {
    notes: notesOn(now, live),
    warnings: [...troubles, ...unmounted(now, live, propertiesOf)].slice(0, 20),
  };
}

/** The fence on the newest common snapshot stays: it is what the way back begins with. */
async function holdBases({ log }: Says, zfs: Zfs, live: readonly Dataset[]): Promise<void> {
  const words = live.flatMap(({ name, snapshots }) => {
    const newest = snapshots.at(-1);
    return newest && newest.holds === 0 ? [['hold', fenceTag, `${name}@${newest.name}`]] : [];
  });
  await allBut(zfs, words, /already exists/, log);
}

async function giveUpPartial({ log }: Says, zfs: Zfs, live: readonly Dataset[]): Promise<void> {
  const words = live.flatMap(({ name, resumeToken }) => (resumeToken ? [['receive', '-A', name]] : []));
  await allBut(zfs, words, /does not have any resumable/, log);
}

/** What an earlier attempt has done is no failure. */
export async function allBut(
  zfs: Zfs,
  words: readonly string[][],
  fine: RegExp,
  log: Tools['log'],
): Promise<void> {
  if (words.length === 0) return;
  const done = await changeOn(zfs, zfs.host.name, words, [], log);
  const failed = done.findIndex((end) => !end?.ok && !complains(fine, end?.words ?? ''));
  if (failed === -1) return;
  const what = `zfs ${words[failed]?.join(' ')} on "${zfs.host.name}" failed: ${done[failed]?.words ?? 'not begun'}`;
  throw new HoldfastError('HF_TOOL_FAILED', what.slice(0, 300));
}

/** A volume has nothing to be mounted. */
function wantedProperties({ name, type }: Dataset, propertiesOf: Taking['propertiesOf']): string[] {
  if (type === 'volume') return ['readonly=off'];
  const { canmount = 'on', mountpoint, sharenfs, sharesmb } = propertiesOf(name);
  const own = { mountpoint, sharenfs, sharesmb };
  return [
    'readonly=off',
    `canmount=${canmount}`,
    ...Object.entries(own).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`])),
  ];
}

const isLocked = ({ encryption, keyStatus }: Dataset): boolean =>
  encryption !== undefined && keyStatus !== 'available';

const wantsMount = (dataset: Dataset, propertiesOf: Taking['propertiesOf']): boolean =>
  dataset.type === 'filesystem' &&
  !isLocked(dataset) &&
  (propertiesOf(dataset.name).canmount ?? 'on') === 'on';

/**
 * By how deep the folders lie, whatever the datasets are called. Those of one level can lie over none of each other: what is mounted in a
 * folder after what lies below it hides that, and both say that they are mounted.
 */
function mountLevels(live: readonly Dataset[], propertiesOf: Taking['propertiesOf']): Dataset[][] {
  const folders = new Map<string, string>();
  const levels: Dataset[][] = [];
  for (const dataset of [...live].sort((one, other) => one.name.length - other.name.length)) {
    const { name, mountpoint } = dataset;
    const above = folders.get(parentOf(name));
    const inherited = above === undefined ? mountpoint : above + name.slice(name.lastIndexOf('/'));
    const folder = propertiesOf(name).mountpoint ?? inherited ?? name;
    folders.set(name, folder);
    const depth = folder.split('/').filter(Boolean).length;
    levels[depth] = [...(levels[depth] ?? []), dataset];
  }
  return levels.filter(Boolean);
}

/** Level by level. What cannot be mounted is told; the others are. */
async function mountAll(
  { log }: Says,
  zfs: Zfs,
  levels: readonly Dataset[][],
  propertiesOf: Taking['propertiesOf'],
): Promise<string[]> {
  const troubles: string[] = [];
  for (const level of levels) {
    const names = level.filter((dataset) => wantsMount(dataset, propertiesOf)).map(({ name }) => name);
    if (names.length === 0) continue;
    const done = await changeOn(
      zfs,
      zfs.host.name,
      names.map((name) => ['mount', name]),
      [],
      log,
    );
    for (const [at, name] of names.entries()) {
      const { ok = false, words = 'not begun' } = done[at] ?? {};
      // "legacy" and "none" are mounted by others, or not at all.
      if (!ok && !complains(/already mounted|legacy mountpoint|no mountpoint set/, words))
        troubles.push(`${name} was not mounted: ${words}`.slice(0, 250));
    }
  }
  return troubles;
}

async function mustBeWritable(zfs: Zfs, root: string, live: readonly Dataset[]): Promise<Listing> {
  const now = await listTrees(zfs, { roots: [root], types: ['filesystem', 'volume'] });
  const open = live.find(({ name }) => now.get(name)?.readonly !== 'off');
  if (!open) return now;
  throw new HoldfastError(
    'HF_TOOL_FAILED',
    `${open.name} on "${zfs.host.name}" is still readonly after readonly=off was set. Start the failover again: it goes on`.slice(
      0,
      300,
    ),
  );
}

function notesOn(now: Listing, live: readonly Dataset[]): string[] {
  const locked = live.filter(isLocked);
  const roots = [...new Set(locked.map(({ name, encryptionRoot }) => encryptionRoot ?? name))];
  const [first] = live;
  return [
    ...(first && now.get(first.name)?.mounted
      ? [`${first.name} is mounted at ${now.get(first.name)?.mountpoint}`]
      : []),
    ...(roots.length > 0
      ? [`Load the keys, then mount: ${roots.map((name) => `zfs load-key ${name}`).join('; ')}`]
      : []),
  ];
}

const unmounted = (now: Listing, live: readonly Dataset[], propertiesOf: Taking['propertiesOf']): string[] =>
  live
    .filter((dataset) => wantsMount(dataset, propertiesOf))
    .flatMap(({ name }) => {
      const { mounted = false, mountpoint = '' } = now.get(name) ?? {};
      return mounted || !mountpoint.startsWith('/') ? [] : [`${name} is not mounted`];
    });
