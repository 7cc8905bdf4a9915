import { HoldfastError } from '../../contracts/errors.js';
import type { IdMap } from '../../contracts/id-map.js';
import { isUtf8Name, shownName } from '../../system/file-names.js';
import { chooseWay } from './attribute-plan.js';
import { factsOf, getfattrOptions, getfattrReader, type NamedValue } from './attribute-text.js';
import { readThroughDump } from './attributes-dump.js';
import { readThroughMount } from './copy-mount.js';
import type { Restic } from './driver.js';
import type { Findings } from './findings.js';
import type { Node } from './listing.js';
import { isAtLeast } from './parse.js';
import type { PreparedRestore } from './prepared-restore.js';
import { dataFolder } from './target.js';
import { resticVersion } from './versions.js';

/** Access lists and extended attributes, value by value, and the bytes of names that are no UTF-8: what no listing of restic tells. */

const noMap: IdMap = { uid: [], gid: [] };

/** `prepared.nodes` are named as on the disk. A way that fails is a warning, because the plan had promised it. */
export async function compareAttributes(prepared: PreparedRestore, isRoot: boolean): Promise<Findings> {
  const { plan, restic } = prepared;
  let planned = plan.attributes;
  const warnings: string[] = [];
  if (planned.way === 'mount') {
    const found = await throughMount(prepared, isRoot);
    if (typeof found !== 'string') return found;
    restic.log(`attributes of the copy: ${found}`);
    warnings.push(`Access lists and attributes were not compared as planned: ${found}`);
    planned = chooseWay({
      bytes: plan.bytes,
      asked: prepared.mayReadAgain,
      missing: undefined,
      noMount: found,
    });
  }
  const found = planned.way === 'second read' ? await throughDump(prepared, isRoot) : (planned.why ?? '');
  if (typeof found !== 'string') return { ...found, warnings };
  return { verified: [], notVerified: notCompared(prepared, found), differences: [], warnings };
}

const notCompared = ({ nodes }: PreparedRestore, why: string): string[] => {
  const odd = oddNames(nodes).size;
  const names = odd > 0 ? [`the very bytes of ${odd} names that are not valid UTF-8`] : [];
  return [`access lists and extended attributes: ${why}`, ...names];
};

async function throughMount(prepared: PreparedRestore, isRoot: boolean): Promise<Findings | string> {
  const { restic, snapshot, selection, nodes, idMap } = prepared;
  restic.progress({ phase: 'comparing attributes' });
  const comparison = await beginComparison(prepared, selection.wanted, isRoot);
  const tellsLinks = isAtLeast(await resticVersion(restic), [0, 18]);
  let seen = 0;
  const why = await readThroughMount({
    restic,
    snapshot: snapshot.id,
    wanted: selection.wanted,
    tellsLinks,
    onName: (path) => {
      if (path !== '/') seen += 1;
      if (!isUtf8Name(path)) comparison.name(path);
    },
    onAttributes: (path, values) => comparison.facts(path, factsOf(values, idMap)),
  });
  if (why !== undefined) return why;
  if (seen !== nodes.length) return `the mount of the copy shows ${seen} of ${nodes.length} entries`;
  const told = new Set<Node['type']>(['file', 'dir', ...(tellsLinks ? (['symlink'] as const) : [])]);
  const untold = new Set(nodes.filter(({ type }) => !told.has(type)).map(({ path }) => path));
  const kinds = tellsLinks ? 'pipes, sockets and devices' : 'symbolic links, pipes, sockets and devices';
  const notTold = untold.size > 0 ? [`attributes of ${untold.size} ${kinds}: restic mount shows none`] : [];
  return comparison.end(notTold, (path) => untold.has(path));
}

