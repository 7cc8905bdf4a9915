import { checkChannels } from './check-channels.js';
import { findCircles } from './circles.js';
import { checkForms, checkMount, checkResource } from './forms.js';
import { storesOf } from './lookup.js';
import { type Finding, type KeyPath, unknownName } from './mistakes.js';
import { checkOverlaps, checkRepeats, checkSharedReplicas } from './repeats.js';
import { checkInsideReplicas, checkReplicasInResources } from './replica-places.js';
import { checkSameRepository } from './same-repository.js';
import { checkHoldsItself, checkSameSnapshotName, checkSameThing } from './same-thing.js';
import type { Config, JobConfig, ResourceConfig } from './schema.js';
import { checkStreams, checkUnusedStreams } from './streams.js';
import { checkTiming } from './timing.js';

/** What no schema can see: names that point nowhere, and settings that contradict each other. Pure. */
export interface Checked {
  mistakes: Finding[];
  warnings: Finding[];
}

/** The names that the file declares, also those whose entry has a mistake: a name is not unknown because of that. */
export interface Names {
  hosts: string[];
  resources: string[];
  stores: string[];
  jobs: string[];
}

/** Of a file that was read but not yet judged. */
export function namesIn(value: object): Names {
  const keys = (section: string): string[] => {
    const entries = Object.hasOwn(value, section) ? (value as Record<string, unknown>)[section] : undefined;
    return typeof entries === 'object' && entries !== null ? Object.keys(entries) : [];
  };
  const [hosts, resources, stores, jobs] = [keys('hosts'), keys('resources'), keys('stores'), keys('jobs')];
  return { hosts, resources, stores, jobs };
}

/** Everything at once; `names` are the declared ones where the configuration was cut down to what is right, `file` is where it lies. */
export function checkReferences(config: Config, names: Names = namesIn(config), file?: string): Checked {
  const checked: Checked = { mistakes: [], warnings: [] };
  checkHosts(config, names, checked);
  for (const [name, resource] of Object.entries(config.resources)) {
    pointsAt(checked, 'host', resource.host, names.hosts, ['resources', name, 'host']);
    checkResource(name, resource, checked.mistakes);
    checkCopiesHost(name, resource, names, checked);
    checkMount(config, name, resource, checked.mistakes);
  }
  checkStores(config, checked);
  checkSameRepository(config, checked.mistakes);
  checkInsideReplicas(config, checked.mistakes);
  checkReplicasInResources(config, checked);
  for (const [name, job] of Object.entries(config.jobs)) {
    const path = ['jobs', name];
    checkNames(names, job, path, checked);
    checkForms(config, job, path, checked.mistakes);
    checkRepeats(job, path, checked);
    checkOverlaps(config, job, path, checked);
    checkStreams(config, job, path, checked.mistakes);
    checkTiming(job, path, checked);
  }
  checkSharedReplicas(config, checked);
  checkSameThing(config, checked.mistakes);
  checkHoldsItself(config, checked.mistakes);
  checkSameSnapshotName(config, checked.mistakes);
  checkChannels(config, names, checked);
  checkUnused(config, checked);
  checkUnusedStreams(config, checked.warnings);
  checked.warnings.push(...findCircles(config, file));
  return checked;
}

/** Copies that lie beside the array die with it. */
function checkCopiesHost(name: string, resource: ResourceConfig, names: Names, checked: Checked): void {
  const host = resource.snapraid?.copies?.host;
  if (host === undefined) return;
  const path = ['resources', name, 'snapraid', 'copies', 'host'];
  if (!pointsAt(checked, 'host', host, names.hosts, path)) return;
  if (host === resource.host)
    checked.mistakes.push({ path, message: 'is the host of the array itself: name another one' });
}

function pointsAt(checked: Checked, kind: string, name: string, known: string[], path: KeyPath): boolean {
  if (known.includes(name)) return true;
  checked.mistakes.push({ path, message: unknownName(kind, name, known) });
  return false;
}

