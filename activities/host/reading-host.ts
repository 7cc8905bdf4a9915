import { resourceOf, storesOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';

/** An appliance may have no restic. Then the machine that drives it reads the files, through a mount of them that it has. */

/** Where the files of a resource are read. It keeps the name of the host that holds them: locks, logs and evidence are that one's. */
export const readingHost = (host: Host, config: Config, resource: string): Host =>
  resourceOf(config, resource).mount === undefined ? host : { ...host.driver, name: host.name };

/** The same for a whole step: with the programs that the driving machine has, by the paths that it names for itself. */
export function whereItIsRead(tools: Tools, resource: string | undefined): Tools {
  const { host, config } = tools;
  if (resource === undefined || config.resources[resource]?.mount === undefined) return tools;
  const own = config.hosts[host.name];
  const driver = config.hosts[own?.ssh?.via ?? ''];
  const hosts =
    own && driver ? { ...config.hosts, [host.name]: { ...own, tools: driver.tools } } : config.hosts;
  return { ...tools, host: readingHost(host, config, resource), config: { ...config, hosts } };
}

/** For work on a store and on no resource, like a check of it. */
export const atStore = (tools: Tools, store: string): Tools =>
  whereItIsRead(tools, throughMount(tools.config, tools.host.name, store));

/** For what is asked of a store (or of restic itself) and of no resource: any that goes there from this host says how it is reached. */
export function throughMount({ jobs, resources }: Config, host: string, store?: string): string | undefined {
  const names = Object.values(jobs).flatMap((job) =>
    job.kind === 'restic-backup' && (store === undefined || storesOf(job).includes(store))
      ? job.resources
      : [],
  );
  const own = names.filter((name) => resources[name]?.host === host);
  return own.every((name) => resources[name]?.mount !== undefined) ? own[0] : undefined;
}
