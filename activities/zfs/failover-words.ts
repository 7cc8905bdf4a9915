import type { FailoverFacts, Promotion } from './failover-facts.js';
import { usedBeside } from './failover-others.js';
import { isParked } from './replicate-names.js';
import { ownPlaces } from './sharing.js';
import { stepsByHand } from './sharing-steps.js';
import type { Dataset } from './types.js';

/** A failover as a person reads it before saying yes. Pure. */

const most = 10;

const isoOf = (seconds: number | undefined): string =>
  seconds === undefined ? 'never' : new Date(seconds * 1000).toISOString();

const newestS = ({ snapshots }: Dataset): number | undefined => snapshots.at(-1)?.creationS;

const some = (list: readonly string[]): string =>
  list.length <= most ? list.join(', ') : `${list.slice(0, most).join(', ')} and ${list.length - most} more`;

export function explainFailover(facts: FailoverFacts, promotion: Promotion): string[] {
  const { sides, targetRoot, hooks } = facts;
  return [
    `${targetRoot} on ${sides.targetHost} becomes the one in use: ${promotion.live.length} datasets become writable and are mounted`,
    ...(facts.source.state === 'answers' ? livingSource(facts) : deadSource(facts, promotion)),
    ...usedBeside(facts.others),
    ...stateWords(promotion, facts),
    ...keyWords(promotion),
    ...(promotion.kept.length > 0
      ? [
          `Left as they are (their source has gone, they never arrived whole, or the file leaves them out): ${some(promotion.kept.map(({ name }) => name))}`,
        ]
      : []),
    ...(hooks.start.length > 0 ? [`Then, on ${sides.targetHost}: ${hooks.start.join(', ')}`] : []),
    `Until "holdfast do ${sides.job} failback", replication of "${facts.resource}" to "${facts.store}" refuses to send`,
    ...byHand(facts, promotion),
  ];
}

/** For ZFS readonly is asked when a volume is opened. */
export function volumeWords(all: Iterable<Dataset>, host: string, when: 'first' | 'now' = 'first'): string[] {
  const volumes = [...all].flatMap(({ type, name }) => (type === 'volume' && !isParked(name) ? [name] : []));
  if (volumes.length === 0) return [];
  return [
    `Readonly does not stop what has a volume open already: end the sessions (iSCSI, guests) on ${host} ${when}: ${some(volumes)}`,
  ];
}

function livingSource({ source, sides, sourceRoot, hooks, plans }: FailoverFacts): string[] {
  const count = source.state === 'answers' ? source.listing.size : 0;
  const left = (plans ?? []).flatMap((plan) => (plan.kind === 'excluded' ? [plan.source] : []));
  return [
    ...(hooks.stop.length > 0
      ? [`First, on ${sides.sourceHost}: ${hooks.stop.join(', ')}`]
      : [`Stop what writes to ${sourceRoot} on ${sides.sourceHost} before you say yes: no hook does it`]),
    `${sourceRoot} on ${sides.sourceHost} is made readonly and unshared (${count} datasets), its last state is sent: nothing is lost`,
    ...volumeWords(source.state === 'answers' ? source.listing.values() : [], sides.sourceHost),
    ...(left.length > 0 ? [`Not on the replica, and readonly with the rest: ${some(left)}`] : []),
  ];
}

function deadSource({ source, sides, settings, proof }: FailoverFacts, { live }: Promotion): string[] {
  const oldest = Math.min(...live.map((dataset) => newestS(dataset) ?? 0));
  const newest = Math.max(...live.map((dataset) => newestS(dataset) ?? 0));
  const said = settings.source === 'lost' ? 'its pool is lost' : 'it is off';
  const why = proof?.isOff ? proof.words : `you say that ${said}`;
  return [
    ...(proof && !proof.isOff ? [`Only your word counts here: ${proof.words}`] : []),
    `${sides.sourceHost} ${source.state === 'silent' ? 'does not answer' : 'has no such datasets'}, and ${why}. If it is only cut off and works on, both sides will be written to, and one of them is thrown away later`,
    `What it wrote after these snapshots is not on ${sides.targetHost}: the oldest is of ${isoOf(oldest)}, the newest of ${isoOf(newest)}`,
    `When ${sides.sourceHost} returns, its datasets are made readonly as soon as it answers: it is asked every 20 s, and by each replication. Until then it is writable: keep its clients away`,
  ];
}

/** Datasets whose state is older than that of the replica's own root. */
function stateWords({ live }: Promotion, { source }: FailoverFacts): string[] {
  if (source.state === 'answers') return [];
  const rootS = live[0] && newestS(live[0]);
  const older = live.filter((dataset) => (newestS(dataset) ?? 0) < (rootS ?? 0));
  const written = live.filter(({ writtenBytes }) => writtenBytes > 0);
  const partial = live.filter(({ resumeToken }) => resumeToken !== undefined);
  return [
    ...older
      .slice(0, most)
      .map((dataset) => `Older than the rest: ${dataset.name} is of ${isoOf(newestS(dataset))}`),
    ...(older.length > most ? [`… and ${older.length - most} more that are older than the rest`] : []),
    ...(written.length > 0
      ? [
          `Somebody wrote to these replicas since their newest snapshot, which stays: ${some(written.map(({ name }) => name))}`,
        ]
      : []),
    ...(partial.length > 0
      ? [`What had arrived of an unfinished stream is given up: ${some(partial.map(({ name }) => name))}`]
      : []),
  ];
}

function keyWords({ live }: Promotion): string[] {
  const locked = live.filter(
    ({ encryption, keyStatus }) => encryption !== undefined && keyStatus !== 'available',
  );
  const roots = [...new Set(locked.map(({ name, encryptionRoot }) => encryptionRoot ?? name))];
  return roots.length === 0 ? [] : [`By hand, before they can be used: zfs load-key ${some(roots)}`];
}

function byHand(facts: FailoverFacts, promotion: Promotion): string[] {
  const { saved, sides } = facts;
  const lines = handSteps(facts, promotion);
  if (!saved)
    return [
      `What ${sides.sourceHost} shares was never saved: set up targets, extents and exports on ${sides.targetHost} from what you know of it`,
    ];
  if (lines.length === 0) return [`Nothing that ${sides.sourceHost} shared of it was known on ${saved.at}`];
  return [
    `By hand on ${sides.targetHost}, as it was on ${sides.sourceHost} on ${saved.at}:`,
    ...lines.map((line) => `- ${line}`),
  ];
}

/** What nobody but a human can do, one line each. */
export function handSteps({ saved, sourceRoot, targetRoot }: FailoverFacts, { live }: Promotion): string[] {
  if (!saved) return [];
  const places = new Map(live.map(({ name, mountpoint }) => [name, mountpoint]));
  return stepsByHand(saved, {
    sourceRoot,
    targetRoot,
    mountpoints: saved.mountpoints,
    placeOf(dataset) {
      const source = `${sourceRoot}${dataset.slice(targetRoot.length)}`;
      const own = ownPlaces(saved, source).mountpoint;
      const place = own ?? places.get(dataset);
      return place?.startsWith('/') ? place : undefined;
    },
  });
}
