import assert from 'node:assert/strict';
import { type Estate, startEstate } from './estate.js';
import { type LabHost, quoted } from './lab-host.js';
import type { PlainConfig } from './plain-config.js';
import { runIn } from './run-watch.js';
import { overSsh } from './zfs-estate.js';

/** A job that replicates a tree of din to grogu, both driven by the worker on "nas", and what tests of failovers look at. */

export interface FailoverLab {
  din: LabHost;
  grogu: LabHost;
}

export const jobName = 'k8s-to-grogu';

export interface FailoverTrees {
  source: string;
  target: string;
}

export const treesOf = ({ din, grogu }: FailoverLab): FailoverTrees => ({
  source: `${din.parents.fast}/k8s`,
  target: `${grogu.parents.backup}/k8s`,
});

/** With hooks that leave a line in a file on the host that they run on. */
export const startFailoverEstate = (
  lab: FailoverLab,
  more: (config: PlainConfig) => void = () => undefined,
): Promise<Estate> => {
  const line = (word: string) => ['sh', '-c', `echo ${word} >> /var/tmp/hooks`];
  return startEstate({
    databaseFile: true,
    change(config) {
      const hook = (name: string) => ({ run: line(name), undo: line(`undo-${name}`) });
      config.hosts.din = { ssh: overSsh(lab.din), hooks: { 'stop-apps': hook('stop-apps') } };
      config.hosts.grogu = { ssh: overSsh(lab.grogu), hooks: { 'start-apps': hook('start-apps') } };
      config.resources.k8s = { host: 'din', dataset: treesOf(lab).source, exclude: ['scratch'] };
      config.stores.grogu = { zfs: { host: 'grogu', dataset: lab.grogu.parents.backup } };
      config.jobs[jobName] = {
        kind: 'zfs-replication',
        resources: ['k8s'],
        store: 'grogu',
        snapshots: 'all',
        retryFor: '2m',
        failover: { stop: ['stop-apps'], start: ['start-apps'] },
      };
      config.jobs.hourly = { kind: 'zfs-snapshot', resources: ['k8s'], retryFor: '2m' };
      more(config);
    },
  });
};

/** A dataset of the tree below one with a space in its name, and what it has of its own: where it is mounted, and to whom it is shared. */
export const ownPlaces = ({ source }: FailoverTrees) => ({
  below: '/pvc 1/below',
  mountpoint: `/srv/it's ${source.replaceAll('/', ' ')}`,
  sharenfs: 'ro=@192.0.2.0/24',
});

/** A tree with a volume, a child with a hostile name, shares and mount points of its own, and what is not replicated. */
export const makeTree = async ({ din }: FailoverLab, trees: FailoverTrees): Promise<void> => {
  const { source } = trees;
  const { below, mountpoint, sharenfs } = ownPlaces(trees);
  await din.sh(`
    set -e
    rm -f /var/tmp/hooks
    zfs create '${source}'; zfs create '${source}/pvc 1'; zfs create '${source}/pvc 1/below'
    zfs create -o canmount=noauto '${source}/pvc-2'; zfs create -s -V 8M '${source}/vol'; zfs create '${source}/scratch'
    zfs set ${quoted([`mountpoint=${mountpoint}`, `${source}${below}`])}
    zfs set ${quoted([`sharenfs=${sharenfs}`, `${source}${below}`])}
    echo first > '/${source}/pvc 1/data'; echo first > '/${source}/data'
    zfs snapshot -r '${source}@one'
  `);
};

export interface Said {
  code: number | null;
  text: string;
  run: string;
}

/** `holdfast do` to its end, with a yes. */
export async function act(estate: Estate, action: string, ...args: string[]): Promise<Said> {
  const { code, stdout, stderr } = await estate.holdfast('do', jobName, action, '--yes', ...args);
  const text = stdout + stderr;
  return { code, text, run: runIn(stdout) };
}

export async function replicate(estate: Estate): Promise<Said> {
  const { code, stdout, stderr } = await estate.holdfast('run', jobName, '--follow');
  return { code, text: stdout + stderr, run: runIn(stdout) };
}

/** Snapshot names below the root with their guids, of what is replicated. */
export async function guids(host: LabHost, root: string): Promise<string[]> {
  const text = await host.zfs('list', '-H', '-r', '-t', 'snapshot', '-o', 'name,guid', root);
  return text
    .split('\n')
    .map((row) => row.slice(root.length))
    .filter((row) => !row.startsWith('/scratch') && !row.includes('.parked-'))
    .sort();
}

export const property = (host: LabHost, dataset: string, name: string): Promise<string> =>
  host.zfs('get', '-H', '-o', 'value', name, dataset);

/** Where a dataset is mounted now, and what a file in it says. */
export const fileIn = async (host: LabHost, dataset: string, name: string): Promise<string> =>
  host.sh(`cat "$(zfs get -H -o value mountpoint '${dataset}')/${name}"`);

export const writeIn = async (host: LabHost, dataset: string, name: string, text: string): Promise<void> => {
  await host.sh(
    `d="$(zfs get -H -o value mountpoint '${dataset}')"; mountpoint -q "$d"; echo '${text}' > "$d/${name}"`,
  );
};

/** The side in use has the mount point and the share of its own that the source had set; the other one is not mounted, and shares nothing. */
export async function assertOwnPlaces(
  used: { host: LabHost; root: string },
  other: { host: LabHost; root: string },
  trees: FailoverTrees,
): Promise<void> {
  const { below, mountpoint, sharenfs } = ownPlaces(trees);
  const of = ({ host, root }: typeof used): Promise<string> =>
    host.zfs('get', '-H', '-o', 'value', 'mounted,mountpoint,sharenfs', `${root}${below}`);
  assert.equal(await of(used), ['yes', mountpoint, sharenfs].join('\n'));
  const [, , shared] = (await of(other)).split('\n');
  assert.equal(shared, 'off');
}

/** Never two sides that can be written to. */
export async function assertOneSide(lab: FailoverLab, { source, target }: FailoverTrees): Promise<void> {
  const open = async (host: LabHost, root: string): Promise<string[]> => {
    const { stdout } = await host.ask(`zfs get -H -r -t filesystem,volume -o name,value readonly '${root}'`);
    return stdout.split('\n').filter((row) => row.endsWith('\toff'));
  };
  const [here, there] = await Promise.all([open(lab.din, source), open(lab.grogu, target)]);
  assert(here.length === 0 || there.length === 0, [...here, ...there].join('\n'));
}
