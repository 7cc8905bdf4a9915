import { HoldfastError } from '../../contracts/errors.js';
import { mustSucceed } from './classify.js';
import { isAtOrBelow, parentOf } from './dataset-names.js';
import { zfsCommand } from './list-command.js';
import { listTrees, type Zfs } from './listing.js';
import { promoteWords } from './promote.js';
import { refuseStandby, roleOf } from './role.js';
import type { RollBack } from './roll-back-plan.js';
import type { Dataset, Listing } from './types.js';

/** The steps of a roll-back and of the way back from it. Each looks first whether it is done: both may be gone on with from any point. */

const run = async (zfs: Zfs, words: readonly string[]): Promise<void> => {
  const result = await zfs.host.run(zfsCommand(zfs.zfs, words), { signal: zfs.signal });
  mustSucceed(result, `zfs ${words[0]} ${words.at(-1)}`, zfs.host.name);
};

/** What lies at the place, aside and back, each with all below it. */
async function look(zfs: Zfs, { root, aside, back }: RollBack): Promise<Listing> {
  const parent = await listTrees(zfs, { roots: [parentOf(root)], depth: 1, types: ['filesystem', 'volume'] });
  const roots = [root, aside, back].filter((name) => parent.has(name));
  return roots.length === 0 ? new Map() : listTrees(zfs, { roots });
}

const under = (all: Listing, root: string): Dataset[] =>
  [...all.values()].filter(({ name }) => isAtOrBelow(name, root));

/** Children first. One that is in use refuses; what had been unmounted before it is mounted again by the way back. */
async function unmountTree(zfs: Zfs, all: Listing, root: string): Promise<void> {
  for (const { name, mounted } of under(all, root).reverse()) if (mounted) await run(zfs, ['unmount', name]);
}

/** Where anything refuses before the first rename, all stays as it was. */
async function clearPlace(zfs: Zfs, plan: RollBack, all: Listing): Promise<void> {
  try {
    await unmountTree(zfs, all, plan.root);
    await run(zfs, ['rename', plan.root, plan.back]);
  } catch (error) {
    const now = await look(zfs, plan);
    for (const { name, mounted } of under(all, plan.root))
      if (mounted && now.get(name)?.mounted === false) await run(zfs, ['mount', name]);
    throw error;
  }
}

/** Else both trees would mount at one place when the machine starts. */
async function keepUnmounted(zfs: Zfs, all: Listing, root: string): Promise<void> {
  for (const { name, type, canmount } of under(all, root))
    if (type === 'filesystem' && canmount === 'on') await run(zfs, ['set', 'canmount=noauto', name]);
}

/** The tree of today goes aside, its snapshot comes to its place. */
export async function rollBack(zfs: Zfs, plan: RollBack, log: (line: string) => void): Promise<void> {
  const { root, aside, snapshot } = plan;
  let all = await look(zfs, plan);
  if (!all.has(aside)) {
    await unmountTree(zfs, all, root);
    log(`zfs rename ${root} ${aside}`);
    await run(zfs, ['rename', root, aside]);
    all = await look(zfs, plan);
  }
  await keepUnmounted(zfs, all, aside);
  const properties = await localProperties(zfs, aside);
  for (const { below } of plan.datasets) {
    if (all.has(`${root}${below}`)) continue;
    const own = (properties.get(`${aside}${below}`) ?? []).filter(
      ([key]) => !(key === 'canmount' && plan.mounting.includes(below)),
    );
    const words = ['clone', ...own.flatMap(([key, value]) => ['-o', `${key}=${value}`])];
    log(`zfs clone ${aside}${below}@${snapshot} ${root}${below}`);
    await run(zfs, [...words, `${aside}${below}@${snapshot}`, `${root}${below}`]);
  }
  await promoteTree(zfs, plan, root, aside);
  await mountAgain(zfs, plan);
}

/** A tree of before a failover would be writable: a second side beside the replica in use. */
export function refuseWritable(all: Listing, { root, aside }: RollBack, host: string): void {
  const [top, former] = [all.get(root), all.get(aside)];
  if (top && former && roleOf(former)?.kind !== 'standby')
    refuseStandby([top], host, `What lies in ${aside} would be writable in its place`);
}

