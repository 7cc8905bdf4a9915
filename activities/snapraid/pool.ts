import { HoldfastError } from '../../contracts/errors.js';
import type { SnapArray } from './array.js';

/** The mergerfs pool over the data disks, where the resource names one. */

export async function checkPool(array: SnapArray): Promise<void> {
  const { config, conf, tools, input } = array;
  const { host } = tools;
  if (config.pool === undefined) return;
  const trouble = (what: string): HoldfastError =>
    new HoldfastError(
      'HF_SOURCE_MISSING',
      `The pool of "${input.resource}": ${what}. Nothing was synced; look at its mount on "${host.name}"`,
    );
  const there = await host.exists(config.pool);
  if (!there || !(await host.isMountPoint(config.pool)))
    throw trouble(`nothing is mounted at ${config.pool}`);
  const args = [
    '--only-values',
    '--absolute-names',
    '-n',
    'user.mergerfs.branches',
    `${config.pool}/.mergerfs`,
  ];
  if ((await host.findProgram('getfattr')) === undefined) return;
  const { exitCode, stdout } = await host.run({ file: 'getfattr', args });
  // Not every pool is mergerfs: what is mounted is then all that can be said.
  if (exitCode !== 0) return;
  const branches = stdout.split(':').map((branch) => branch.replace(/=.*$/, '').replace(/(.)\/+$/, '$1'));
  const lost = conf.data.filter(({ folder }) => !branches.includes(folder));
  if (lost.length > 0) throw trouble(`${lost.map(({ name }) => name).join(', ')} is no branch of it`);
}
