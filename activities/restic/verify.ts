import { HoldfastError } from '../../contracts/errors.js';
import type { RestoreReport } from '../../contracts/jobs.js';
import { compareAttributes } from './attributes.js';
import { compareNodes } from './compare.js';
import { checkHardLinks } from './hard-links.js';
import { withMappedOwner } from './id-plan.js';
import { type Node, readLinkTargets } from './listing.js';
import type { PreparedRestore } from './restore-plan.js';
import { scanTree } from './scan.js';
import { sparsenessFindings } from './sparse-check.js';
import { dataFolder } from './target.js';

/** Compares what was restored with what the copy holds, and says what was compared, what was not, and what differs. */

/** Throws HF_RESTORE_DIFFERS when anything differs; `prepared.nodes` are named as on the disk. Contents were compared by restic itself, which had ended well. */
export async function verifyRestore(
  prepared: PreparedRestore,
  complaints: readonly string[],
): Promise<RestoreReport> {
  const { restic, plan } = prepared;
  restic.progress({ phase: 'comparing' });
  const disk = await scanTree(restic, dataFolder(plan.target));
  const nodes = (await withLinkTargets(prepared)).map((node) => withMappedOwner(node, prepared.idMap));
  const all = [
    { verified: [`contents of ${plan.files} files (hashes, by restic)`], notVerified: [], differences: [] },
    compareNodes(nodes, disk.entries, disk.isRoot, isPlanned(prepared)),
    { verified: mappingVerified(prepared), notVerified: [], differences: [] },
    await checkHardLinks(prepared, disk.entries),
    await compareAttributes(prepared, disk.isRoot),
    sparsenessFindings(prepared, disk.entries),
  ];
  const differences = all.flatMap((findings) => findings.differences);
  for (const difference of differences) restic.log(`differs: ${difference}`);
  if (differences.length > 0) throw differs(plan.target, differences);
  const { snapshot, restorePoint, target, files, bytes } = plan;
  return {
    snapshot,
    restorePoint,
    target,
    files,
    bytes,
    verified: all.flatMap((findings) => findings.verified),
    notVerified: all.flatMap((findings) => findings.notVerified),
    warnings: [...complaints.slice(0, 20), ...all.flatMap(({ warnings }) => warnings ?? [])],
  };
}

const mappingVerified = ({ plan: { mapping } }: PreparedRestore): string[] =>
  mapping
    ? [`mapping of owners by ${mapping.mapIds.join(', ')}: ${mapping.entries} entries have new ones`]
    : [];

/** Folders on the way to what was wanted are there too, but were not asked for. */
const isPlanned = ({ selection }: PreparedRestore) => {
  const wanted = selection.wanted;
  return (path: string): boolean =>
    wanted.some((wish) => path === wish || wish.startsWith(path === '/' ? '/' : `${path}/`));
};

/** The listing in words comes in one piece, some 150 bytes for each entry. */
const mostNodes = 1_000_000;

async function withLinkTargets({ restic, snapshot, nodes }: PreparedRestore): Promise<Node[]> {
  const unknown = nodes.filter(({ type, linkTarget }) => type === 'symlink' && linkTarget === undefined);
  if (unknown.length === 0 || nodes.length > mostNodes) return nodes;
  const targets = await readLinkTargets(restic, snapshot.id, unknown);
  return nodes.map((node) =>
    targets.has(node.path) ? { ...node, linkTarget: targets.get(node.path) } : node,
  );
}

function differs(target: string, differences: readonly string[]): HoldfastError {
  const named = differences.slice(0, 10);
  const message = `What was restored to ${target} differs from the copy in ${differences.length} places, first: ${named[0]}. Do not use it; the log names them all`;
  return new HoldfastError('HF_RESTORE_DIFFERS', message.slice(0, 300), { differences: named });
}
