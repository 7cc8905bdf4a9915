import { HoldfastError } from '../../contracts/errors.js';
import type { FailoverStepInput, SourceState } from '../../contracts/failover.js';
import type { Tools } from '../door.js';
import type { FailoverFacts, SourceSeen } from './failover-facts.js';
import { type Failover, openFailover } from './failover-job.js';
import { seeOthers } from './failover-others.js';
import { proveOff } from './failover-proof.js';
import { listTrees } from './listing.js';
import { planReplication } from './plan-replication.js';
import { requestOf } from './replicate-job.js';
import { refuseSameDatasets } from './replicate-survey.js';
import { ownPlaces, readSharing, type SavedSharing } from './sharing.js';
import type { Listing } from './types.js';

/** What is seen of both sides right now. Nothing is changed by it. */

export interface FailoverLook {
  failover: Failover;
  facts: FailoverFacts;
}

/** What a failing listing says about the machine; whatever else fails is no state but an error. */
const stateFor: Readonly<Record<string, SourceState>> = {
  HF_SSH_UNREACHABLE: 'silent',
  HF_DATASET_MISSING: 'lost',
  HF_POOL_SUSPENDED: 'lost',
  HF_TOOL_MISSING: 'lost',
};

export async function lookForFailover(tools: Tools, input: FailoverStepInput): Promise<FailoverLook> {
  const failover = openFailover(tools, input);
  tools.progress({ phase: 'looking at both sides' });
  const [source, target, others] = await Promise.all([
    seeSource(failover),
    seeTarget(failover),
    seeOthers(tools, input),
  ]);
  const { sides, sourceRoot, targetRoot, job, selection } = failover;
  if (source.state === 'answers') refuseSameDatasets(source.listing, target);
  const saved = await readSharing(failover.source.host, failover.target.host, input.resource);
  const request = requestOf(tools.config, job, input);
  const proof = source.state === 'silent' ? await proveOff(tools, sides.sourceHost) : undefined;
  const plans =
    source.state === 'answers' ? planReplication({ ...request, source: source.listing, target }) : undefined;
  return {
    failover,
    facts: {
      run: input.run,
      store: input.store,
      resource: selection.resource,
      settings: input.settings,
      sides,
      sourceRoot,
      targetRoot,
      source,
      target,
      ...(plans && { plans }),
      ...(saved && { saved }),
      ...(proof && { proof }),
      occupied: await occupiedPlaces(failover, target, saved),
      hooks: job.failover,
      others,
    },
  };
}

async function seeSource({ source, sourceRoot }: Failover): Promise<SourceSeen> {
  try {
    return { state: 'answers', listing: await listTrees(source, { roots: [sourceRoot] }) };
  } catch (error) {
    const state = error instanceof HoldfastError ? stateFor[error.code] : undefined;
    if (state === undefined || state === 'answers') throw error;
    return { state, words: (error as HoldfastError).message };
  }
}

async function seeTarget({ target, targetRoot, sides }: Failover): Promise<Listing> {
  try {
    return await listTrees(target, { roots: [targetRoot] });
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'HF_DATASET_MISSING') throw error;
    throw new HoldfastError(
      'HF_FAILOVER_REFUSED',
      `There is no replica ${targetRoot} on ${sides.targetHost}: nothing can take over. Nothing was changed`.slice(
        0,
        300,
      ),
    );
  }
}

/** Mount points that the replicas would take over and where something lies already: it would be covered. */
async function occupiedPlaces(
  { target: { host }, sourceRoot, targetRoot }: Failover,
  target: Listing,
  saved: SavedSharing | undefined,
): Promise<string[]> {
  const wanted = [...target.values()].flatMap(({ name, mounted, mountpoint }) => {
    const place = ownPlaces(saved, `${sourceRoot}${name.slice(targetRoot.length)}`).mountpoint;
    return place?.startsWith('/') && !(mounted && mountpoint === place) ? [place] : [];
  });
  const occupied: string[] = [];
  for (const place of wanted)
    if ((await host.exists(place)) && (await host.list(place)).length > 0) occupied.push(place);
  return occupied;
}
