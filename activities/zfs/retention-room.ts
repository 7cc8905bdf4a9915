import type { Config } from '../../config/schema.js';
import type { Tools } from '../door.js';
import { complains, mustSucceed } from './classify.js';
import { zfsCommand } from './list-command.js';
import type { Zfs } from './listing.js';
import { isBelowFloor, lookAtRoom, poolOf, pressureOf, type Room, roomWords } from './pool-room.js';
import { holdTags } from './replicate-hosts.js';
import { destinationOf } from './replicate-names.js';
import type { Verdict } from './retention.js';
import {
  type HoldTags,
  holderWords,
  type Lagging,
  laggingBytes,
  laggingIn,
  mayLag,
  type Release,
} from './retention-lagging.js';
import { destinationsIn, heldIn, receivingOn, type Transfer, type UnderWay } from './retention-transfers.js';
import type { Dataset } from './types.js';

/** Retention where a pool runs short: what only copies that lag still need goes, because bookmarks keep their bases. */

export interface JudgedDataset {
  dataset: Dataset;
  verdicts: Verdict[];
}

export interface Relief {
  /** As they were judged, but for what bookmarks take the place of. */
  verdicts: Verdict[][];
  /** Those of them that go because their pool is below its floor. */
  urgent: Set<Verdict>;
  /** Of what goes then. */
  releases: Release[];
  /** The copies that it stayed for. */
  lostTo: string[];
  /** Of what stays because they may be sending it. */
  holdingRuns: string[];
  warnings: string[];
}

/** How it is known what must stay. */
export interface Knowing {
  /** By who holds what: which transfers may be under way. */
  sending: (tags: HoldTags) => UnderWay;
  /** The copy whose target need not be asked what it has half received, because the caller knows it, or knows that it does not answer. */
  known?: string;
}

/** One more command as a rule; who holds what, and what is half received, is asked only where it may matter. */
export async function relieveOf(
  tools: Tools,
  zfs: Zfs,
  judged: readonly JudgedDataset[],
  knowing: Knowing,
): Promise<Relief> {
  const names = judged.map(({ dataset }) => dataset.name);
  const rooms = names.length === 0 ? [] : await lookAtRoom(zfs, tools.config, names);
  const held = judged.flatMap(({ dataset, verdicts }) => (mayLag(verdicts) ? heldIn(dataset) : []));
  const asks = rooms.some((room) => pressureOf(room, mostBytes(room, judged)) !== 'none') && held.length > 0;
  const tags: HoldTags = asks ? await holdTags(zfs, held) : new Map();
  const [nameOf, sending] = [nameOfDestination(tools.config), knowing.sending(tags)];
  const relief = relieve(rooms, judged, tags, sending, nameOf);
  const asked = new Set(relief.lostTo.filter((destination) => destination !== knowing.known));
  if (asked.size === 0) return relief;
  const receiving = await receivingOn(tools, asked);
  return relieve(rooms, judged, tags, (...of) => sending(...of) ?? receiving(...of), nameOf);
}

/** Whatever holds them. */
const mostBytes = (room: Room, judged: readonly JudgedDataset[]): number =>
  ofPool(room, judged)
    .flatMap(({ verdicts }) => verdicts)
    .reduce((sum, { snapshot }) => sum + snapshot.usedBytes, 0);

const ofPool = ({ pool }: Room, judged: readonly JudgedDataset[]): JudgedDataset[] =>
  judged.filter(({ dataset }) => poolOf(dataset.name) === pool);

