import type { Config } from '../../config/schema.js';
import type { Tools } from '../door.js';
import { mustSucceed } from './classify.js';
import { zfsCommand } from './list-command.js';
import type { Zfs } from './listing.js';
import { isBelowFloor, lookAtRoom, poolOf, pressureOf, type Room, roomWords } from './pool-room.js';
import { holdTags } from './replicate-hosts.js';
import { destinationOf, shortOf } from './replicate-names.js';
import type { Verdict } from './retention.js';
import {
  type HoldTags,
  heldOnly,
  holderWords,
  laggingBytes,
  laggingIn,
  type Release,
} from './retention-lagging.js';
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
  warnings: string[];
}

/** One more command as a rule; who holds what is asked only where it may matter. */
export async function relieveOf(tools: Tools, zfs: Zfs, judged: readonly JudgedDataset[]): Promise<Relief> {
  const names = judged.map(({ dataset }) => dataset.name);
  const rooms = names.length === 0 ? [] : await lookAtRoom(zfs, tools.config, names);
  const held = judged.flatMap(({ verdicts }) => heldOnly(verdicts));
  const asks = rooms.some((room) => pressureOf(room, mostBytes(room, judged)) !== 'none') && held.length > 0;
  const tags: HoldTags = asks ? await holdTags(zfs, held) : new Map();
  return relieve(rooms, judged, tags, nameOfDestination(tools.config));
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
  nameOf: (destination: string) => string = (destination) => destination,
): Relief {
  const goes = new Map<Verdict, Room>();
  const relief: Relief = { verdicts: [], urgent: new Set(), releases: [], warnings: [] };
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
    const taken = pressure === 'short' && lagging.length > 0 ? '; bookmarks take their place now' : '';
    relief.warnings.push(`${roomWords(room)}; ${kept}${taken}`.slice(0, 600));
    if (pressure !== 'short') continue;
    for (const { verdict, releases } of lagging) {
      goes.set(verdict, room);
      relief.releases.push(...releases);
    }
  }
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

/** Long names stand shortened in tags and bookmarks. */
function nameOfDestination({ jobs }: Config): (short: string) => string {
  const names = Object.values(jobs).flatMap((job) =>
    job.kind === 'zfs-replication'
      ? (job.stores ?? [job.store ?? '']).flatMap((store) =>
          job.resources.map((resource) => destinationOf({ store, resource })),
        )
      : [],
  );
  const byShort = new Map(names.map((name) => [shortOf(name), name]));
  return (short) => byShort.get(short) ?? short;
}

/** Right before the snapshots go, and only of those. One whose bookmark cannot be made stays held. */
export async function letGo(
  tools: Tools,
  { host, signal, zfs }: Zfs,
  releases: readonly Release[],
): Promise<void> {
  for (const { tag, snapshot, bookmark } of releases) {
    tools.log(`${bookmark} takes the place of ${snapshot}, held by ${tag}`);
    const made = await host.run(zfsCommand(zfs, ['bookmark', snapshot, bookmark]), { signal });
    if (!/exists/.test(made.stderrTail)) mustSucceed(made, `bookmark ${snapshot}`, host.name);
    const released = await host.run(zfsCommand(zfs, ['release', tag, snapshot]), { signal });
    // Somebody else may have let it go in the meantime.
    if (!/no such tag|does not exist/.test(released.stderrTail))
      mustSucceed(released, `release ${snapshot}`, host.name);
  }
}