async function throughDump(prepared: PreparedRestore, isRoot: boolean): Promise<Findings | string> {
  const { restic, snapshot, selection, nodes, idMap } = prepared;
  const isFolder = new Set(['/', ...nodes.filter(({ type }) => type === 'dir').map(({ path }) => path)]);
  const folders = selection.wanted.filter((path) => isFolder.has(path));
  const singles = selection.wanted.length - folders.length;
  if (folders.length === 0) return 'restic does not tell those of single files';
  restic.progress({ phase: 'comparing attributes, reading the copy again' });
  const comparison = await beginComparison(prepared, folders, isRoot);
  try {
    const { whole } = selection;
    const { name, facts } = comparison;
    const question = { restic, snapshot: snapshot.id, folders, whole, idMap, onName: name, onFacts: facts };
    const why = await readThroughDump(question);
    if (why !== undefined) return why;
    const left = [
      ...(whole ? [] : ['access lists and extended attributes of the chosen folders themselves']),
      ...(singles > 0
        ? [`access lists and extended attributes of ${singles} paths that are single files`]
        : []),
    ];
    // tar does not show the folder itself that it is made of.
    return comparison.end(left, (path) => !whole && folders.includes(path));
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'HF_TOOL_MISSING') throw error;
    return error.message;
  }
}

const oddNames = (nodes: readonly Node[]): Set<string> =>
  new Set(nodes.flatMap(({ path }) => (isUtf8Name(path) ? [] : [path])));

/** What the copy says is compared as it comes; only what lies on the disk is held. */
async function beginComparison(
  { restic, plan, nodes }: PreparedRestore,
  wanted: readonly string[],
  isRoot: boolean,
) {
  const onDisk = await attributesOnDisk(restic, dataFolder(plan.target), wanted, isRoot);
  const names = oddNames(nodes);
  const named = names.size;
  const differences: string[] = [];
  let compared = 0;
  const compare = (path: string, should: string, is: string): void => {
    if (should === '' && is === '') return;
    compared += 1;
    if (is !== should) differences.push(`${shownName(path)}: attributes are "${is}", not "${should}"`);
  };
  return {
    name(path: string): void {
      if (!names.delete(path)) differences.push(`${shownName(path)}: this very name was not restored`);
    },
    facts(path: string, facts: readonly string[]): void {
      compare(path, visible(facts, isRoot), onDisk.get(path) ?? '');
      onDisk.delete(path);
    },
    end(notTold: readonly string[], passed: (path: string) => boolean): Findings {
      for (const [path, facts] of onDisk) if (!passed(path)) compare(path, '', facts);
      for (const path of names) differences.push(`${shownName(path)}: this very name is not in the copy`);
      const odd = named > 0 ? [`${named} names that are not valid UTF-8, byte for byte`] : [];
      return {
        verified: [`access lists and values of extended attributes (${compared} entries have some)`, ...odd],
        notVerified: [...notTold, ...(isRoot ? [] : [onlyUser])],
        differences,
      };
    },
  };
}

const onlyUser = 'attributes outside of user.*: only root can restore them, and the worker is not root';

async function attributesOnDisk(
  restic: Restic,
  data: string,
  wanted: readonly string[],
  isRoot: boolean,
): Promise<Map<string, string>> {
  const places = wanted.map((path) => (path === '/' ? data : `${data}${path}`));
  const onDisk = new Map<string, string>();
  await readGetfattr(restic, ['--recursive', '--match=-', '--', ...places], (path, values) => {
    const facts = visible(factsOf(values, noMap), isRoot);
    if (facts !== '') onDisk.set(path.slice(data.length) || '/', facts);
  });
  return onDisk;
}

/** Everything that getfattr tells, file by file; its failure is an error. */
export async function readGetfattr(
  { host, signal }: Pick<Restic, 'host' | 'signal'>,
  args: readonly string[],
  onFile: (path: string, values: NamedValue[]) => void,
): Promise<void> {
  const reader = getfattrReader(onFile);
  const command = { file: 'getfattr', args: [...getfattrOptions, ...args], env: { LC_ALL: 'C' } };
  const { exitCode, stderrTail } = await host.run(command, {
    signal,
    bytes: true,
    onLine: (line, stream) => {
      if (stream === 'stdout') reader.line(line);
    },
  });
  reader.end();
  if (exitCode === 0) return;
  throw new HoldfastError('HF_TOOL_FAILED', `getfattr failed: ${stderrTail.trim()}`.slice(0, 300));
}

/** What the target's own system sets is not the copy's, and who is not root sees and sets user.* only. */
function visible(facts: readonly string[], isRoot: boolean): string {
  const ofSystem = /^(security\.selinux|btrfs\.\S*) /;
  const keeps = (fact: string): boolean =>
    !ofSystem.test(fact) && (isRoot || fact.startsWith('user.') || fact.startsWith('acl '));
  return facts.filter(keeps).toSorted().join(', ');
}
