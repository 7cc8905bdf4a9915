import { HoldfastError } from '../../contracts/errors.js';
import type { RestoreReport, RestoreStepInput } from '../../contracts/jobs.js';
import type { Tools } from '../door.js';
import { addEvidence, type Evidence, type RestoreProved, readEvidence } from '../host/evidence.js';
import { restoreVerb } from './command.js';
import { withDiskNames } from './disk-names.js';
import { removeStaleLocks, runRestic } from './driver.js';
import { digHoles } from './holes.js';
import { mapOwners } from './map-owners.js';
import { isAtLeast, parseRestoreLine } from './parse.js';
import type { PreparedRestore } from './prepared-restore.js';
import { followProgress } from './progress.js';
import { finishTarget, moveIntoPlace } from './publish.js';
import { prepareRestore } from './restore-plan.js';
import { digFilledHoles, knownSparse } from './sparse-check.js';
import { claimTarget, dataFolder, reportFile, stagingFolder } from './target.js';
import { verifyRestore } from './verify.js';
import { resticVersion } from './versions.js';

/** Restores into a staging folder, compares everything, and only then moves it to where it is looked for. */

/** Goes on where a killed attempt stopped; nothing half-done can be taken for a whole restore. */
export async function restoreCopy(tools: Tools, input: RestoreStepInput): Promise<RestoreReport> {
  const before = (await readEvidence(tools.host)).find(isEndOf(input));
  if (before) return endAgain(tools, before);
  const prepared = await prepareRestore(tools, input);
  const { plan, restic, state } = prepared;
  if (input.digest !== undefined && input.digest !== plan.digest) {
    const message = `The plan of the restore to ${plan.target} is no longer the one that was approved. Start it again and look at the new plan`;
    throw new HoldfastError('HF_NOT_APPROVED', message);
  }
  const { host } = restic;
  if (state !== 'publishing') {
    await removeStaleLocks(restic);
    await claimTarget(host, plan.target, plan.digest);
    const complaints = await fetchData(prepared);
    const named = await withDiskNames(prepared);
    await makeHoles(named);
    complaints.push(...(await mapOwners(named)));
    if (plan.isPart)
      complaints.unshift('The copy is a part of an unfinished first upload: much may be missing');
    const report = await verifyRestore(named, complaints);
    await host.writeFile(reportFile(plan.target), JSON.stringify(report));
  }
  const report = JSON.parse(await host.readFile(reportFile(plan.target))) as RestoreReport;
  return publish(tools, input, prepared, report);
}

const isEndOf =
  ({ run, store, digest }: RestoreStepInput) =>
  (entry: Evidence): entry is Evidence & RestoreProved =>
    entry.kind === 'restore' && entry.run === run && entry.store === store && entry.digest === digest;

/** The attempt before had everything in place and proved: only its answer, or the last tidying, was lost. */
async function endAgain({ host }: Tools, { report, folderMtimeNs }: RestoreProved): Promise<RestoreReport> {
  await finishTarget(host, report.target, folderMtimeNs);
  return report;
}

async function publish(
  { host }: Tools,
  { run, store, resource }: RestoreStepInput,
  prepared: PreparedRestore,
  report: RestoreReport,
): Promise<RestoreReport> {
  const { plan, exchange, root, selection, nodes, restic } = prepared;
  restic.progress({ phase: 'moving into place' });
  await moveIntoPlace(restic, plan.target, root, selection.whole);
  const folderMtimeNs = selection.whole ? nodes.find(({ path }) => path === root)?.mtimeNs : undefined;
  const { digest } = plan;
  await addEvidence(host, {
    kind: 'restore',
    run,
    store,
    digest,
    report,
    ...(folderMtimeNs && { folderMtimeNs }),
    ...(exchange && { inPlaceOf: resource }),
  });
  await finishTarget(host, plan.target, folderMtimeNs);
  return report;
}

/** Runs restic; what it complains about without failing is handed back. */
async function fetchData({ restic, plan, selection, snapshot }: PreparedRestore): Promise<string[]> {
  const { host } = restic;
  const version = await resticVersion(restic);
  const data = dataFolder(plan.target);
  // Up to 0.16 restic stumbles over links and pipes of an earlier attempt; newer ones keep what is right.
  const keepsEarlier = isAtLeast(version, [0, 17]);
  if (!keepsEarlier && (await host.exists(data))) await host.removeTree(data, stagingFolder(plan.target));
  const complaints: string[] = [];
  const onStatus = followProgress(restic, 'restoring');
  const verb = restoreVerb({
    snapshot: snapshot.id,
    target: data,
    paths: selection.whole ? [] : selection.wanted,
    sparse: isAtLeast(version, [0, 15]),
    json: isAtLeast(version, [0, 16]),
  });
  await runRestic(restic, verb, {
    onSecondTry: () => void complaints.splice(0),
    onLine: (line, stream) => {
      const parsed = parseRestoreLine(line);
      if (parsed?.kind === 'status') onStatus(parsed);
      if (stream === 'stderr' && line.trim() !== '')
        complaints.push(parsed?.kind === 'error' ? parsed.item : line);
    },
  });
  return complaints;
}

async function makeHoles({ restic, plan, nodes, root, sparseness }: PreparedRestore): Promise<void> {
  const data = dataFolder(plan.target);
  if (!isAtLeast(await resticVersion(restic), [0, 15])) await digHoles(restic, data, nodes);
  await digFilledHoles(restic, data, knownSparse(nodes, root, sparseness.note));
}
