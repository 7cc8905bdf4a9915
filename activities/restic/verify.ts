import { HoldfastError } from '../../contracts/errors.js';
import type { RestoreReport } from '../../contracts/jobs.js';
import { compareAttributes } from './attributes.js';
import { nodeCheck } from './compare.js';
import type { Findings } from './findings.js';
import { hardLinkCheck } from './hard-links.js';
import { withMappedOwner } from './id-plan.js';
import { type Node, readLinkTargets } from './listing.js';
import type { PreparedRestore } from './prepared-restore.js';
import { isRootOn, scanTree } from './scan.js';
import { sparsenessCheck } from './sparse-check.js';
import { dataFolder } from './target.js';

/** Compares what was restored with what the copy holds, and says what was compared, what was not, and what differs. */

/** Throws HF_RESTORE_DIFFERS when anything differs; `prepared.nodes` are named as on the disk. Contents were compared by restic itself, which had ended well. */
export async function verifyRestore(
  prepared: PreparedRestore,
  complaints: readonly string[],
): Promise<RestoreReport> {
  const { restic, plan } = prepared;
  restic.progress({ phase: 'comparing' });
  const isRoot = await isRootOn(restic);
  const all = [
    { verified: [`contents of ${plan.files} files (hashes, by restic)`], notVerified: [], differences: [] },
    { verified: mappingVerified(prepared), notVerified: [], differences: [] },
    ...(await compareEntries(prepared, isRoot)),
    await compareAttributes(prepared, isRoot),
    { verified: [], notVerified: rootNotVerified(prepared), differences: [] },
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

const rootNotVerified = ({ root, selection }: PreparedRestore): string[] =>
  root === '/' && selection.whole
    ? ['owner, mode, time and attributes of "/" itself: restic keeps none of them']
    : [];

/** Folders on the way to what was wanted are there too, but were not asked for. */
const isPlanned = ({ selection }: PreparedRestore) => {
  const wanted = selection.wanted;
  return (path: string): boolean =>
    wanted.some((wish) => path === wish || wish.startsWith(path === '/' ? '/' : `${path}/`));
};

/** What the disk holds is looked at as it comes, and none of it is kept. */
async function compareEntries(prepared: PreparedRestore, isRoot: boolean): Promise<Findings[]> {
  const { restic, plan, nodes, idMap } = prepared;
  const targets = await linkTargets(prepared);
  const asRestored = (node: Node): Node => {
    const linkTarget = targets.get(node.path);
    return withMappedOwner(linkTarget === undefined ? node : { ...node, linkTarget }, idMap);
  };
  const entries = nodeCheck({ nodes, isRoot, mayExist: isPlanned(prepared), asRestored });
  const links = await hardLinkCheck(prepared);
  const holes = sparsenessCheck(prepared);
  await scanTree(restic, dataFolder(plan.target), (found) => {
    const node = entries.see(found);
    if (!node) return;
    links.see(node, found);
    holes.see(node, found);
  });
  return [entries.end(), await links.end(), holes.end()];
}

async function linkTargets({ restic, snapshot, nodes }: PreparedRestore): Promise<Map<string, string>> {
  const unknown = nodes.filter(({ type, linkTarget }) => type === 'symlink' && linkTarget === undefined);
  return unknown.length === 0 ? new Map() : readLinkTargets(restic, snapshot.id, unknown);
}

function differs(target: string, differences: readonly string[]): HoldfastError {
  const named = differences.slice(0, 10);
  const message = `What was restored to ${target} differs from the copy in ${differences.length} places, first: ${named[0]}. Do not use it; the log names them all`;
  return new HoldfastError('HF_RESTORE_DIFFERS', message.slice(0, 300), { differences: named });
}
