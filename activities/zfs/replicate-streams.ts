import { ownProperties } from './list-command.js';
import { cursorName, fits, holdTag } from './replicate-names.js';
import type { DatasetPlan, Segment } from './replicate-types.js';

/** A plan as commands of zfs, without any machine: what is prepared on the source, and the streams with both their ends. */

/** The words after `zfs`. */
export type ZfsWords = readonly string[];

export interface Stream {
  /** Says at both ends which stream this is, so that none can be received into the dataset of another. */
  key: string;
  source: string;
  target: string;
  send: ZfsWords;
  receive: ZfsWords;
  toGuid: string;
  bytes: number;
}

/**
 * The same for all streams of a replica for ever: large blocks, compressed data as it lies on disk. Not -e: a stream with embedded data is
 * refused where the target is encrypted (openzfs issues 10732, 8819, 17039), and it saves next to nothing.
 */
const sendOptions = (raw: boolean): string[] => (raw ? ['-w'] : ['-L', '-c']);

/** -F is never among them: it destroys what is newer on the target. -u: nothing is mounted over what runs there. */
const receiveOptions = ['-s', '-u'];

/** For a replica that comes into being; nothing of the source's own properties travels. */
export function newReplicaOptions({ type, guid }: Pick<DatasetPlan, 'type' | 'guid'>): string[] {
  const both = ['-o', 'readonly=on', '-o', `${ownProperties.replicaOf}=${guid}`];
  // A volume knows neither of these and is refused with them.
  return type === 'volume' ? both : [...both, '-o', 'canmount=noauto', '-x', 'mountpoint'];
}

/** The streams of one dataset, in the order in which they must arrive. */
export function streamsOf(plan: DatasetPlan): Stream[] {
  const isNew = plan.common === undefined;
  const streams: Stream[] = [];
  const add = (send: ZfsWords, toGuid: string, bytes: number): void => {
    const first = isNew && streams.length === 0;
    const receive = [
      'receive',
      ...receiveOptions,
      ...(first ? newReplicaOptions(plan) : []),
      plan.target,
    ] as const;
    const { source, target } = plan;
    streams.push({ key: `${plan.guid}-${toGuid}`, source, target, send, receive, toGuid, bytes });
  };
  if (plan.resume) add(['send', '-vP', '-t', plan.resume.token], plan.resume.toGuid, 0);
  for (const segment of plan.segments)
    add(
      ['send', '-vP', ...sendOptions(plan.raw), ...range(plan.source, segment)],
      segment.toGuid,
      segment.bytes,
    );
  return streams;
}

function range(source: string, { from, to, intermediates }: Segment): string[] {
  const until = `${source}@${to}`;
  if (!from) return [until];
  const sign = from.kind === 'bookmark' ? '#' : '@';
  return [intermediates ? '-I' : '-i', `${source}${sign}${from.name}`, until];
}

export interface WriteAhead {
  bookmarks: { from: string; cursor: string }[];
  holds: string[];
  tag: string;
}

/** What stands before the first byte is sent: the cursor that will be the next base, and holds on all that travels. */
export function writeAheadOf(plan: DatasetPlan, destination: string, run: string): WriteAhead {
  const last = plan.segments.at(-1) ?? plan.resume;
  const toName = plan.segments.at(-1)?.to ?? plan.resume?.toName;
  const cursor = last && cursorName(destination, last.toGuid);
  const bookmarks =
    cursor && fits(plan.source, cursor)
      ? [{ from: `${plan.source}@${toName}`, cursor: `${plan.source}#${cursor}` }]
      : [];
  return {
    bookmarks,
    holds: plan.holds.map((name) => `${plan.source}@${name}`),
    tag: holdTag(destination, run),
  };
}