/** Pure. */
export function relieve(
  rooms: readonly Room[],
  judged: readonly JudgedDataset[],
  tags: HoldTags,
  underWay: UnderWay,
  nameOf: (destination: string) => string = (destination) => destination,
): Relief {
  const goes = new Map<Verdict, Room>();
  const relief: Relief = {
    verdicts: [],
    urgent: new Set(),
    releases: [],
    lostTo: [],
    holdingRuns: [],
    warnings: [],
  };
  for (const room of rooms) {
    const lagging = ofPool(room, judged).flatMap(({ dataset, verdicts }) =>
      laggingIn(dataset, verdicts, tags),
    );
    const pressure = pressureOf(room, laggingBytes(lagging));
    if (pressure === 'none') continue;
    const holders = holderWords(lagging, nameOf);
    const kept =
      holders.length === 0
        ? 'no copy that lags keeps any'
        : `kept for copies that lag: ${holders.join('; ')}`;
    const free = lagging.filter((one) => transfersOf(one, underWay).length === 0);
    const stay = pressure === 'short' ? lagging.flatMap((one) => transfersOf(one, underWay)) : [];
    relief.warnings.push(`${roomWords(room)}; ${kept}${takenWords(pressure, free)}${stayWords(stay)}`);
    relief.holdingRuns.push(...stay.flatMap(({ run }) => run ?? []));
    if (pressure !== 'short') continue;
    for (const { verdict, releases, destinations } of free) {
      goes.set(verdict, room);
      relief.releases.push(...releases);
      relief.lostTo.push(...destinations);
    }
  }
  relief.holdingRuns = [...new Set(relief.holdingRuns)];
  relief.warnings = relief.warnings.map((words) => words.slice(0, 600));
  relief.verdicts = judged.map(({ verdicts }) =>
    verdicts.map((verdict) => {
      const room = goes.get(verdict);
      if (!room) return verdict;
      const gone = { ...verdict, reasons: [] };
      if (isBelowFloor(room)) relief.urgent.add(gone);
      return gone;
    }),
  );
  return relief;
}

const transfersOf = ({ verdict, destinations }: Lagging, underWay: UnderWay): Transfer[] =>
  destinations.flatMap((destination) => underWay(verdict.dataset, destination) ?? []);

const takenWords = (pressure: string, free: readonly Lagging[]): string =>
  pressure === 'short' && free.length > 0 ? '; bookmarks take their place now' : '';

function stayWords(stay: readonly Transfer[]): string {
  const words = [...new Set(stay.map((one) => one.words))];
  return words.length === 0 ? '' : `; what is being transferred stays: ${words.slice(0, 5).join(', ')}`;
}

function nameOfDestination(config: Config): (short: string) => string {
  const known = destinationsIn(config);
  return (short) => {
    const destination = known.get(short);
    return destination ? destinationOf(destination) : short;
  };
}

/**
 * Right before the snapshots go, and only of those. One whose bookmark cannot be made stays held, and keeps no other from going: on a pool
 * without any room left the rest must go before a bookmark can be made.
 */
export async function letGo(
  tools: Tools,
  { host, signal, zfs }: Zfs,
  releases: readonly Release[],
): Promise<void> {
  for (const { tag, snapshot, bookmark } of releases) {
    tools.log(`${bookmark} takes the place of ${snapshot}, held by ${tag}`);
    const made = await host.run(zfsCommand(zfs, ['bookmark', snapshot, bookmark]), { signal });
    if (made.exitCode !== 0 && !complains(/exists/, made.stderrTail)) {
      tools.log(`${snapshot} stays held, because its bookmark cannot be made: ${made.stderrTail.trim()}`);
      continue;
    }
    const released = await host.run(zfsCommand(zfs, ['release', tag, snapshot]), { signal });
    // Somebody else may have let it go in the meantime.
    if (!complains(/no such tag|does not exist/, released.stderrTail))
      mustSucceed(released, `release ${snapshot}`, host.name);
  }
}

/** Of what stayed after all: until it can go, it is held as before. */
export async function holdAgain(tools: Tools, zfs: Zfs, releases: readonly Release[]): Promise<void> {
  const { host } = zfs;
  // Also when the step was cancelled in between.
  const { signal } = new AbortController();
  for (const { tag, snapshot } of releases) {
    const done = await host.run(zfsCommand(zfs.zfs, ['hold', tag, snapshot]), { signal });
    const isFine = done.exitCode === 0 || complains(/already exists|does not exist/, done.stderrTail);
    tools.log(
      isFine ? `${snapshot} stays, held by ${tag}` : `${snapshot} is not held again: ${done.stderrTail}`,
    );
  }
}
