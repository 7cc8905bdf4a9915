import { dirname } from 'node:path';
import { HoldfastError } from '../../contracts/errors.js';
import type { IdMap } from '../../contracts/id-map.js';
import type { Command } from '../../system/host.js';
import { tarAttributesCommand } from '../../system/tar-stream.js';
import {
  type AttributeMap,
  attributeFacts,
  parseGetfacl,
  parseGetfattr,
  parseTarAttributes,
} from './attribute-text.js';
import { classify } from './classify.js';
import { dumpVerb, resticCommand } from './command.js';
import type { Restic } from './driver.js';
import type { Findings } from './findings.js';

/**
 * Access lists and extended attributes. No listing of restic tells them; its tar streams do, in the
 * headers of their entries. That reads the data of the copy once more, so it is done up to a limit only.
 */

export interface Attributes {
  restic: Restic;
  snapshot: string;
  /** Where the copy's "/" lies on the disk. */
  data: string;
  /** Wanted folders, absolute in the copy. */
  folders: readonly string[];
  /** How many wanted paths are no folders: restic gives no tar of a single file. */
  singles: number;
  bytes: number;
  isRoot: boolean;
  /** The whole resource: then the folder above holds nothing else, and its tar shows the resource's own folder too. */
  whole: boolean;
  /** What is expected is the copy's attributes with their ids mapped. */
  idMap: IdMap;
}

const atMostBytes = 10 * 2 ** 30;
const atMostFolders = 20;

/** Compares extended attributes value by value, and access lists entry by entry. */
export async function compareAttributes(question: Attributes): Promise<Findings> {
  const reason = whyNot(question);
  if (reason !== undefined) return unknown(reason);
  try {
    const differences: string[] = [];
    let compared = 0;
    for (const folder of question.folders) {
      const found = await compareFolder(question, folder, differences);
      if (found === undefined) return { ...unknown(notTold), differences };
      compared += found;
    }
    return {
      verified: [`access lists and values of extended attributes (${compared} entries have some)`],
      notVerified: whatIsLeft(question),
      differences,
    };
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'HF_TOOL_MISSING') throw error;
    return unknown(error.message);
  }
}

/** What the copy says is compared as it comes; only what lies on the disk is held. Undefined when the copy does not tell all. */
async function compareFolder(
  question: Attributes,
  folder: string,
  differences: string[],
): Promise<number | undefined> {
  const onDisk = await attributesOnDisk(question, folder);
  let compared = 0;
  const compare = (path: string, should: string, is: string): void => {
    if (path.includes('\uFFFD') || (should === '' && is === '')) return;
    compared += 1;
    if (is !== should) differences.push(`${path}: attributes are "${is}", not "${should}"`);
  };
  const isWhole = await attributesInCopy(question, folder, (path, facts) => {
    compare(path, visible(facts, question.isRoot), visible(onDisk.get(path) ?? [], question.isRoot));
    onDisk.delete(path);
  });
  if (!isWhole) return undefined;
  for (const [path, facts] of onDisk) compare(path, '', visible(facts, question.isRoot));
  return compared;
}

/** A tar header has no place for such a name, and restic ends there. Its complaint holds the value, which may be a secret. */
const unwritable = /invalid PAX record/;
const notTold = 'restic cannot tell them, because the name of an attribute holds a "="';

const unknown = (reason: string): Findings => ({
  verified: [],
  notVerified: [`access lists and extended attributes: ${reason}`],
  differences: [],
});

function whyNot({ bytes, folders }: Attributes): string | undefined {
  if (bytes > atMostBytes) return 'it would read all the data a second time, and there is more than 10 GiB';
  if (folders.length > atMostFolders) return `more than ${atMostFolders} folders were chosen`;
  return folders.length === 0 ? 'restic does not tell those of single files' : undefined;
}

