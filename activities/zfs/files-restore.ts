import { HoldfastError } from '../../contracts/errors.js';
import type { RestorePlan, RestoreReport } from '../../contracts/jobs.js';
import type { DatasetRestoreStepInput } from '../../contracts/zfs-restore.js';
import { sha256 } from '../../system/sha256.js';
import type { Tools } from '../door.js';
import { addEvidence, readEvidence } from '../host/evidence.js';
import { finishTarget, moveIntoPlace } from '../restic/publish.js';
import {
  allowedTarget,
  claimTarget,
  dataFolder,
  reportFile,
  stagingFolder,
  type TargetState,
  targetState,
} from '../restic/target.js';
import { copyPiece } from './files-copy.js';
import { comparePiece, type Place, runShell } from './files-inventory.js';
import type { FilesPlan, Piece } from './files-plan.js';
import { countScript } from './files-scripts.js';
import { filesFolder, type Origin, openedFiles } from './files-source.js';
import { requireThere } from './files-there.js';
import { folderName } from './source-plan.js';

/** Files out of a frozen snapshot into a folder: copied into a staging folder, compared, and only then moved to where they are looked for. */

interface Prepared {
  files: FilesPlan;
  origin: Origin;
  plan: RestorePlan;
  state: TargetState;
  /** The target stands for the resource's own root: with its owner, mode and time. */
  whole: boolean;
}

/** What the operator is shown, and approves by its digest. */
export const planRestoreFiles = async (tools: Tools, input: DatasetRestoreStepInput): Promise<RestorePlan> =>
  (await prepare(tools, input)).plan;

const placeOf = ({ zfs: { host, signal } }: Origin, run: string, { dataset }: Piece): Place => ({
  host,
  signal,
  folder: `${filesFolder(host, run)}/${folderName(dataset)}`,
});

/** For the folders and the file system's own needs. */
const spareShare = 0.02;

async function prepare(tools: Tools, input: DatasetRestoreStepInput): Promise<Prepared> {
  const { host, config } = tools;
  const { plan: files, origin } = await openedFiles(tools, input);
  const target = await allowedTarget(host, config, input.target);
  tools.progress({ phase: 'counting' });
  const { count, bytes } = await measure(tools, files, origin, input.run);
  const places = files.pieces.map(({ dataset, within, place }) => [dataset, within, place]);
  const digest = sha256(
    JSON.stringify([origin.name, host.name, target, files.snapshot, files.guids, places]),
  );
  const state = await targetState(host, target, digest);
  const bytesFree = await host.freeBytes(target);
  if (state === 'new' && Math.ceil(bytes * (1 + spareShare)) > bytesFree) {
    const message = `The restore to ${target} needs ${bytes} bytes and ${bytesFree} are free. Free some space or choose another place`;
    throw new HoldfastError('HF_NO_SPACE', message.slice(0, 300), { needed: bytes, bytesFree });
  }
  const whole = files.pieces.some(({ place }) => place === '');
  const plan: RestorePlan = {
    snapshot: files.snapshot,
    restorePoint: files.restorePoint,
    target,
    paths: input.paths,
    files: count,
    bytes,
    bytesFree,
    resumes: state !== 'new',
    digest,
    ...(files.notes.length > 0 && { notes: files.notes.slice(0, 20) }),
  };
  return { files, origin, plan, state, whole };
}

async function measure(
  tools: Tools,
  { pieces, snapshot }: FilesPlan,
  origin: Origin,
  run: string,
): Promise<{ count: number; bytes: number }> {
  let [count, bytes] = [0, 0];
  for (const piece of pieces) {
    const place = placeOf(origin, run, piece);
    await requireThere(place, piece, snapshot);
    const [files = '0', size = '0'] = (
      await runShell(place, countScript(place.folder, piece), 'count files')
    ).split(' ');
    count += Number(files);
    bytes += Number(size);
    tools.progress({ phase: 'counting', filesTotal: count });
  }
  return { count, bytes };
}

