import { dirname } from 'node:path';
import { HoldfastError } from '../../contracts/errors.js';
import type { IdMap } from '../../contracts/id-map.js';
import { isUtf8Name } from '../../system/file-names.js';
import { tarAttributesCommand } from '../../system/tar-stream.js';
import { parseTarAttributes } from './attribute-text.js';
import { classify } from './classify.js';
import { dumpVerb, resticCommand } from './command.js';
import type { Restic } from './driver.js';

/** Reads attributes from the headers of restic's tar streams, where a copy cannot be mounted: that reads all the data once more. */

export interface DumpQuestion {
  restic: Restic;
  snapshot: string;
  /** Wanted folders, absolute in the copy. */
  folders: readonly string[];
  /** The whole resource: then the folder above holds nothing else, and its tar shows the resource's own folder too. */
  whole: boolean;
  idMap: IdMap;
  onName(path: string): void;
  onFacts(path: string, facts: string[]): void;
}

/** A tar header has no place for such a name, and restic ends there. Its complaint holds the value, which may be a secret. */
const unwritable = /invalid PAX record/;
const notTold = 'restic cannot tell them, because the name of an attribute holds a "="';

/** Undefined when all was told; else why not. */
export async function readThroughDump(question: DumpQuestion): Promise<string | undefined> {
  for (const folder of question.folders) {
    const why = await dumpFolder(question, folder);
    if (why !== undefined) return why;
  }
  return undefined;
}

async function dumpFolder(question: DumpQuestion, folder: string): Promise<string | undefined> {
  const { restic, snapshot, whole, idMap, onName, onFacts } = question;
  const { host, signal, lock, store } = restic;
  const log = (line: string): void => restic.log(unwritable.test(line) ? notTold : line);
  const dump = dumpVerb(snapshot, whole ? dirname(folder) : folder);
  const [dumped, listed] = await host.pipe(
    [resticCommand(restic.tool, restic.repository, dump), tarAttributesCommand()],
    {
      signal,
      log,
      lock,
      onLine: (line, stream) => {
        if (stream !== 'stdout') return;
        const { path, facts } = parseTarAttributes(line, idMap);
        if (!isUtf8Name(path)) onName(path);
        onFacts(path, facts);
      },
    },
  );
  if (unwritable.test(dumped?.stderrTail ?? '')) return notTold;
  const verdict = classify({
    exitCode: dumped?.exitCode,
    signal: dumped?.signal,
    stderrTail: dumped?.stderrTail ?? '',
    verb: 'dump',
    store,
  });
  if (verdict instanceof HoldfastError) throw verdict;
  if (listed?.exitCode === 0) return undefined;
  const message = `Cannot read what restic dumped: ${listed?.stderrTail}`;
  throw new HoldfastError('HF_TOOL_FAILED', message.slice(0, 300));
}
