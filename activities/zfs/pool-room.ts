import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import { mustSucceed } from './classify.js';
import { zfsCommand } from './list-command.js';
import type { Zfs } from './listing.js';
import type { Listing } from './types.js';

/** How full a pool is, against what the configuration allows. A pool that is full can hardly destroy anything any more. */

export interface Room {
  pool: string;
  sizeBytes: number;
  freeBytes: number;
  /** Shares of the size: see hosts.NAME.pools in the configuration. */
  floor: number;
  lagging: number;
}

/** What the datasets may use: without the reserve that ZFS keeps for itself, which is where its own "out of space" begins. */
const roomCommand = (zfs: string, pools: readonly string[]) =>
  zfsCommand(zfs, ['list', '-Hp', '-d', '0', '-o', 'name,used,available', ...pools]);

export const poolOf = (dataset: string): string => dataset.split('/')[0] ?? dataset;

type Limits = Pick<Room, 'floor' | 'lagging'>;

/** For a pool that the host's part of the file does not name: as in the schema. */
const defaults: Limits = { floor: 0.02, lagging: 0.1 };

/** What the configuration allows a pool. */
export function limitsOf({ hosts }: Pick<Config, 'hosts'>, host: string, pool: string): Limits {
  const limits = hosts[host]?.pools ?? {};
  return (Object.hasOwn(limits, pool) ? limits[pool] : undefined) ?? defaults;
}

/** One command for all pools that some datasets of a host lie in. */
export async function lookAtRoom(
  { host, signal, zfs }: Zfs,
  config: Config,
  datasets: readonly string[],
): Promise<Room[]> {
  const pools = [...new Set(datasets.map(poolOf))];
  const result = await host.run(roomCommand(zfs, pools), { signal });
  mustSucceed(result, `ask how full ${pools.join(', ')} is`, host.name);
  return result.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => roomIn(line, (pool) => limitsOf(config, host.name, pool)));
}

/** The same for the pool of one dataset. */
export async function roomOf(zfs: Zfs, config: Config, dataset: string): Promise<Room> {
  const [room] = await lookAtRoom(zfs, config, [dataset]);
  if (!room) throw new HoldfastError('HF_TOOL_FAILED', `zfs list says nothing of ${poolOf(dataset)}`);
  return room;
}

function roomIn(line: string, limits: (pool: string) => Limits): Room {
  const [pool = '', used, available] = line.split('\t');
  const [usedBytes, freeBytes] = [Number(used), Number(available)];
  if (!Number.isFinite(usedBytes) || !Number.isFinite(freeBytes))
    throw new HoldfastError('HF_TOOL_FAILED', `zfs list cannot be understood: ${line.slice(0, 100)}`);
  return { pool, sizeBytes: usedBytes + freeBytes, freeBytes, ...limits(pool) };
}

export const isBelowFloor = ({ sizeBytes, freeBytes, floor }: Room): boolean => freeBytes < floor * sizeBytes;

/** `near`: time to tell somebody. `short`: bookmarks take the place of snapshots that only copies that lag still need. */
export function pressureOf(room: Room, laggingBytes: number): 'none' | 'near' | 'short' {
  const { sizeBytes, freeBytes, floor, lagging } = room;
  if (isBelowFloor(room) || laggingBytes > lagging * sizeBytes) return 'short';
  const isNear = freeBytes < 2 * floor * sizeBytes || laggingBytes > 0.8 * lagging * sizeBytes;
  return isNear ? 'near' : 'none';
}

/** What must stay free in the pool of a dataset; where a listing of this moment shows the pool, without asking again. */
export async function floorBytesOf(
  zfs: Zfs,
  config: Config,
  dataset: string,
  listing: Listing,
): Promise<number> {
  const root = listing.get(poolOf(dataset));
  if (root) return limitsOf(config, zfs.host.name, root.name).floor * (root.usedBytes + root.availableBytes);
  const room = await roomOf(zfs, config, dataset);
  return room.floor * room.sizeBytes;
}

const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;

/** "3.2 % of bulk is free, its floor is 2 %" */
export const roomWords = ({ pool, sizeBytes, freeBytes, floor }: Room): string =>
  `${percent(freeBytes / sizeBytes)} of ${pool} is free, its floor is ${percent(floor)}`;

/** Throws when nothing may be added to one of the pools. */
export function mustHaveRoom(rooms: readonly Room[], host: string): void {
  const full = rooms.find(isBelowFloor);
  if (!full) return;
  const message = `${roomWords(full)}: no snapshot was taken, because it would keep what is deleted from being freed`;
  throw new HoldfastError('HF_POOL_FULL', message.slice(0, 300), { host });
}