const whatIsLeft = ({ singles, isRoot, whole }: Attributes): string[] => [
  ...(whole ? [] : ['access lists and extended attributes of the chosen folders themselves']),
  ...(singles > 0 ? [`access lists and extended attributes of ${singles} paths that are single files`] : []),
  ...(isRoot ? [] : ['attributes outside of user.*: only root can restore them, and the worker is not root']),
];

async function attributesInCopy(
  { restic, snapshot, whole, idMap }: Attributes,
  folder: string,
  onEntry: (path: string, facts: string[]) => void,
): Promise<boolean> {
  const { host, signal, lock, store } = restic;
  const log = (line: string): void => restic.log(unwritable.test(line) ? notTold : line);
  let broken: unknown;
  const take = (line: string): unknown => {
    try {
      const { path, facts } = parseTarAttributes(line, idMap);
      onEntry(path, facts);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const dump = dumpVerb(snapshot, whole ? dirname(folder) : folder);
  const [dumped, listed] = await host.pipe(
    [resticCommand(restic.tool, restic.repository, dump), tarAttributesCommand()],
    {
      signal,
      log,
      lock,
      onLine: (line, stream) => {
        if (stream === 'stdout' && broken === undefined) broken = take(line);
      },
    },
  );
  if (unwritable.test(dumped?.stderrTail ?? '')) return false;
  const verdict = classify({
    exitCode: dumped?.exitCode,
    signal: dumped?.signal,
    stderrTail: dumped?.stderrTail ?? '',
    verb: 'dump',
    store,
  });
  if (verdict instanceof HoldfastError) throw verdict;
  if (broken !== undefined) throw broken;
  if (listed?.exitCode === 0) return true;
  const message = `Cannot read what restic dumped: ${listed?.stderrTail}`;
  throw new HoldfastError('HF_TOOL_FAILED', message.slice(0, 300));
}

async function attributesOnDisk(question: Attributes, folder: string): Promise<AttributeMap> {
  const place = `${question.data}${folder}`;
  const inCopy = (path: string): string => path.slice(question.data.length);
  const getfattr = [
    '--recursive',
    '--physical',
    '--no-dereference',
    '--absolute-names',
    '--dump',
    '--match=-',
  ];
  const values = await readLines(question.restic, {
    file: 'getfattr',
    args: [...getfattr, '--encoding=hex', '--', place],
  });
  const attributes = attributeFacts(parseGetfattr(values));
  const getfacl = [
    '--recursive',
    '--physical',
    '--absolute-names',
    '--numeric',
    '--skip-base',
    '--no-effective',
  ];
  const lists = parseGetfacl(
    await readLines(question.restic, { file: 'getfacl', args: [...getfacl, '--', place] }),
  );
  const all: AttributeMap = new Map();
  for (const [path, facts] of [...attributes, ...lists]) {
    // tar does not show the folder itself that it is made of.
    if (question.whole || path !== place)
      all.set(inCopy(path), [...(all.get(inCopy(path)) ?? []), ...facts].sort());
  }
  return all;
}

/** Runs a program that tells one thing a line; its failure is an error. */
export async function readLines(restic: Restic, command: Command): Promise<string[]> {
  const lines: string[] = [];
  const { exitCode, stderrTail } = await restic.host.run(
    { ...command, env: { LC_ALL: 'C' } },
    {
      signal: restic.signal,
      onLine: (line, stream) => {
        if (stream === 'stdout') lines.push(line);
      },
    },
  );
  if (exitCode === 0) return lines;
  throw new HoldfastError('HF_TOOL_FAILED', `${command.file} failed: ${stderrTail.trim()}`.slice(0, 300));
}

/** Labels of the target's own system are not the copy's, and who is not root sees and sets user.* only. */
function visible(facts: readonly string[], isRoot: boolean): string {
  const keeps = (fact: string): boolean =>
    !fact.startsWith('security.selinux ') && (isRoot || fact.startsWith('user.') || fact.startsWith('acl '));
  return facts.filter(keeps).toSorted().join(', ');
}