function checkHosts(config: Config, names: Names, checked: Checked): void {
  for (const [name, { ssh }] of Object.entries(config.hosts)) {
    if (ssh?.jump !== name) checkJump(config, name, ['hosts', name, 'ssh', 'jump'], checked);
    for (const key of ['via', 'jump'] as const) {
      const other = ssh?.[key];
      if (other === undefined) continue;
      const path = ['hosts', name, 'ssh', key];
      if (other === name) checked.mistakes.push({ path, message: 'names the host itself' });
      else if (pointsAt(checked, 'host', other, names.hosts, path) && key === 'via') {
        checkDriver(config, other, path, checked);
      }
    }
  }
}

/** A worker can drive a host, but a host that is driven has no worker to drive another with. */
function checkDriver(config: Config, driver: string, path: KeyPath, checked: Checked): void {
  const above = hostOf(config, driver)?.ssh?.via;
  if (above === undefined) return;
  const message = `"${driver}" has no worker of its own, it is driven by "${above}"; name a host with a worker`;
  checked.mistakes.push({ path, message });
}

/** The way must be known for every machine on it, and come to an end. */
function checkJump(config: Config, from: string, path: KeyPath, checked: Checked): void {
  const passed = [from];
  for (let at = hostOf(config, from)?.ssh?.jump; at !== undefined; at = hostOf(config, at)?.ssh?.jump) {
    const ssh = hostOf(config, at)?.ssh;
    if (passed.includes(at))
      checked.mistakes.push({ path, message: `goes in a circle: ${[...passed, at].join(' -> ')}` });
    // A host whose entry has a mistake is told by itself.
    else if (hostOf(config, at) && !ssh)
      checked.mistakes.push({ path, message: `"${at}" has no "ssh" that says how it is reached` });
    if (passed.includes(at) || !ssh) return;
    passed.push(at);
  }
}

const hostOf = (config: Config, name: string) =>
  Object.hasOwn(config.hosts, name) ? config.hosts[name] : undefined;

function checkNames(names: Names, job: JobConfig, path: KeyPath, checked: Checked): void {
  job.resources.forEach((resource, at) => {
    const place = [...path, 'resources', at];
    pointsAt(checked, 'resource', resource, names.resources, place);
  });
  if (job.kind !== 'restic-backup' && job.kind !== 'zfs-replication') return;
  if (job.store !== undefined) pointsAt(checked, 'store', job.store, names.stores, [...path, 'store']);
  job.stores?.forEach((store, at) => {
    pointsAt(checked, 'store', store, names.stores, [...path, 'stores', at]);
  });
}

/** Set from `repository` and `password`; a second source of truth would win in silence. */
const ownVariables = /^RESTIC_(REPOSITORY(_FILE)?|PASSWORD(_FILE|_COMMAND)?)$/;
const soundsSecret = /(PASS(WORD|PHRASE)?|SECRET|TOKEN|CREDENTIALS?|_KEY)$/i;

function checkStores(config: Config, checked: Checked): void {
  for (const [name, { restic }] of Object.entries(config.stores)) {
    const path = ['stores', name, 'restic'];
    for (const [variable, value] of Object.entries(restic?.env ?? {})) {
      const place = [...path, 'env', variable];
      if (ownVariables.test(variable)) {
        checked.mistakes.push({
          path: place,
          atKey: true,
          message: 'is set from "repository" and "password"; leave it out',
        });
      } else if (typeof value === 'string' && soundsSecret.test(variable)) {
        checked.warnings.push({
          path: place,
          atKey: true,
          message:
            'looks like a secret in plain text; use { file: /path }, { env: NAME } or { command: [...] }',
        });
      }
    }
  }
}

function checkUnused(config: Config, checked: Checked): void {
  const jobs = Object.values(config.jobs);
  const used = {
    resources: new Set(jobs.flatMap((job) => job.resources)),
    stores: new Set(jobs.flatMap(storesOf)),
  };
  for (const section of ['resources', 'stores'] as const) {
    for (const name of Object.keys(config[section])) {
      if (used[section].has(name)) continue;
      const message = section === 'resources' ? 'is in no job: it is not protected' : 'is used by no job';
      checked.warnings.push({ path: [section, name], atKey: true, message });
    }
  }
}
