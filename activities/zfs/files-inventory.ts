import { HoldfastError } from '../../contracts/errors.js';
import { parseIdMap } from '../../contracts/id-map.js';
import type { Host, RunResult } from '../../system/host.js';
import { factsOf, getfattrReader } from '../restic/attribute-text.js';
import type { Piece } from './files-plan.js';
import { attributesScript, linesScript, linksScript, recordScript } from './files-scripts.js';
import { quote } from './replicate-script.js';

/** What lies in a frozen snapshot, and what lies in the restored tree: looked at by the same programs on either side, and compared. */

/** One side of a comparison. */
export interface Place {
  host: Host;
  signal: AbortSignal;
  /** The folder of the piece's dataset, or where it was restored to. */
  folder: string;
}

export interface Compared {
  verified: string[];
  notVerified: string[];
  differences: string[];
}

const shell = (
  { host, signal }: Place,
  script: string,
  onLine?: (line: string) => void,
): Promise<RunResult> =>
  host.run(
    { file: 'sh', args: ['-c', script], env: { LC_ALL: 'C' } },
    { signal, ...(onLine && { onLine: (line, stream) => void (stream === 'stdout' && onLine(line)) }) },
  );

/** A program of sh whose failure is an error; its output. */
export async function runShell(place: Place, script: string, doing: string): Promise<string> {
  return must(await shell(place, script), doing, place).stdout;
}

function must(result: RunResult, doing: string, { host }: Place): RunResult {
  if (result.exitCode === 0) return result;
  const words =
    result.stderrTail.trim().split('\n').slice(-2).join(' ') || `exit ${result.exitCode ?? result.signal}`;
  throw new HoldfastError('HF_TOOL_FAILED', `Cannot ${doing} on "${host.name}": ${words}`.slice(0, 300));
}

const recordsFile = ({ host }: Place, name: string): string => `${host.stateFolder}/compare/${name}`;

/** Contents and metadata of one piece; `name` is of this run and piece, for files that lie beside while it is done. */
export async function comparePiece(
  from: Place,
  to: Place,
  { piece, name, isRoot }: { piece: Piece; name: string; isRoot: boolean },
): Promise<Compared> {
  const sides = [
    { place: from, piece, out: recordsFile(from, `${name}.from`) },
    { place: to, piece, out: recordsFile(to, `${name}.to`) },
  ] as const;
  const digests = await Promise.all(sides.map((side) => digestOf(side, isRoot)));
  const [is, should] = [digests[1], digests[0]];
  const differences = is?.digest === should?.digest ? [] : await differing(sides);
  for (const { place, out } of sides) await runShell(place, `rm -f -- ${quote(out)}`, 'tidy up');
  const links = await compareLinks(sides);
  const attributes = await compareAttributes(sides, isRoot);
  return {
    verified: [...links.verified, ...attributes.verified],
    notVerified: [
      ...(should && should.sockets > 0 ? [`${should.sockets} sockets: they are not copied`] : []),
      ...attributes.notVerified,
    ],
    differences: [...differences, ...links.differences, ...attributes.differences],
  };
}

interface Side {
  place: Place;
  piece: Piece;
  out: string;
}

async function digestOf(
  { place, piece, out }: Side,
  isRoot: boolean,
): Promise<{ digest: string; sockets: number }> {
  await place.host.makeFolder(`${place.host.stateFolder}/compare`);
  const text = await runShell(place, recordScript(place.folder, piece, out, isRoot), 'read what is compared');
  const [digest = '', sockets = ''] = text.trim().split(/\s+/);
  if (!/^[0-9a-f]{64}$/.test(digest))
    throw new HoldfastError(
      'HF_TOOL_FAILED',
      `"${place.host.name}" gave no digest of ${place.folder}`.slice(0, 300),
    );
  return { digest, sockets: Number(sockets) };
}

const mostShown = 20;

