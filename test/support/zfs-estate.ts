import { type Estate, type EstateOptions, startEstate } from './estate.js';
import type { LabHost } from './lab-host.js';
import type { PlainConfig } from './plain-config.js';

/** How the worker on "nas" reaches a ZFS host of the lab, as it stands in holdfast.yaml. */
export const overSsh = (
  { host, port, key, knownHosts }: Pick<LabHost, 'host' | 'port' | 'key' | 'knownHosts'>,
  user = 'root',
): PlainConfig => ({ address: host, port, user, via: 'nas', key, knownHosts });

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
