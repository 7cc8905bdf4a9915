import { join } from 'node:path';
import { ensureBzfs, ensureSyncoid } from '../lab/parts/zfs-peers.js';
import { doorOf } from '../lab/zfs/pair.js';
import { type Estate, startEstate } from '../test/support/estate.js';
import { overSsh } from '../test/support/zfs-estate.js';
import { runTool } from './measure.js';
import type { Site } from './zfs-site.js';

/** Replication by us and by others: each brings fast/tree of din to a place of its own in grogu's pool. */

export interface Replicator {
  name: string;
  /** Where the copy of fast/tree is. */
  target: string;
  replicate(): Promise<void>;
  /** Left out where asked for, and with very many datasets: it takes minutes for each step. */
  isSlow?: true;
}

export const sourceTree = 'fast/tree';
/** What the pipe by hand starts from; undefined: the first copy. */
export interface BySnapshots {
  before: string | undefined;
  now: string;
}

/** No tool at all: the least that the same work can cost. */
export const barePipe = (site: Site, at: BySnapshots): Replicator => ({
  name: 'zfs send -R piped to zfs receive -u',
  target: 'backup/bare',
  async replicate() {
    const range = at.before === undefined ? '' : `-I @${at.before} `;
    await pipe(site, `zfs send -R ${range}${sourceTree}@${at.now}`, 'zfs receive -u backup/bare');
  },
});

/** Through this machine, as with the others. */
export const pipe = ({ sshConfig }: Site, send: string, receive: string): Promise<void> =>
  runTool(
    'bash',
    ['-c', 'set -o pipefail; ssh -F "$0" din "$1" | ssh -F "$0" grogu "$2"', sshConfig, send, receive],
    process.env,
  );

export async function bzfs({ sshConfig, folder }: Site): Promise<Replicator> {
  const part = await ensureBzfs();
  if ('missing' in part) throw new Error(`bzfs: ${part.missing}`);
  const target = 'backup/bzfs';
  const ssh = [`--ssh-src-config-file=${sshConfig}`, `--ssh-dst-config-file=${sshConfig}`];
  const logs = `--log-dir=${join(folder, 'bzfs-logs')}`;
  const args = [`din:${sourceTree}`, `grogu:${target}`, '--recursive', '--quiet', logs, ...ssh];
  const env = { ...process.env, HOME: folder };
  return { name: 'bzfs', target, replicate: () => runTool(part.path, args, env) };
}

export async function syncoid({ sshConfig }: Site): Promise<Replicator> {
  const part = await ensureSyncoid();
  if ('missing' in part) throw new Error(`syncoid: ${part.missing}`);
  const target = 'backup/syncoid';
  const options = ['--recursive', '--no-sync-snap', '--compress=none', '--quiet', `--sshconfig=${sshConfig}`];
  const args = [...options, `root@din:${sourceTree}`, `root@grogu:${target}`];
  return { name: 'syncoid', target, isSlow: true, replicate: () => runTool(part.path, args, process.env) };
}

export interface Ours {
  estate: Estate;
  replicator: Replicator;
}

/** A worker on this machine that drives both hosts, and jobs that are started from the command line. */
export async function holdfast(site: Site, big: number): Promise<Ours> {
  const { pair } = site;
  const estate = await startEstate({
    change(config) {
      config.hosts.din = { ssh: overSsh(doorOf(pair, 'din')) };
      config.hosts.grogu = { ssh: overSsh(doorOf(pair, 'grogu')) };
      const job = (resource: string, store: string) => ({
        kind: 'zfs-replication',
        resources: [resource],
        store,
        snapshots: 'all',
        retryFor: '10m',
      });
      config.resources.tree = { host: 'din', dataset: sourceTree };
      config.resources.big = { host: 'din', dataset: 'fast/big' };
      config.stores.grogu = { zfs: { host: 'grogu', dataset: 'backup/ours' } };
      config.jobs.copy = job('tree', 'grogu');
      for (let turn = 0; turn < big; turn += 1) {
        config.stores[`grogu-${turn}`] = { zfs: { host: 'grogu', dataset: `backup/ours-${turn}` } };
        config.jobs[`big-${turn}`] = job('big', `grogu-${turn}`);
      }
    },
  });
  const replicator = {
    name: 'holdfast run --follow',
    target: 'backup/ours/tree',
    replicate: () => runJob(estate, 'copy'),
  };
  return { estate, replicator };
}

export async function runJob(estate: Estate, job: string): Promise<void> {
  const ended = await estate.holdfast('run', job, '--follow');
  if (ended.code !== 0) throw new Error(`the job ended with ${ended.code}: ${ended.stdout}${ended.stderr}`);
}
