import { createHash } from 'node:crypto';
import { resourceOf } from '../../config/lookup.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { RestorePlan, RestoreStepInput } from '../../contracts/jobs.js';
import type { Tools } from '../door.js';
import { readEvidence } from '../host/evidence.js';
import { planAttributes } from './attribute-plan.js';
import { chooseCopy } from './choose-copy.js';
import { openRestic, type Restic } from './driver.js';
import { allowedIdMap, planMapping } from './id-plan.js';
import { planExchange, refuseOwnNames, shownExchange } from './in-place.js';
import { jobWith } from './job.js';
import { knownOf, pointOf, proofOf } from './known.js';
import { type Node, readListing } from './listing.js';
import { noteElsewhere, noteInsteadOf } from './note-beside.js';
import type { Snapshot } from './parse.js';
import type { PreparedRestore } from './prepared-restore.js';
import { checkRoom, spareShare } from './room.js';
import { type Selection, selectPaths } from './selection.js';
import { sparsenessOf } from './sparse-handed.js';
import { allowedTarget, stagingName, targetState } from './target.js';

/** What a restore will do: which copy, which nodes of it, where to, and whether there is room. */

/** What the operator is shown, and approves by its digest. */
export async function planRestore(tools: Tools, input: RestoreStepInput): Promise<RestorePlan> {
  const { plan, exchange, bytesNeeded } = await prepareRestore(tools, input);
  if (exchange) return { ...plan, inPlace: await shownExchange(tools, exchange) };
  return input.first?.length ? { ...plan, first: await planFirst(tools, input, plan, bytesNeeded) } : plan;
}

/** A restore of its own into the folder beside: whole and compared by itself, and nothing of the second one depends on it. */
async function planFirst(
  tools: Tools,
  { first = [], ...input }: RestoreStepInput,
  whole: RestorePlan,
  wholeNeeds: number,
): Promise<NonNullable<RestorePlan['first']>> {
  const own = { paths: first, target: `${whole.target}.first`, copy: whole.snapshot, at: undefined };
  const { plan, bytesNeeded } = await prepareRestore(tools, { ...input, ...own });
  const { target, files, bytes, digest } = plan;
  const needed = Math.ceil((bytesNeeded + wholeNeeds) * (1 + spareShare));
  if (needed <= whole.bytesFree || whole.resumes) return { paths: first, target, files, bytes, digest };
  const message = `The restore to ${whole.target} needs ${needed} bytes with what comes first, and ${whole.bytesFree} are free. Free some space or choose another place`;
  throw new HoldfastError('HF_NO_SPACE', message.slice(0, 300), { needed, bytesFree: whole.bytesFree });
}

/** Looks at everything anew: between plan and restore the world may have changed. */
export async function prepareRestore(tools: Tools, input: RestoreStepInput): Promise<PreparedRestore> {
  const { job, resource, store } = input;
  const { host, config } = tools;
  jobWith(config, { job, resource, store });
  const idMap = allowedIdMap(tools, input.mapIds ?? []);
  const exchange = input.inPlace ? await planExchange(tools, input) : undefined;
  const target = exchange?.staged ?? (await allowedTarget(host, config, input.target));
  const restic = await openRestic(tools, store, `restore-${sha256(target).slice(0, 16)}`);
  tools.progress({ phase: 'choosing the copy' });
  const what = `"${resource}" by the job "${job}" in the store "${store}"`;
  const known = knownOf(await readEvidence(host));
  const { snapshot, root, isPart } = await chooseCopy(restic, config, input, { known, what });
  const selection = selectPaths(root, input.paths, what);
  tools.progress({ phase: 'listing the copy' });
  const { nodes, listingDigest } = await selectNodes(restic, snapshot, selection, root);
  if (exchange) await refuseOwnNames(host, exchange, root, nodes);
  const { files, bytes } = sizeOf(nodes);
  const paths = selection.whole
    ? []
    : selection.wanted.map((path) => path.slice(root === '/' ? 1 : root.length + 1));
  const mapping = await planMapping(tools, nodes, idMap, input.mapIds ?? []);
  const first = input.first?.length ? [input.first] : [];
  const owners = mapping ? [{ mapIds: mapping.mapIds }] : [];
  const digest = sha256(
    JSON.stringify([store, job, resource, snapshot.id, target, paths, listingDigest, ...first, ...owners]),
  );
  const state = await targetState(host, target, digest, exchange !== undefined);
  const mayReadAgain = input.compareAttributes ?? false;
  const plan = {
    snapshot: snapshot.id,
    restorePoint: pointOf(known, snapshot),
    target,
    paths,
    files,
    bytes,
    bytesFree: await host.freeBytes(target),
    resumes: state !== 'new',
    digest,
    ...(isPart ? { isPart } : { proof: proofOf(known, snapshot, host.name) }),
    ...(snapshot.hostname !== resourceOf(config, resource).host && { madeBy: snapshot.hostname }),
    ...(mapping && { mapping }),
    attributes: await planAttributes(restic, bytes, mayReadAgain),
  };
  const sparse = await noteInsteadOf(tools, restic, input, snapshot);
  const sparseness = await sparsenessOf(host, { resource, sparse });
  const bytesNeeded = await checkRoom(restic, {
    ...{ plan, state, nodes, root, note: sparseness.note },
    otherNote: () => noteElsewhere(tools, restic, input, snapshot),
  });
  const found = { restic, snapshot, root, selection, nodes, state, sparseness };
  return { plan, bytesNeeded, exchange, ...found, idMap, mayReadAgain };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

async function selectNodes(restic: Restic, snapshot: Snapshot, selection: Selection, root: string) {
  const hash = createHash('sha256');
  const nodes: Node[] = [];
  await readListing(restic, snapshot.id, (node, line) => {
    if (!selection.see(node.path)) return;
    nodes.push(node);
    hash.update(`${line}\n`);
  });
  selection.checkAllSeen();
  const clash = `${root === '/' ? '' : root}/${stagingName}`;
  if (nodes.some(({ path }) => path === clash)) {
    const message = `The copy itself holds "${stagingName}", the name of our own working folder: restore the paths beside it with --path`;
    throw new HoldfastError('HF_TARGET_REFUSED', message);
  }
  return { nodes, listingDigest: hash.digest('hex') };
}

function sizeOf(nodes: readonly Node[]): { files: number; bytes: number } {
  const files = nodes.filter(({ type }) => type === 'file');
  return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}
