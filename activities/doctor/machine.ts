import type { Config } from '../../config/schema.js';
import type { EvidenceFacts, HostFacts, SpaceFacts, ToolFacts } from '../../contracts/doctor.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Host } from '../../system/host.js';
import { redact } from '../../system/redact.js';
import { parseEvidence } from '../host/evidence.js';
import { throughMount } from '../host/reading-host.js';
import { openUndosIn } from '../host/undo.js';
import { versionCommand } from '../restic/command.js';
import { parseVersion } from '../restic/parse.js';

/** What a machine has and what its worker may do there. Nothing of it is judged here. */

/** An error as a short line without a secret. */
export const wordsOf = (error: unknown): string =>
  redact(error instanceof Error ? error.message : String(error)).slice(0, 300);

/** What is not one of our errors is a mistake of ours. */
export const codeOf = (error: unknown): string =>
  error instanceof HoldfastError ? error.code : 'HF_INTERNAL';

/** Runs are held apart by flock; find walks a restored tree; the others compare what a listing of restic does not tell. */
const helpers = ['flock', 'find', 'getfattr', 'fusermount', 'setfattr', 'fallocate'];

/** restic by the path that the host's own configuration names, and what else runs and restores call. */
export async function findTools(
  host: Host,
  config: Config | undefined,
  signal: AbortSignal,
): Promise<ToolFacts[]> {
  const through = config && throughMount(config, host.name);
  const via = through && config.hosts[host.name]?.ssh?.via;
  const [at, named] = via ? [host.driver, via] : [host, host.name];
  const restic = await findRestic(at, config?.hosts[named]?.tools.restic ?? 'restic', signal);
  const others = await Promise.all(helpers.map(async (name) => ({ name, ...(await pathOf(host, name)) })));
  return [restic, ...others];
}

async function pathOf(host: Host, file: string): Promise<Pick<ToolFacts, 'path'>> {
  const path = await host.findProgram(file);
  return path === undefined ? {} : { path };
}

async function findRestic(host: Host, file: string, signal: AbortSignal): Promise<ToolFacts> {
  const { path } = await pathOf(host, file);
  if (path === undefined) return { name: 'restic' };
  try {
    const tool = { file: path, cacheFolder: '' };
    const { stdout, stderrTail } = await host.run(versionCommand(tool), { signal, maxStdoutBytes: 65_536 });
    return { name: 'restic', path, version: parseVersion(stdout || stderrTail).join('.') };
  } catch (error) {
    return { name: 'restic', path, error: wordsOf(error) };
  }
}

/** Really writes: a full disk and a read-only file system look writable. */
export async function whyStateNotWritable(host: Host): Promise<string | undefined> {
  const file = `${host.stateFolder}/doctor-was-here-${process.pid}`;
  try {
    await host.makeFolder(host.stateFolder);
    await host.writeFile(file, 'written to see whether it can be\n');
    await host.removeTree(file, host.stateFolder);
    return undefined;
  } catch (error) {
    return wordsOf(error);
  }
}

const namedUndos = 10;

/** What was proved can be read, and nothing that a run has changed waits to be put back. */
export async function readState(host: Host): Promise<Pick<HostFacts, 'evidence' | 'openUndos'>> {
  const { driver } = host;
  const file = `${driver.stateFolder}/evidence.jsonl`;
  try {
    const text = (await driver.exists(file)) ? await driver.readFile(file) : '';
    const known = parseEvidence(text);
    const lines = text.split('\n').filter((line) => line.trim() !== '').length;
    const openUndos = openUndosIn(known).map(({ run, what }) => `${what} of ${run}`.slice(0, 150));
    const evidence = { entries: known.length, unreadable: lines - known.length };
    return { evidence, openUndos: openUndos.slice(0, namedUndos) };
  } catch (error) {
    const evidence: EvidenceFacts = { entries: 0, unreadable: 0, error: wordsOf(error) };
    return { evidence, openUndos: [] };
  }
}

/** Free space where runs write on this machine: the state folder with its cache, and repositories that are folders here. */
export async function findSpace(
  host: Host,
  repositories: readonly (readonly [store: string, repository: string])[],
): Promise<SpaceFacts[]> {
  const local = repositories.flatMap(([store, repository]) => {
    const path = folderOf(repository);
    return path === undefined ? [] : [[`store ${store}`, path] as const];
  });
  const places = [
    ['state folder', host.stateFolder],
    ['cache of restic', `${host.stateFolder}/cache/restic`],
    ...local,
  ] as const;
  const found = await Promise.all(
    places.map(async ([what, path]) => {
      const bytesFree = await host.freeBytes(path).catch(() => undefined);
      return bytesFree === undefined ? [] : [{ what, path, bytesFree }];
    }),
  );
  return found.flat();
}

/** The folder of a repository on this machine; undefined for one that is reached over a network. */
export function folderOf(repository: string): string | undefined {
  const path = repository.replace(/^local:/, '');
  return path.startsWith('/') ? path : undefined;
}
