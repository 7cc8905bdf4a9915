import { after } from 'node:test';
import { type Estate, type EstateOptions, startEstate } from './estate.js';
import type { LabHost } from './lab-host.js';
import { needs } from './needs.js';
import type { PlainConfig } from './plain-config.js';
import { useZfsLab } from './zfs-lab.js';

/** How the worker on "nas" reaches a ZFS host of the lab, as it stands in holdfast.yaml. */
export const overSsh = (
  { host, port, key, knownHosts }: Pick<LabHost, 'host' | 'port' | 'key' | 'knownHosts'>,
  user = 'root',
  more: { sudo?: string[] } = {},
): PlainConfig => ({ address: host, port, user, via: 'nas', key, knownHosts, ...more });

/** At the top of a test file that starts estates of its own on the two real hosts; they are stopped at the end. */
export function useLabEstate() {
  const lab = useZfsLab();
  const started: Estate[] = [];
  after(() => Promise.all(started.map((estate) => estate.stop())));
  const start = async (options: EstateOptions): Promise<Estate> => {
    const estate = await startEstate(options);
    started.push(estate);
    return estate;
  };
  return { lab, skip: lab.skip || needs('temporal', 'restic'), start };
}

/** A small estate whose worker also drives "din", with one resource "tree" and hourly snapshots of it by hand. */
export const startZfsEstate = (
  din: Parameters<typeof overSsh>[0],
  tree: string,
  change: EstateOptions['change'] = () => undefined,
): Promise<Estate> =>
  startEstate({
    change(config) {
      config.hosts.din = { ssh: overSsh(din) };
      config.resources.tree = { host: 'din', dataset: tree };
      config.jobs.hourly = {
        kind: 'zfs-snapshot',
        resources: ['tree'],
        keep: { last: 3 },
        objective: { rpo: '2h' },
        retryFor: '5m',
      };
      change(config);
    },
  });
