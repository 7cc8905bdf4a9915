import { accessSync, constants, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Tools } from '../../activities/door.js';
import { leftRuns, putBackLeft, type Reader } from '../../activities/zfs/left-readings.js';
import type { Zfs } from '../../activities/zfs/listing.js';
import { type Config, ConfigFile } from '../../config/schema.js';
import type { Host } from '../../system/host.js';
import { localHost } from '../../system/local-host.js';
import { openRunLog, type RunLog, runLogFile } from '../../system/log.js';
import { sshHost } from '../../system/ssh-host.js';
import { sshMachine } from '../../system/ssh-machine.js';
import type { SshTarget } from '../../system/ssh-target.js';
import type { Context } from '../context.js';
import { printable } from '../printable.js';
import { interrupted, phases, rescueStore } from './open.js';
import { isAlive, newRun, rescueJob } from './zfs-run.js';
import { sshTargetOf } from './zfs-ssh.js';

/** From a pool, here or over ssh, to what the drivers stand on. */

/** What was typed. */
export interface ZfsWords {
  /** A replica, or a pool. */
  of: string | undefined;
  to: string | undefined;
  copy: string | undefined;
  at: string | undefined;
  paths: readonly string[];
  /** USER@ADDRESS[:PORT] of the machine of the replica; absent: this one. */
  ssh: string | undefined;
  /** The same of the machine to which it is sent. */
  toSsh: string | undefined;
  key: string | undefined;
  knownHosts: string | undefined;
  sudo: readonly string[];
  yes: string | undefined;
}

export interface ZfsRescue {
  /** Where the replica lies. */
  zfs: Zfs;
  /** This machine: our records are here, and files arrive here. */
  here: Host;
  /** The machine to which a replica is sent. */
  receiver: Host;
  /** `works`: whose folders or datasets are made. */
  open(what: Opening): Promise<Opened>;
  /** `failed`: where the log is gets said. */
  close(how: { failed: boolean }): void;
}

export interface Opened {
  tools: Tools;
  run: string;
  /** Lets go of the snapshots that were read. */
  putBack(): Promise<void>;
}

export interface Opening {
  works: Host;
  /** Of the replica. */
  parent: string;
  resource: string;
  /** The folder or the dataset that is made. */
  target: string;
  /** What the replica is a copy of, where it is sent back to. */
  original?: string;
}

const hereName = 'here';

export function openZfs(context: Context, words: ZfsWords): ZfsRescue {
  const folder = stateOf(context);
  const here = localHost({ name: hereName, stateFolder: folder });
  const reached = new Map<string, Reached>();
  const hostAt = (place: string | undefined): Host =>
    place === undefined ? here : reach(reached, sshTargetOf(place, words), folder);
  const there = hostAt(words.ssh);
  const receiver = hostAt(words.toSsh);
  const abort = new AbortController();
  const stop = (): void => abort.abort(interrupted());
  // A session that breaks off sends SIGHUP: what is held and mounted is let go of all the same.
  for (const signal of stopSignals) process.on(signal, stop);
  const zfs: Zfs = { host: there, signal: abort.signal, zfs: 'zfs', zpool: 'zpool' };
  const machine = (name: string): Host => reached.get(name)?.host ?? here;
  const logs: { log: RunLog; run: string }[] = [];
  return {
    zfs,
    here,
    receiver,
    async open(what) {
      const config = configFor(there.name, what);
      const reader = { host: here, config: () => config, machine };
      await letGoOfLeft(context, reader, there.name);
      const run = await newRun(here, context.now());
      const log = openRunLog(folder, run, { step: 'rescue' });
      logs.push({ log, run });
      const tools: Tools = {
        host: what.works,
        machine,
        config,
        run,
        attempt: 1,
        signal: abort.signal,
        progress: phases(context),
        log: log.line,
      };
      return { tools, run, putBack: () => putBackLeft(reader, run) };
    },
    close({ failed }) {
      for (const signal of stopSignals) process.off(signal, stop);
      for (const { log } of logs) log.close();
      for (const { close } of reached.values()) close();
      if (failed) for (const { run } of logs) context.note(`log: ${runLogFile(folder, run)}`);
    },
  };
}

/** What a killed rescue has left held and mounted there. Its programs may live on for a while: then the next one tries again. */
async function letGoOfLeft(context: Context, reader: Reader, machine: string): Promise<void> {
  const { host } = reader;
  for (const run of await leftRuns(host, { job: rescueJob, machine }, (one) => isAlive(host, one))) {
    const end = await putBackLeft(reader, run).then(
      () => 'the snapshots that it held and had mounted are let go of',
      (error: Error) => `its snapshots are still held: ${error.message}`,
    );
    context.note(printable(`${run} was interrupted: ${end}`));
  }
}

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** It stays: what a killed rescue has held and mounted is found in it by the next one. A worker's own records lie beside it, and neither puts back what is the other's. */
function stateOf(context: Context): string {
  const folder = join(context.stateFolder, 'rescue');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    const other = mkdtempSync(join(tmpdir(), 'holdfast-rescue-'));
    context.note(`${folder} cannot be written to; what was done is written down in ${other}`);
    return other;
  }
}

interface Reached {
  host: Host;
  close(): void;
}

/** One machine may be both ends. */
function reach(reached: Map<string, Reached>, target: SshTarget, folder: string): Host {
  const known = reached.get(target.name);
  if (known) return known.host;
  const machine = sshMachine(() => target, join(folder, 'ssh'));
  const driver = localHost({ name: hereName, stateFolder: folder });
  const host = sshHost({ name: target.name, machine, driver });
  reached.set(target.name, { host, close: () => machine.close() });
  return host;
}

/** What the drivers look up; the operator at the keyboard allows the target by typing it. */
function configFor(there: string, { works, parent, resource, target, original }: Opening): Config {
  const isFolder = target.startsWith('/');
  const config = ConfigFile.parse({
    hosts: { [there]: {}, [works.name]: isFolder ? { restore: [dirname(resolve(target))] } : {} },
    resources: { [resource]: { host: original === undefined ? there : works.name, dataset: 'pool' } },
    stores: { [rescueStore]: { zfs: { host: there, dataset: 'pool' } } },
    jobs: { [rescueJob]: { kind: 'zfs-replication', resources: [resource], store: rescueStore } },
  });
  // A pool that was imported under another name may have longer names than a configuration takes.
  const [place, known, host] = [
    config.stores[rescueStore]?.zfs,
    config.resources[resource],
    config.hosts[works.name],
  ];
  if (place) place.dataset = parent;
  if (known) known.dataset = original ?? `${parent}/${resource}`;
  if (host && !isFolder) host.restoreDatasets = [target.slice(0, target.lastIndexOf('/'))];
  return config;
}
