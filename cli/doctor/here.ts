import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { findTools, whyStateNotWritable } from '../../activities/doctor/machine.js';
import { readConfig } from '../../config/load.js';
import { renderMistake } from '../../config/mistakes.js';
import type { Config } from '../../config/schema.js';
import type { Finding } from '../../contracts/doctor.js';
import { localHost } from '../../system/local-host.js';
import { bytes } from '../render.js';
import { about } from './findings.js';
import { judgeTools } from './judge-tools.js';

/** What can be said without anybody's help: the file, and this machine's own tools. */

/** dist/cli/doctor/here.js lies three folders below package.json. */
export const ownVersion = (): string =>
  (createRequire(import.meta.url)('../../../package.json') as { version: string }).version;

/** What the file promises against what its schedules can keep, and all else that "check" only warns of. */
export function judgeFile(file: string): Finding[] {
  const tell = about('here');
  const { warnings } = readConfig(file);
  if (warnings.length === 0) return [tell.ok('configuration', `${file} has no mistakes`)];
  return warnings.map((warning) =>
    tell.warning(
      warning.key || 'configuration',
      renderMistake(warning),
      '"holdfast check" shows it with its line',
    ),
  );
}

/** The embedded server stands still without space, and so does every question to a host. */
export async function judgeOwnSpace(
  address: string,
  { temporal }: Config,
  stateFolder: string,
): Promise<Finding[]> {
  if (address !== `127.0.0.1:${temporal.embedded.port}`) return [];
  const bytesFree = await localHost({ name: 'here', stateFolder }).freeBytes(stateFolder);
  if (bytesFree >= leastFree) return [];
  const found = `${bytes(bytesFree)} free at ${stateFolder}: the embedded server cannot go on, so no host was asked`;
  return [
    about('here').blocking('space for state folder', found, 'Free some space; runs go on by themselves then'),
  ];
}

const leastFree = 2 ** 20;

/** For when no worker can be asked. Which host of the file this machine is, is guessed by its name. */
export async function judgeThisMachine(config: Config, stateFolder: string): Promise<Finding[]> {
  const own = hostname().split('.')[0] ?? '';
  const names = Object.keys(config.hosts);
  const name = names.includes(own) ? own : names.length === 1 ? (names[0] ?? own) : own;
  const host = localHost({ name, stateFolder });
  const tools = await findTools(host, config, AbortSignal.timeout(10_000));
  const tell = about('here');
  const stateError = (await host.exists(stateFolder)) ? await whyStateNotWritable(host) : undefined;
  return [
    ...judgeTools(tell, { tools, stores: [] }),
    ...(stateError === undefined
      ? []
      : [tell.warning('state folder', stateError, 'Ask again as the user of the worker')]),
  ];
}
