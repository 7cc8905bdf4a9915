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
  for (const name of await host.list(restored)) {
    const place = `${target}/${name}`;
    if (await host.facts(place)) {
      const message = `${place} appeared while the restore was running; nothing was overwritten. The rest lies in ${restored}`;
      throw new HoldfastError('HF_TARGET_NOT_EMPTY', message.slice(0, 300));
    }
    await host.rename(`${restored}/${name}`, place);
  }
  // The target stands for the resource's own folder: owner, mode, ACLs and attributes of that one.
  if (whole) {
    const options = ['--archive', '--attributes-only', '--no-target-directory'];
    await mustRun(host, { file: 'cp', args: [...options, '--', restored, target] });
  }
}

/** Takes the staging folder away, and gives the target its time back, which every change inside it moves. */
export async function finishTarget(host: Host, target: string, mtimeNs: string | undefined): Promise<void> {
  if (await host.facts(stagingFolder(target))) await host.removeTree(stagingFolder(target), target);
  if (mtimeNs === undefined || !(await host.facts(target))) return;
  await mustRun(host, {
    file: 'touch',
    args: ['--no-create', '-m', `--date=${touchTime(mtimeNs)}`, '--', target],
  });
}

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
