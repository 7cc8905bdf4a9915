import { dirname } from 'node:path';
import { HoldfastError } from '../../contracts/errors.js';
import type { Command } from '../../system/host.js';
import { type AttributeMap, parseGetfacl, parseGetfattr, parseTarAttributes } from './attribute-text.js';
import { classify } from './classify.js';
import { dumpVerb, resticCommand } from './command.js';
import type { Restic } from './driver.js';
import type { Findings } from './verify.js';

/**
 * Access lists and extended attributes. No listing of restic tells them; its tar streams do, and tar can name them
 * without unpacking. That reads the data of the copy once more, so it is done up to a limit only.
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
}

const atMostBytes = 10 * 2 ** 30;
const atMostFolders = 20;

/** Compares names and lengths of extended attributes, and access lists entry by entry. */
export async function compareAttributes(question: Attributes): Promise<Findings> {
  const reason = whyNot(question);
  if (reason !== undefined) return unknown(reason);
  try {
    const findings: Findings = { verified: [], notVerified: [], differences: [] };
    let compared = 0;
    for (const folder of question.folders) {
      const inCopy = visible(await attributesInCopy(question, folder), question.isRoot);
      const onDisk = visible(await attributesOnDisk(question, folder), question.isRoot);
      compared += new Set([...inCopy.keys(), ...onDisk.keys()]).size;
      findings.differences.push(...compareMaps(inCopy, onDisk));
    }
    findings.verified.push(
      `access lists, names and lengths of extended attributes (${compared} entries have some)`,
    );
    findings.notVerified.push(...whatIsLeft(question));
    return findings;
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'HF_TOOL_MISSING') throw error;
    return unknown(error.message);
  }
}

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
  'values of extended attributes beyond their length',
  ...(whole ? [] : ['access lists and extended attributes of the chosen folders themselves']),
  ...(singles > 0 ? [`access lists and extended attributes of ${singles} paths that are single files`] : []),
  ...(isRoot ? [] : ['attributes outside of user.*: only root can restore them, and the worker is not root']),
];

async function attributesInCopy(
  { restic, snapshot, whole }: Attributes,
  folder: string,
): Promise<AttributeMap> {
  const { host, signal, log, lock, store } = restic;
  const lines: string[] = [];
  const options = [
    '--list',
    '--verbose',
    '--verbose',
    '--xattrs',
    '--xattrs-include=*',
    '--acls',
    '--numeric-owner',
    '--full-time',
  ];
  const [dumped, listed] = await host.pipe(
    [
      resticCommand(restic.tool, restic.repository, dumpVerb(snapshot, whole ? dirname(folder) : folder)),
      { file: 'tar', args: options, env: { LC_ALL: 'C' } },
    ],
    {
      signal,
      log,
      lock,
      onLine: (line, stream) => {
        if (stream === 'stdout') lines.push(line);
      },
    },
  );
  const verdict = classify({
    exitCode: dumped?.exitCode,
    signal: dumped?.signal,
    stderrTail: dumped?.stderrTail ?? '',
    verb: 'dump',
    store,
  });
  if (verdict instanceof HoldfastError) throw verdict;
  if (listed?.exitCode !== 0) {
    throw new HoldfastError(
      'HF_TOOL_FAILED',
      `tar cannot read what restic dumped: ${listed?.stderrTail}`.slice(0, 300),
    );
  }
  return parseTarAttributes(lines);
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
  const attributes = parseGetfattr(
    await readLines(question, { file: 'getfattr', args: [...getfattr, '--encoding=hex', '--', place] }),
  );
  const getfacl = [
    '--recursive',
    '--physical',
    '--absolute-names',
    '--numeric',
    '--skip-base',
    '--no-effective',
  ];
  const lists = parseGetfacl(await readLines(question, { file: 'getfacl', args: [...getfacl, '--', place] }));
  const all: AttributeMap = new Map();
  for (const [path, facts] of [...attributes, ...lists]) {
    // tar does not show the folder itself that it is made of.
    if (question.whole || path !== place)
      all.set(inCopy(path), [...(all.get(inCopy(path)) ?? []), ...facts].sort());
  }
  return all;
}

async function readLines({ restic }: Attributes, command: Command): Promise<string[]> {
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
function visible(map: AttributeMap, isRoot: boolean): AttributeMap {
  const keeps = (fact: string): boolean =>
    !fact.startsWith('security.selinux ') && (isRoot || fact.startsWith('user.') || fact.startsWith('acl '));
  const entries = [...map].map(([path, facts]) => [path, facts.filter(keeps)] as const);
  return new Map(entries.filter(([path, facts]) => facts.length > 0 && !path.includes('\uFFFD')));
}

function compareMaps(inCopy: AttributeMap, onDisk: AttributeMap): string[] {
  const paths = new Set([...inCopy.keys(), ...onDisk.keys()]);
  return [...paths].flatMap((path) => {
    const should = (inCopy.get(path) ?? []).join(', ');
    const is = (onDisk.get(path) ?? []).join(', ');
    return is === should ? [] : [`${path}: attributes are "${is}", not "${should}"`];
  });
}
