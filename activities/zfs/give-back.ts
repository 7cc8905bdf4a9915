import type { Tools } from '../door.js';
import { complains } from './classify.js';
import { ownProperties } from './list-command.js';
import { listTrees, type Zfs } from './listing.js';
import { changeOn } from './replicate-hosts.js';
import type { Replication } from './replicate-job.js';
import { fenceTag, isCursor, isParked } from './replicate-names.js';
import type { Survey } from './replicate-survey.js';
import { roleOf } from './role.js';
import { mustAll, standUp } from './stand-by.js';
import { allBut } from './take-over.js';
import { localProperties } from './tree-properties.js';
import type { Dataset } from './types.js';

/** The changes of a failback's end, one after the other; each may be done twice. */

type Says = Pick<Tools, 'log'>;
const datasetsOnly = ['filesystem', 'volume'] as const;
const depthOf = (name: string): number => name.split('/').length;

/** What came into being while the replica was in use arrived as a replica: it becomes a dataset of its own, and its copy a replica of it. */
export async function settleNewcomers(
  tools: Says,
  { source, target }: Replication,
  { plans, input }: Survey,
): Promise<void> {
  const root = input.targetRoot;
  if (!input.target.has(root)) return;
  const [there, here] = await Promise.all([
    localProperties(target, root, [ownProperties.replicaOf]),
    localProperties(source, input.sourceRoot, ['canmount', 'mountpoint']),
  ]);
  for (const plan of plans) {
    const received = input.target.get(plan.target);
    const copy = input.source.get(plan.source);
    const isNew = copy && received && there.get(plan.target)?.[ownProperties.replicaOf] === copy.guid;
    if (!isNew) continue;
    const { canmount = 'on', mountpoint } = here.get(plan.source) ?? {};
    const own =
      received.type === 'volume'
        ? []
        : [`canmount=${canmount}`, ...(mountpoint ? [`mountpoint=${mountpoint}`] : [])];
    if (own.length > 0) await mustAll(target, [['set', ...own, received.name]], tools.log);
    await mustAll(source, [['set', `${ownProperties.replicaOf}=${received.guid}`, copy.name]], tools.log);
    await mustAll(target, [['inherit', 'readonly', received.name]], tools.log);
    await mustAll(target, [['inherit', ownProperties.replicaOf, received.name]], tools.log);
  }
}

/** With its own properties, as they were before it stood by. */
export async function standUpAndMount(tools: Says, zfs: Zfs, root: string): Promise<string[]> {
  await standUp(zfs, root, tools.log);
  const now = await listTrees(zfs, { roots: [root], types: datasetsOnly });
  const wanted = [...now.values()].filter(wantsMount);
  const troubles: string[] = [];
  for (const depth of [...new Set(wanted.map(({ name }) => depthOf(name)))].sort(
    (one, other) => one - other,
  )) {
    const names = wanted.filter(({ name }) => depthOf(name) === depth).map(({ name }) => name);
    const done = await changeOn(
      zfs,
      zfs.host.name,
      names.map((name) => ['mount', name]),
      [],
      tools.log,
    );
    for (const [at, name] of names.entries()) {
      const { ok = false, words = 'not begun' } = done[at] ?? {};
      if (!ok && !complains(/already mounted/, words))
        troubles.push(`${name} was not mounted: ${words}`.slice(0, 250));
    }
  }
  const left = [...now.values()].find(({ name, readonly }) => readonly === 'on' && !isParked(name));
  if (left)
    troubles.push(
      `${left.name} is readonly, as it was before or by its parent: look at "zfs get readonly" there`,
    );
  return troubles;
}

const wantsMount = ({ type, canmount, mountpoint, mounted, encryption, keyStatus, name }: Dataset): boolean =>
  type === 'filesystem' &&
  canmount === 'on' &&
  !mounted &&
  !isParked(name) &&
  mountpoint?.startsWith('/') === true &&
  (encryption === undefined || keyStatus === 'available');

/** As a replica is received: readonly, not mounted, with nothing of its source's own places. */
export async function becomeReplica(tools: Says, zfs: Zfs, root: string): Promise<string[]> {
  const { log } = tools;
  const now = await listTrees(zfs, { roots: [root], types: datasetsOnly });
  const live = [...now.values()].filter((one) => roleOf(one)?.kind !== 'kept' && !isParked(one.name));
  const files = live.filter(({ type }) => type === 'filesystem');
  await mustAll(
    zfs,
    files.map(({ name }) => ['set', 'canmount=noauto', name]),
    log,
  );
  const troubles: string[] = [];
  const deepestFirst = [...new Set(files.map(({ name }) => depthOf(name)))].sort((one, other) => other - one);
  for (const depth of deepestFirst) {
    const names = files
      .filter(({ name, mounted }) => mounted && depthOf(name) === depth)
      .map(({ name }) => name);
    if (names.length === 0) continue;
    const done = await changeOn(
      zfs,
      zfs.host.name,
      names.map((name) => ['unmount', name]),
      [],
      log,
    );
    for (const [at, name] of names.entries())
      if (!done[at]?.ok && !complains(/not currently mounted/, done[at]?.words ?? ''))
        troubles.push(`${name} is still mounted, readonly: ${done[at]?.words ?? 'not begun'}`.slice(0, 250));
  }
  await mustAll(
    zfs,
    live.map(({ name }) => ['set', 'readonly=on', name]),
    log,
  );
  await forgetOwn(zfs, root, live, log);
  return troubles;
}

async function forgetOwn(zfs: Zfs, root: string, live: readonly Dataset[], log: Tools['log']): Promise<void> {
  const places = ['mountpoint', 'sharenfs', 'sharesmb'];
  const local = await localProperties(zfs, root, [...places, ownProperties.before, ownProperties.role]);
  const names = new Set(live.map(({ name }) => name));
  const words = [...local].flatMap(([name, own]) =>
    Object.keys(own)
      .filter((key) => key !== ownProperties.role && names.has(name))
      .map((key) => ['inherit', key, name]),
  );
  await mustAll(zfs, words, log);
  // The last of all: until then an attempt that was cut is seen.
  const roles = [...local].filter(([, own]) => own[ownProperties.role] !== undefined);
  await mustAll(
    zfs,
    roles.map(([name]) => ['inherit', ownProperties.role, name]),
    log,
  );
}

/** Cursors and holds of the way back, and the fences on the side that is in use again: its own rules decide there. */
export async function takeAwayTraces({ log }: Says, { source, target, request }: Replication): Promise<void> {
  const [sent, received] = await Promise.all([
    listTrees(source, { roots: [request.sourceRoot] }),
    listTrees(target, { roots: [request.targetRoot] }),
  ]);
  const cursors = [...sent.values()].flatMap(({ name, bookmarks }) =>
    bookmarks
      .filter((one) => isCursor(one.name, request.policy.destination))
      .map((one) => ['destroy', `${name}#${one.name}`]),
  );
  await allBut(source, cursors, /does not exist/, log);
  const held = [...received.values()].flatMap(({ name, snapshots }) =>
    snapshots.filter(({ holds }) => holds > 0).map((one) => ['release', fenceTag, `${name}@${one.name}`]),
  );
  await allBut(target, held, /no such tag|does not exist/, log);
}