/** Only when the digests differ: which records are on one side alone. */
async function differing([from, to]: readonly [Side, Side]): Promise<string[]> {
  const should = new Set<string>();
  must(
    await shell(from.place, linesScript(from.out), (line) => void should.add(line)),
    'read records',
    from.place,
  );
  const differences: string[] = [];
  const onLine = (line: string): void => {
    if (!should.delete(line)) differences.push(`restored: ${shownRecord(line)}`);
  };
  must(await shell(to.place, linesScript(to.out), onLine), 'read records', to.place);
  for (const line of should) differences.push(`in the snapshot: ${shownRecord(line)}`);
  return differences.length > 0 ? differences.slice(0, mostShown) : ['the digests of both sides differ'];
}

const shownRecord = (line: string): string => line.replaceAll('\0', '?').slice(0, 200);

/** By inode on each side; what counts is which names share a file. */
async function compareLinks(sides: readonly [Side, Side]): Promise<Omit<Compared, 'notVerified'>> {
  const groups = await Promise.all(
    sides.map(async ({ place, piece, out }) => {
      const byInode = new Map<string, string[]>();
      const onLine = (line: string): void => {
        const [, inode = '', path = ''] = /^(\d+) (.*)$/s.exec(line) ?? [];
        byInode.set(inode, [...(byInode.get(inode) ?? []), path]);
      };
      must(await shell(place, linksScript(place.folder, piece, out), onLine), 'read links', place);
      return new Set(
        [...byInode.values()].filter((names) => names.length > 1).map((names) => names.sort().join('\n')),
      );
    }),
  );
  const [should = new Set<string>(), is = new Set<string>()] = groups;
  const missing = [...should].filter((group) => !is.has(group));
  const extra = [...is].filter((group) => !should.has(group));
  return {
    verified: should.size > 0 ? [`hard links of ${should.size} files`] : [],
    differences: [...missing, ...extra]
      .slice(0, mostShown)
      .map((group) => `hard links differ: ${shownRecord(group.replaceAll('\n', ', '))}`),
  };
}

/** Labels of the target's own system are not the copy's; who is not root sees and sets user.* only. */
const isCompared = (name: string, isRoot: boolean): boolean =>
  name !== 'security.selinux' && (isRoot || /^user\.|^system\.posix_acl_/.test(name));

async function compareAttributes(sides: readonly [Side, Side], isRoot: boolean): Promise<Compared> {
  const lacking = await Promise.all(
    sides.map(async ({ place }) => ((await place.host.findProgram('getfattr')) ? [] : [place.host.name])),
  );
  const [without] = lacking.flat();
  if (without !== undefined)
    return {
      verified: [],
      notVerified: [`access lists and extended attributes: there is no getfattr on "${without}"`],
      differences: [],
    };
  const facts = await Promise.all(sides.map((side) => attributesOf(side, isRoot)));
  const [should = new Map<string, string>(), is = new Map<string, string>()] = facts;
  const paths = new Set([...should.keys(), ...is.keys()]);
  const differences = [...paths].filter((path) => should.get(path) !== is.get(path));
  return {
    verified: [`access lists and extended attributes (${should.size} entries have some)`],
    notVerified: isRoot ? [] : ['attributes outside of user.* and access lists: only root can restore them'],
    differences: differences
      .slice(0, mostShown)
      .map((path) => `${path}: attributes are "${is.get(path) ?? ''}", not "${should.get(path) ?? ''}"`),
  };
}

async function attributesOf({ place, piece }: Side, isRoot: boolean): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  const reader = getfattrReader((path, values) => {
    const compared = values.filter(({ name }) => isCompared(name, isRoot));
    const facts = factsOf(compared, parseIdMap([])).join(', ');
    if (facts !== '') all.set(path, facts);
  });
  must(await shell(place, attributesScript(place.folder, piece), reader.line), 'read attributes', place);
  reader.end();
  return all;
}