/** True while neither tree was renamed: then all is as it was before the way back began. */
export async function isStillAside(zfs: Zfs, plan: RollBack): Promise<boolean> {
  const all = await look(zfs, plan);
  return all.has(plan.aside) && all.has(plan.root) && !all.has(plan.back);
}

/** Whatever was done of a roll-back, the tree of before stands in its place again, as it was. What had come to it is kept beside. */
export async function bringTreeBack(zfs: Zfs, plan: RollBack): Promise<void> {
  const { root, aside, back } = plan;
  const all = await look(zfs, plan);
  if (all.has(aside)) {
    if (all.has(root)) {
      refuseWritable(all, plan, zfs.host.name);
      await clearPlace(zfs, plan, all);
    }
    await keepUnmounted(zfs, await look(zfs, plan), back);
    await run(zfs, ['rename', aside, root]);
  }
  await promoteTree(zfs, plan, root, back);
  for (const { name, canmount } of under(await look(zfs, plan), root))
    if (canmount === 'noauto' && plan.mounting.includes(name.slice(root.length)))
      await run(zfs, ['set', 'canmount=on', name]);
  await mountAgain(zfs, plan);
}

/** The history until the snapshot goes to `top`; what is newer stays with `other`. */
async function promoteTree(zfs: Zfs, plan: RollBack, top: string, other: string): Promise<void> {
  const all = await look(zfs, plan);
  for (const { below } of plan.datasets)
    for (const words of promoteWords(all, `${top}${below}`, `${other}${below}`)) await run(zfs, words);
}

/** What was mounted before anything was done. */
export async function mountAgain(zfs: Zfs, plan: RollBack): Promise<void> {
  const all = await look(zfs, plan);
  for (const below of plan.mounted) {
    const dataset = all.get(`${plan.root}${below}`);
    if (dataset && !dataset.mounted) await run(zfs, ['mount', dataset.name]);
  }
}

/** These a clone has from its snapshot, or they are of the encryption that it shares. */
const notGiven = new Set([
  ...['volsize', 'volblocksize', 'casesensitivity', 'normalization', 'utf8only'],
  ...['encryption', 'keyformat', 'keylocation', 'pbkdf2iters'],
]);

type Property = [key: string, value: string];

/** What was set on each dataset itself: a clone inherits from its new parent, not from its origin. */
async function localProperties(zfs: Zfs, root: string): Promise<Map<string, Property[]>> {
  const words = [
    'get',
    '-Hp',
    '-r',
    '-s',
    'local,received',
    '-t',
    'filesystem,volume',
    '-o',
    'name,property,value',
    'all',
    root,
  ];
  const result = await zfs.host.run(zfsCommand(zfs.zfs, words), { signal: zfs.signal });
  mustSucceed(result, `read the properties of ${root}`, zfs.host.name);
  const all = new Map<string, Property[]>();
  for (const row of result.stdout.split('\n').filter((one) => one !== '')) {
    const [name = '', key = '', ...value] = row.split('\t');
    if (key === '' || value.length !== 1)
      throw new HoldfastError('HF_TOOL_FAILED', `A property of ${root} cannot be read: ${row.slice(0, 100)}`);
    if (!notGiven.has(key)) all.set(name, [...(all.get(name) ?? []), [key, value[0] ?? '']]);
  }
  return all;
}

/** Every planned dataset is of just the planned snapshot and stands for itself, and nothing of before is missing. */
export async function proveRolledBack(zfs: Zfs, plan: RollBack): Promise<void> {
  const all = await look(zfs, plan);
  const wrong = plan.datasets.find(({ below, guid }) => {
    const found = all.get(`${plan.root}${below}`);
    const newest = found?.snapshots.at(-1);
    const former = `${plan.aside}${below}`;
    // A dataset that was a clone before is one of the same origin again.
    const isPromoted = !found?.origin?.startsWith(`${former}@`);
    return !found || !isPromoted || newest?.guid !== guid || !all.has(former);
  });
  if (!wrong) return;
  throw new HoldfastError(
    'HF_COPY_NOT_PROVED',
    `${plan.root}${wrong.below} is not what @${plan.snapshot} holds; the tree of before is brought back`.slice(
      0,
      300,
    ),
  );
}
