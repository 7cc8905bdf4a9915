import type { Progress } from '../../contracts/jobs.js';
import { readTags, Summary, type Tag } from './parse.js';

/** What syncs, scrubs, checks and repairs write down. Pure. */

export interface WorkEnd {
  /** As snapraid says it; undefined when it ended without saying how. */
  exit: string | undefined;
  /** It was told to stop: it then says "ok" all the same. */
  interrupted: boolean;
  /** Changed or unreadable files, errors of disks, data that is not what it was. */
  fileErrors: number;
  ioErrors: number;
  dataErrors: number;
  /** Of repairs and checks. */
  errors: number;
  recovered: number;
  unrecoverable: number;
  /** `d2:Films/a.mkv: Data error at position 0`: what went wrong where, each file once. */
  troubles: string[];
  /** The same without words, to be compared with `files`. */
  troubledFiles: string[];
  files: Record<'recovered' | 'recoverable' | 'unrecoverable' | 'damaged' | 'correct', string[]>;
  bytesDone: number;
  /** How many blocks it had chosen to work on. */
  blocksChosen: number;
}

const exits = ['ok', 'error', 'warning', 'recovered', 'recoverable', 'unrecoverable', 'diff', 'equal'];

/** `verb` must be the one that was asked. The sync's own scan has an exit of its own before it. */
export function parseWork(verb: string, lines: readonly string[]): WorkEnd {
  let summary = new Summary();
  const end: WorkEnd = emptyEnd();
  const troubles = new Map<string, string>();
  const reader = readTags(verb, (tag) => {
    // The scan and the pre-hash say how they ended before the work does.
    if (tag.name === 'summary' && summary.has('exit')) summary = new Summary();
    if (tag.name === 'summary') summary.add(tag);
    if (tag.name === 'sigint') end.interrupted = true;
    noteTrouble(troubles, tag);
    if (tag.name === 'status') noteFile(end, tag);
    if (tag.name === 'run') noteRun(end, tag);
  });
  for (const line of lines) reader.line(line);
  if (lines.length > 0) reader.end();
  end.troubles = [...troubles.values()];
  end.troubledFiles = [...troubles.keys()];
  if (!summary.has('exit') || (!summary.has('error_io') && !summary.has('error'))) return end;
  return { ...end, ...countsOf(summary) };
}

const emptyEnd = (): WorkEnd => ({
  exit: undefined,
  interrupted: false,
  fileErrors: 0,
  ioErrors: 0,
  dataErrors: 0,
  errors: 0,
  recovered: 0,
  unrecoverable: 0,
  troubles: [],
  troubledFiles: [],
  files: { recovered: [], recoverable: [], unrecoverable: [], damaged: [], correct: [] },
  bytesDone: 0,
  blocksChosen: 0,
});

/** `error_file` became `error_soft` with version 14, and what repairs counted as `error` in all is told by its kinds since then. */
function countsOf(summary: Summary) {
  const count = (name: string): number => summary.countOr(name, 0);
  const fileErrors = count('error_file') + count('error_soft');
  const [ioErrors, dataErrors] = [count('error_io'), count('error_data')];
  return {
    exit: summary.exit(exits),
    fileErrors,
    ioErrors,
    dataErrors,
    errors: summary.countOr('error', fileErrors + ioErrors + dataErrors),
    recovered: count('error_recovered'),
    unrecoverable: count('error_unrecoverable'),
  };
}

/** `run:begin:FIRST:END:CHOSEN` and `run:pos:…`, see below. */
function noteRun(end: WorkEnd, { values }: Tag): void {
  if (values[0] === 'begin') end.blocksChosen = Number(values[3]) || 0;
  if (values[0] === 'pos') end.bytesDone = Number(values[3]) || 0;
}

/** `error:BLOCK:DISK:FILE:WORDS`; of links and folders without the number of a block. */
function noteTrouble(troubles: Map<string, string>, { name, values }: Tag): void {
  const isOfBlock = /^(hash_|parity_)?error/.test(name);
  if (!isOfBlock && !/^(hardlink|symlink|dir)_error/.test(name)) return;
  const [disk = '', path = '', words = ''] = isOfBlock ? values.slice(1) : values;
  const file = printable(`${disk}:${path}`);
  if (!troubles.has(file)) troubles.set(file, printable(`${file}:${words}`).slice(0, 200));
}

const printable = (text: string): string => text.replace(/\p{C}/gu, '?');

function noteFile({ files }: WorkEnd, { values: [state = '', disk = '', path = ''] }: Tag): void {
  if (!Object.hasOwn(files, state)) return;
  files[state as keyof WorkEnd['files']].push(printable(`${disk}:${path}`));
}

/** `run:pos:BLOCK:DONE:BYTES:PERCENT:SECONDS:MB/S:CPU:ELAPSED`; some may be empty in newer versions. */
export function lastPosition(text: string): Partial<Progress> | undefined {
  const line = text.split('\n').findLast((one) => /^run:pos:\d+:\d+:\d+:\d+/.test(one));
  if (line === undefined) return undefined;
  const [, , , , bytes = '', percent = '', left = '', speed = ''] = line.split(':');
  const bytesDone = Number(bytes);
  const share = Number(percent);
  return {
    phase: `${share} %`,
    bytesDone,
    bytesTotal: share > 0 ? Math.round((bytesDone * 100) / share) : 0,
    bytesPerSecond: Number(speed || 0) * 1e6,
    ...(left !== '' && { secondsLeft: Number(left) }),
  };
}
