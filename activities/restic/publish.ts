import { HoldfastError } from '../../contracts/errors.js';
import type { Command, Host } from '../../system/host.js';
import type { Restic } from './driver.js';
import { dataFolder, stagingFolder } from './target.js';

/** Moves what was restored and compared to where it is looked for. Can be done again after a crash at any point. */

/** By renaming inside one file system: contents and attributes stay as they were compared. */
export async function moveIntoPlace(
  { host }: Pick<Restic, 'host'>,
  target: string,
  root: string,
  whole: boolean,
): Promise<void> {
  const restored = `${dataFolder(target)}${root === '/' ? '' : root}`;
  if ((await host.realPath(restored)) !== restored) {
    const message = `${restored} leads through a link that is not ours; nothing was moved`;
    throw new HoldfastError('HF_TARGET_REFUSED', message.slice(0, 300));
  }
  const taken = await host.moveEntries(restored, target);
  if (taken !== undefined) {
    const message = `${taken} appeared while the restore was running; nothing was overwritten. The rest lies in ${restored}`;
    throw new HoldfastError('HF_TARGET_NOT_EMPTY', message.slice(0, 300));
  }
  // The target stands for the resource's own folder: owner, mode, ACLs and attributes of that one.
  // Of the root itself restic keeps nothing.
  if (whole && root !== '/') await copyAttributes(host, restored, target);
}

/** Owner, mode, times, ACLs and attributes of one folder; to be called when it is empty, cp takes along what lies in it. */
async function copyAttributes(host: Host, from: string, to: string): Promise<void> {
  const options = ['--archive', '--attributes-only', '--no-target-directory'];
  await mustRun(host, { file: 'cp', args: [...options, '--', from, to] });
}

/** Takes the staging folder away, and gives the target its time back, which every change inside it moves. */
export async function finishTarget(host: Host, target: string, mtimeNs: string | undefined): Promise<void> {
  if (await host.facts(stagingFolder(target))) await host.removeTree(stagingFolder(target), target);
  if (mtimeNs === undefined || !(await host.facts(target))) return;
  await setFolderTime(host, target, mtimeNs);
}

/** Every change inside a folder moves its time: this is done last. */
export const setFolderTime = (host: Host, folder: string, mtimeNs: string): Promise<void> =>
  mustRun(host, {
    file: 'touch',
    args: ['--no-create', '-m', `--date=${touchTime(mtimeNs)}`, '--', folder],
  });

/** Nanoseconds since 1970 -> "@seconds.nanoseconds"; times before 1970 count down to the second below. */
function touchTime(mtimeNs: string): string {
  const nanoseconds = BigInt(mtimeNs);
  const rest = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return `@${(nanoseconds - rest) / 1_000_000_000n}.${String(rest).padStart(9, '0')}`;
}

async function mustRun(host: Host, command: Command): Promise<void> {
  const { exitCode, stderrTail } = await host.run(command);
  if (exitCode === 0) return;
  throw new HoldfastError('HF_TOOL_FAILED', `${command.file} failed: ${stderrTail.trim()}`.slice(0, 300));
}
