import { readTags, Summary, unreadable } from './parse.js';

/** What `snapraid status` says. Pure. */

export interface ArrayStatus {
  files: number;
  blocks: number;
  unsynced: number;
  unscrubbed: number;
  rehash: boolean;
  bad: number;
  /** The first and the last of them. */
  badFrom: number;
  badTo: number;
  /** When blocks were read, oldest first: seconds since 1970 and how many. */
  readAt: { seconds: number; blocks: number }[];
  withoutSubseconds: number;
  wastedBytes: number;
  /** Files of each data disk, as the array knows them. */
  filesOfDisk: Map<string, number>;
  /** Never synced: there is no content file. */
  isEmpty: boolean;
}

/** `lines` without those of single blocks. */
export function parseStatus(lines: readonly string[]): ArrayStatus {
  const summary = new Summary();
  const readAt: ArrayStatus['readAt'] = [];
  let blocks: number | undefined;
  const reader = readTags('status', ({ name, values }) => {
    if (name === 'summary') summary.add({ name, values });
    if (name === 'block_count') blocks = numberOf(values[0]);
    if (name === 'info_time') readAt.push({ seconds: numberOf(values[0]), blocks: numberOf(values[1]) });
  });
  for (const line of lines) reader.line(line);
  reader.end();
  if (blocks === undefined) throw unreadable('a status without "block_count"');
  const wasted = [...summary.perDisk('disk_space_wasted').values()];
  return {
    files: summary.count('file_count'),
    blocks,
    unsynced: summary.count('has_unsynced'),
    unscrubbed: summary.count('has_unscrubbed'),
    rehash: summary.count('has_rehash') > 0,
    bad: summary.count('has_bad'),
    badFrom: summary.count('has_bad', 1),
    badTo: summary.count('has_bad', 2),
    readAt: readAt.sort((a, b) => a.seconds - b.seconds),
    withoutSubseconds: summary.count('zerosubsecond_file_count'),
    wastedBytes: wasted.reduce((sum, bytes) => sum + Math.max(0, bytes), 0),
    filesOfDisk: summary.perDisk('disk_file_count'),
    isEmpty: blocks === 0 && summary.count('file_count') === 0,
  };
}

function numberOf(text: string | undefined): number {
  if (text === undefined || !/^\d{1,18}$/.test(text)) throw unreadable(`"${text}" is no number`);
  return Number(text);
}