/** Goes on where a killed attempt stopped; nothing half-done can be taken for a whole restore. */
export async function restoreFiles(tools: Tools, input: DatasetRestoreStepInput): Promise<RestoreReport> {
  const { host } = tools;
  const { run, digest } = input;
  const store = input.store ?? input.job;
  const before = (await readEvidence(host)).find((entry) => entry.kind === 'restore' && entry.run === run);
  if (before?.kind === 'restore') {
    await finishTarget(host, before.report.target, before.folderMtimeNs);
    return before.report;
  }
  const prepared = await prepare(tools, input);
  const { plan, state, whole } = prepared;
  const { target } = plan;
  if (digest !== plan.digest)
    throw new HoldfastError(
      'HF_NOT_APPROVED',
      `The plan of the restore to ${target} is no longer the one that was approved. Start it again and look at the new plan`,
    );
  if (state !== 'publishing') {
    await claimTarget(host, target, digest);
    const report = await copyAndCompare(tools, prepared, run);
    await host.writeFile(reportFile(target), JSON.stringify(report));
  }
  const report = JSON.parse(await host.readFile(reportFile(target))) as RestoreReport;
  const folderMtimeNs = whole ? await rootTime(prepared, run) : undefined;
  tools.progress({ phase: 'moving into place' });
  await moveIntoPlace({ host }, target, '/', whole);
  const fact = {
    kind: 'restore',
    run,
    store,
    digest,
    report,
    ...(folderMtimeNs && { folderMtimeNs }),
  } as const;
  await addEvidence(host, fact);
  await finishTarget(host, target, folderMtimeNs);
  return report;
}

async function rootTime({ files, origin }: Prepared, run: string): Promise<string | undefined> {
  const root = files.pieces.find(({ place }) => place === '');
  if (!root) return undefined;
  const { host, folder } = placeOf(origin, run, root);
  return (await host.facts(folder))?.mtimeNs;
}

async function copyAndCompare(tools: Tools, prepared: Prepared, run: string): Promise<RestoreReport> {
  const { files, origin, plan } = prepared;
  const { host, signal } = tools;
  const isRoot = (await host.run({ file: 'id', args: ['-u'] }, { signal })).stdout.trim() === '0';
  for (const file of ['tar', 'find', 'sha256sum']) {
    await origin.zfs.host.requireProgram(file);
    await host.requireProgram(file);
  }
  // The deepest first: what comes later gives the folders above their times back.
  const deepestFirst = [...files.pieces].sort((one, other) => other.place.length - one.place.length);
  let doneBytes = 0;
  for (const piece of deepestFirst) {
    const from = placeOf(origin, run, piece);
    const folder = folderFor(plan.target, piece);
    await host.makeFolder(folder);
    const onBytes = (bytes: number): void =>
      tools.progress({ phase: 'restoring', bytesDone: doneBytes + bytes, bytesTotal: plan.bytes });
    doneBytes += await copyPiece(tools, from, { host, signal, folder }, { piece, isRoot, onBytes });
  }
  tools.progress({ phase: 'comparing' });
  const [verified, notVerified] = [new Map<string, number>(), new Set<string>()];
  for (const [at, piece] of deepestFirst.entries()) {
    const to = { host, signal, folder: folderFor(plan.target, piece) };
    const name = `${run.replaceAll(':', '')}.${at}`;
    const found = await comparePiece(placeOf(origin, run, piece), to, { piece, name, isRoot });
    for (const difference of found.differences) tools.log(`differs: ${piece.dataset}: ${difference}`);
    if (found.differences.length > 0) throw differs(plan.target, piece, found.differences);
    for (const words of found.verified) verified.set(words, (verified.get(words) ?? 0) + 1);
    for (const words of found.notVerified) notVerified.add(words);
    tools.progress({ phase: 'comparing', filesDone: at + 1, filesTotal: deepestFirst.length });
  }
  return {
    snapshot: plan.snapshot,
    restorePoint: plan.restorePoint,
    target: plan.target,
    files: plan.files,
    bytes: plan.bytes,
    verified: [
      `contents of ${plan.files} files (sha256), type, mode, ${isRoot ? 'owner, ' : ''}size and time of all entries against the snapshot`,
      ...verified.keys(),
    ],
    notVerified: [...(isRoot ? [] : ['owner and group: only root can restore them']), ...notVerified],
    warnings: plan.notes ?? [],
  };
}

/** Where a piece's dataset is unpacked. */
function folderFor(target: string, { place, within }: Piece): string {
  const dataset = within === '' ? place : place.slice(0, Math.max(0, place.length - within.length - 1));
  return dataset === '' ? dataFolder(target) : `${dataFolder(target)}/${dataset}`;
}

function differs(target: string, { dataset }: Piece, differences: readonly string[]): HoldfastError {
  const message = `What was restored to ${target} differs from the snapshot of ${dataset}, first: ${differences[0]}. Do not use it; it lies in ${stagingFolder(target)}`;
  return new HoldfastError('HF_RESTORE_DIFFERS', message.slice(0, 400), {
    differences: differences.slice(0, 10),
  });
}
