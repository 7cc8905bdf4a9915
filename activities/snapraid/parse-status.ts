import { readTags, Summary, unreadable } from './parse.js';

/** What `snapraid status` says. Pure. */

export interface ArrayStatus {
  files: number;
  blocks: number;
  blockBytes: number;
  unsynced: number;
  unscrubbed: number;
  rehash: boolean;
  bad: number;
  /** The first and the last of them. */
  badFrom: number;
  badTo: number;
  /** Which they are, where it is told: up to version 13, and not more than a hundred thousand. */
  badBlocks: number[];
  /** When blocks were read, oldest first: seconds since 1970 and how many. */
  readAt: { seconds: number; blocks: number }[];
  withoutSubseconds: number;
  wastedBytes: number;
  /** Files of each data disk, as the array knows them. */
  filesOfDisk: Map<string, number>;
  /** Never synced: there is no content file. */
  isEmpty: boolean;
}

/** `lines` without those of single blocks that are not bad. */
export function parseStatus(lines: readonly string[]): ArrayStatus {
  const summary = new Summary();
  const readAt: ArrayStatus['readAt'] = [];
  const badBlocks: number[] = [];
  const info = new Map<string, number>();
  // A name of a file with a line break in a message must not pass for one of these.
  const note = (name = '', value?: string): void => {
    const number = numberOf(value);
    if ((info.get(name) ?? number) !== number) throw unreadable(`"${name}" twice`);
    info.set(name, number);
  };
  const reader = readTags('status', ({ name, values }) => {
    if (name === 'summary') summary.add({ name, values });
    // `block:NUMBER:TIME:used:unsynced:bad:rehash`, each of the last three empty when it is not so.
    if (name === 'block' && values[4] === 'bad') badBlocks.push(numberOf(values[0]));
    if (name === 'block_count') note('block', values[0]);
    if (name === 'info_time') readAt.push({ seconds: numberOf(values[0]), blocks: numberOf(values[1]) });
    if (name === 'content_info' && values[0]?.startsWith('block')) note(values[0], values[1]);
    // Blocks that were scrubbed then, and blocks that were synced then and not scrubbed since.
    if (name === 'bucket' && values[0] === 'entry')
      readAt.push({ seconds: numberOf(values[1]), blocks: numberOf(values[2]) + numberOf(values[3]) });
  });
  for (const line of lines) reader.line(line);
  reader.end();
  const blocks = blocksOf(summary, info);
  const told = summary.has('has_unsynced') ? ofBlocks(summary) : ofContent(summary, info, blocks);
  const wasted = [...summary.perDisk('disk_space_wasted').values()];
  return {
    files: summary.count('file_count'),
    blocks,
    blockBytes: summary.count('block_size'),
    ...told,
    badBlocks,
    readAt: readAt.sort((a, b) => a.seconds - b.seconds),
    withoutSubseconds: summary.count('zerosubsecond_file_count'),
    wastedBytes: wasted.reduce((sum, bytes) => sum + Math.max(0, bytes), 0),
    filesOfDisk: summary.perDisk('disk_file_count'),
    isEmpty: blocks === 0 && summary.count('file_count') === 0,
  };
}

/** Since version 14 there is none of an array that was never synced. */
function blocksOf(summary: Summary, info: ReadonlyMap<string, number>): number {
  const told = info.get('block');
  if (told !== undefined) return told;
  if (summary.count('file_count') + summary.count('parity_size') === 0) return 0;
  throw unreadable('a status without a count of its blocks');
}

type OfBlocks = Pick<ArrayStatus, 'unsynced' | 'unscrubbed' | 'rehash' | 'bad' | 'badFrom' | 'badTo'>;

/** Up to version 13. */
const ofBlocks = (summary: Summary): OfBlocks => ({
  unsynced: summary.count('has_unsynced'),
  unscrubbed: summary.count('has_unscrubbed'),
  rehash: summary.count('has_rehash') > 0,
  bad: summary.count('has_bad'),
  badFrom: summary.count('has_bad', 1),
  badTo: summary.count('has_bad', 2),
});

/** Since version 14, which does not say which blocks are bad. It says twice whether there is something to do: both must agree. */
function ofContent(summary: Summary, info: ReadonlyMap<string, number>, blocks: number): OfBlocks {
  if (blocks === 0) return { unsynced: 0, unscrubbed: 0, rehash: false, bad: 0, badFrom: 0, badTo: 0 };
  const count = (name: string): number => {
    const told = info.get(`block_${name}`);
    if (told === undefined) throw unreadable(`a status without "content_info:block_${name}"`);
    return told;
  };
  const found = { unsynced: count('unsynced'), unscrubbed: count('unscrubbed'), bad: count('bad') };
  const exit = summary.exit(['ok', 'bad', 'unsynced']);
  const wanted = found.bad > 0 ? 'bad' : found.unsynced > 0 ? 'unsynced' : 'ok';
  if (exit !== wanted)
    throw unreadable(`"exit:${exit}" with ${found.bad} bad and ${found.unsynced} unsynced blocks`);
  return { ...found, rehash: count('rehash') > 0, badFrom: 0, badTo: 0 };
}

function numberOf(text: string | undefined): number {
  if (text === undefined || !/^\d{1,18}$/.test(text)) throw unreadable(`"${text}" is no number`);
  return Number(text);
}
