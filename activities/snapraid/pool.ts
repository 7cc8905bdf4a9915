import { HoldfastError } from '../../contracts/errors.js';
import type { SnapArray } from './array.js';

/** The mergerfs pool over the data disks, where the resource names one. */

export interface PoolSeen {
  /** It is not there, or not all of the disks are in it. */
  trouble?: string;
  /** Why that could not be found out. */
  unknown?: string;
}

/** Nothing is begun with a pool that is not whole; one that is no more so afterwards is told. */
export async function poolWarnings(array: SnapArray, { after }: { after?: true }): Promise<string[]> {
  const { trouble, unknown } = await seePool(array);
  if (trouble === undefined) return unknown === undefined ? [] : [unknown];
  const { resource } = array.input;
  if (after) return [`the pool of "${resource}" is not whole any more: ${trouble}`];
  throw new HoldfastError(
    'HF_SOURCE_MISSING',
    `The pool of "${resource}": ${trouble}. Nothing was begun; look at its mount on "${array.tools.host.name}"`,
  );
}

async function seePool({ config: { pool }, conf, tools: { host } }: SnapArray): Promise<PoolSeen> {
  if (pool === undefined) return {};
  if (!(await host.exists(pool)) || !(await host.isMountPoint(pool)))
    return { trouble: `nothing is mounted at ${pool}` };
  const type = await host.run({ file: 'findmnt', args: ['--noheadings', '--output', 'FSTYPE', pool] });
  // Not every pool is mergerfs: what is mounted is then all that can be said.
  if (!/^fuse\.mergerfs$/m.test(type.stdout)) return {};
  const notKnown = (why: string): PoolSeen => ({
    unknown: `whether all disks are in the pool ${pool} is not known: ${why}`,
  });
  if ((await host.findProgram('getfattr')) === undefined)
    return notKnown(`getfattr is not on "${host.name}" (package attr)`);
  const args = ['--only-values', '--absolute-names', '-n', 'user.mergerfs.branches', `${pool}/.mergerfs`];
  const { exitCode, stdout } = await host.run({ file: 'getfattr', args });
  if (exitCode !== 0) return notKnown(`it does not say its branches (getfattr ends with ${exitCode})`);
  const branches = branchesIn(stdout);
  const lost = conf.data.filter(({ folder }) => !branches.some((branch) => isOneDisk(branch, folder)));
  return lost.length === 0
    ? {}
    : { trouble: `${lost.map(({ name }) => name).join(', ')} is no branch of it` };
}

/** `/mnt/disk1=RW:/mnt/disk2=NC,50G`. */
const branchesIn = (text: string): string[] =>
  text.split(':').map((branch) => branch.replace(/=[^=]*$/, '').replace(/(.)\/+$/, '$1'));

/** The array may keep a folder of the disk that is a branch, or the branch be a folder of what the array keeps. */
const isOneDisk = (one: string, other: string): boolean =>
  one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
