import { type FoundReplica, foundReplicas, replicaWith } from '../../activities/zfs/found-replicas.js';
import { listTrees } from '../../activities/zfs/listing.js';
import { savedOn } from '../../activities/zfs/sharing.js';
import type { Listing } from '../../activities/zfs/types.js';
import { HoldfastError } from '../../contracts/errors.js';
import { datasetForm, namePattern } from '../../contracts/names.js';
import type { Context } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { shown } from '../jobs.js';
import { bytes, table } from '../render.js';
import { age, localTime, localZone } from '../time.js';
import type { ZfsRescue, ZfsWords } from './zfs-open.js';

/** Which replicas lie here, and which of them is meant. */

interface Listed extends FoundReplica {
  /** `din:fast/kubernetes`, as it was written down beside the last replication. */
  source?: string;
}

/** `rescue zfs replicas`: one listing, and one small file for each that is found. */
export async function printReplicas(context: Context, rescue: ZfsRescue, { of }: ZfsWords): Promise<number> {
  if (of !== undefined) checkDataset(of);
  const found = foundReplicas(await listTrees(rescue.zfs, { roots: of === undefined ? [] : [of] }));
  const listed: Listed[] = [];
  for (const replica of found) listed.push({ ...replica, ...(await sourceOf(rescue, replica)) });
  if (context.json) context.out(JSON.stringify({ replicas: listed }, null, 2));
  else if (listed.length > 0) context.out(replicasTable(context, listed));
  else
    context.out(
      'No replicas of Holdfast. Is the pool imported? "zpool import" lists the pools that are not; "zpool import -o readonly=on POOL" changes nothing on its disks',
    );
  return exitCodes.done;
}

async function sourceOf({ zfs }: ZfsRescue, { name }: FoundReplica): Promise<{ source?: string }> {
  const resource = name.slice(name.lastIndexOf('/') + 1);
  if (!namePattern.test(resource)) return {};
  const saved = await savedOn(zfs.host, resource);
  return saved?.source ? { source: `${saved.source.host}:${saved.source.dataset}` } : {};
}

function replicasTable(context: Context, listed: readonly Listed[]): string {
  const now = context.now().getTime();
  return table(
    context,
    ['REPLICA', 'of', 'role', 'newest snapshot', `of (${localZone()})`, 'age', 'datasets', 'size', 'look at'],
    listed.map((replica) => {
      const { newest, source, sourceGuid } = replica;
      const madeMs = (newest?.creationS ?? 0) * 1000;
      return [
        replica.name,
        source ?? (sourceGuid === undefined ? '-' : `guid ${sourceGuid}`),
        roleWords(replica),
        newest ? `@${newest.snapshot}` : 'none',
        newest ? localTime(new Date(madeMs)) : '-',
        newest ? age(now - madeMs) : '-',
        String(replica.datasets),
        bytes(replica.usedBytes),
        remarks(replica).join('; ') || '-',
      ];
    }),
  );
}

const roleWords = ({ role, roleRun }: FoundReplica): string =>
  roleRun === undefined ? role : `${role} since ${roleRun}`;

function remarks({ older, unfinished, encrypted, locked, datasets }: FoundReplica): string[] {
  const some = (names: readonly string[]): string =>
    names.length > 2 ? `${names.slice(0, 2).join(', ')}, …` : names.join(', ');
  return [
    ...(older.length > 0 ? [`${older.length} older: ${some(older)}`] : []),
    ...(unfinished.length > 0 ? [`${unfinished.length} streams were cut: ${some(unfinished)}`] : []),
    ...(encrypted > 0 ? [`${encrypted === datasets ? 'all' : encrypted} encrypted`] : []),
    ...(locked.length > 0 ? [`${locked.length} locked (zfs load-key)`] : []),
  ];
}

export interface Meant {
  /** Of it alone. */
  listing: Listing;
  parent: string;
  /** The last part of its name: what the resource was called. */
  resource: string;
  /** For the person who looks at a plan. */
  words: string;
}

/** Only what carries our marks is taken; of a dataset inside a replica is said how it is asked for. */
export async function meantReplica({ zfs }: ZfsRescue, { of }: ZfsWords): Promise<Meant> {
  if (of === undefined) throw usage('Say which replica: "holdfast rescue zfs replicas" lists them');
  checkDataset(of);
  const pool = of.split('/')[0] ?? of;
  const listing = await listTrees(zfs, { roots: [pool] });
  const found = foundReplicas(listing);
  const inside = replicaWith(found, of);
  // Where only some children are replicated, what the resource is called is a plain dataset above them.
  const above = found.some(({ name }) => name.startsWith(`${of}/`));
  if (!listing.has(of) || !(inside || above)) throw notFound(of, found);
  const slash = of.lastIndexOf('/');
  const [parent, resource] = [of.slice(0, Math.max(0, slash)), of.slice(slash + 1)];
  if (parent !== '' && namePattern.test(resource) && (above || inside?.name === of))
    return { listing, parent, resource, words: inside ? `${of} (${roleWords(inside)})` : of };
  const root = inside && inside.name !== of ? inside.name : parent;
  if (root === '') throw usage(`"${shown(of)}" is a whole pool; name the replica in it`);
  throw usage(`Ask for ${root} with --path "${of.slice(root.length + 1)}": ${of} is a part of it`);
}

function checkDataset(of: string): void {
  if (!datasetForm.test(of)) throw usage(`"${shown(of)}" is not the name of a dataset`);
}

const usage = (message: string): HoldfastError => new HoldfastError('HF_USAGE', message.slice(0, 400));

function notFound(of: string, found: readonly FoundReplica[]): HoldfastError {
  const names = found.slice(0, 5).map(({ name }) => name);
  const there = names.length > 0 ? `there are ${names.join(', ')}` : 'there are none in its pool';
  return new HoldfastError('HF_COPY_NOT_FOUND', `"${shown(of)}" is no replica of Holdfast: ${there}`, {
    next: '"holdfast rescue zfs replicas" lists all of them',
  });
}
