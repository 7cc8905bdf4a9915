import { dirname, isAbsolute } from 'node:path';
import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Host } from '../../system/host.js';
import { isWithin } from './selection.js';

/** Where a restore may write, and what lies there already. */

/** Our own folder inside a target, until everything in it is whole and compared. */
export const stagingName = '.holdfast-restore';

/** The real path of a target that this host allows; whatever links it is named by. */
export async function allowedTarget(host: Host, config: Config, target: string): Promise<string> {
  if (!isAbsolute(target)) throw refused(target, 'it is not an absolute path');
  const real = await host.realPath(target);
  if (await leadsThroughDeadLink(host, real)) throw refused(target, 'it leads through a link to nowhere');
  const bases = ['/tmp', `${host.stateFolder}/restores`, ...(config.hosts[host.name]?.restore ?? [])];
  for (const base of bases) {
    const within = await host.realPath(base);
    if (real === within || !isWithin(real, within)) continue;
    await requireOwn(host, real, within);
    return real;
  }
  throw refused(target, `it does not lie below ${bases.join(', ')}`);
}

/**
 * Below an allowed place, every folder on the way must be ours alone: whoever else can write there could put a link where we are about to
 * write, or pass off a folder of his as the half-done work of a restore.
 */
export async function requireOwn(host: Host, path: string, within: string): Promise<void> {
  const own = (await host.facts(host.stateFolder))?.uid ?? 0;
  for (let folder = path; folder !== within; folder = dirname(folder)) {
    const facts = await host.facts(folder);
    if (!facts) continue;
    if (facts.type !== 'dir') throw refused(path, `${folder} is not a folder`);
    const isSafe = (facts.mode & 0o022) === 0 || (facts.mode & 0o1000) !== 0;
    if (isSafe && (facts.uid === 0 || facts.uid === own)) continue;
    throw refused(
      path,
      `${folder} belongs to another user, or others may write there; name a folder that is not there yet`,
    );
  }
}

/** `realPath` keeps what does not exist; a link whose end is missing would be followed once something makes it. */
async function leadsThroughDeadLink(host: Host, path: string): Promise<boolean> {
  const facts = await host.facts(path);
  if (facts) return facts.type === 'symlink';
  return dirname(path) !== path && leadsThroughDeadLink(host, dirname(path));
}

const refused = (target: string, why: string): HoldfastError =>
  new HoldfastError(
    'HF_TARGET_REFUSED',
    `The host does not restore to ${target}: ${why}. Choose a folder below /tmp, or list the place in hosts.NAME.restore`.slice(
      0,
      300,
    ),
  );

export type TargetState = 'new' | 'unfinished' | 'publishing';

interface PlanMark {
  digest: string;
}

/** Whether the target is free for this plan, or holds the unfinished work of the very same one. `isStaged`: its name is ours, for a restore in place. */
export async function targetState(
  host: Host,
  target: string,
  digest: string,
  isStaged = false,
): Promise<TargetState> {
  const facts = await host.facts(target);
  if (!facts) return 'new';
  if (facts.type !== 'dir') throw refused(target, 'it is not a folder');
  const names = await host.list(target);
  if (names.length === 0) return 'new';
  if (names.includes(stagingName)) await requireOwn(host, stagingFolder(target), target);
  const isOurs = (await markedDigest(host, target)) === digest;
  if (isOurs && (await host.exists(reportFile(target)))) return 'publishing';
  if (isOurs && names.length === 1) return 'unfinished';
  throw notEmpty(target, names, isStaged);
}

function notEmpty(target: string, names: readonly string[], isStaged: boolean): HoldfastError {
  const isUnfinished = names.includes(stagingName);
  const found = isUnfinished ? 'the unfinished restore of another plan' : `${names.length} entries`;
  const left = isUnfinished ? found : 'the files of an earlier restore in place that never took their place';
  const words = isStaged
    ? `${target} holds ${left}. Nothing is ever overwritten: move it away or remove it, and start again`
    : `${target} is not empty: it holds ${found}. Nothing is ever overwritten; choose a new or empty folder`;
  return new HoldfastError('HF_TARGET_NOT_EMPTY', words.slice(0, 400));
}

export const stagingFolder = (target: string): string => `${target}/${stagingName}`;
export const dataFolder = (target: string): string => `${stagingFolder(target)}/data`;
/** Written when everything was compared: from then on it is only moved. */
export const reportFile = (target: string): string => `${stagingFolder(target)}/report.json`;
const planFile = (target: string): string => `${stagingFolder(target)}/plan.json`;

/** Claims the target for one plan. */
export async function claimTarget(host: Host, target: string, digest: string): Promise<void> {
  await host.makeFolder(stagingFolder(target));
  if ((await host.realPath(stagingFolder(target))) !== stagingFolder(target)) {
    throw refused(target, 'it changed while we were looking');
  }
  await host.writeFile(planFile(target), JSON.stringify({ digest } satisfies PlanMark));
}

async function markedDigest(host: Host, target: string): Promise<string | undefined> {
  if (!(await host.exists(planFile(target)))) return undefined;
  try {
    return (JSON.parse(await host.readFile(planFile(target))) as PlanMark).digest;
  } catch {
    return undefined;
  }
}
