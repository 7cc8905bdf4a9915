import { createHash } from 'node:crypto';
import { jobOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Copy, StepInput } from '../../contracts/jobs.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { addEvidence, readEvidence } from '../host/evidence.js';
import { withWarning } from './beside.js';
import { dumpVerb } from './command.js';
import { listSnapshots, openRestic, type Restic, runRestic } from './driver.js';
import { runBackup } from './run-backup.js';
import { sparseFolderFor, withSparseCopy } from './sparse-copy.js';

/** The configuration lies beside the backups that it describes: who has lost the house still knows how it was set up. */

export const configTag = 'holdfast-config';

/** What is done to a job's stores besides backing up; a backup itself is kept at two starts of restic more than it needs. */
export function upkeepOf(config: Config, job: string): { host: string | undefined } | undefined {
  const found = jobOf(config, job);
  if (found.kind !== 'restic-backup' || (!found.prune && !found.check)) return undefined;
  // As the workflows of retention and checks have it.
  return { host: config.resources[found.resources[0] ?? '']?.host };
}

/** After a copy is proved: what nothing else of its job would store. */
export function besideCopy(tools: Tools, input: StepInput, copy: Copy): Promise<Copy> {
  const upkeep = upkeepOf(tools.config, input.job);
  if (!upkeep) return withConfigCopy(tools, input, copy);
  return upkeep.host === tools.host.name ? Promise.resolve(copy) : withSparseCopy(tools, input, copy);
}

/** After retention or a check (after a backup only where a job has neither): the configuration, and which files were sparse. */
export async function withConfigCopy<R extends { warnings: string[] }>(
  tools: Tools,
  { store }: Pick<StepInput, 'store'>,
  done: R,
  how = { asks: false },
): Promise<R> {
  let isLost = false;
  const what = `The configuration was not stored beside the backups in "${store}"`;
  const kept = await withWarning(tools, done, what, async () => {
    isLost = (await keepConfig(tools, store, how)).wasLost || isLost;
  });
  return withSparseCopy(tools, { store }, kept, { atOnce: how.asks, isLost });
}

/**
 * Only when it is another than the last one stored. A backup takes our own record for it and does not even start restic;
 * `asks` has the store asked as well, because a repository at the same address may be a new one: then what we had stored was lost.
 */
export async function keepConfig(
  tools: Tools,
  store: string,
  { asks } = { asks: false },
): Promise<{ wasLost: boolean }> {
  const { host, configFile, run } = tools;
  if (configFile === undefined) return { wasLost: false };
  const text = await host.driver.readFile(configFile);
  const sha256 = createHash('sha256').update(text).digest('hex');
  const last = (await readEvidence(host)).findLast(
    (entry) => entry.kind === 'config-copy' && entry.store === store,
  );
  const file = configFileFor(host, store);
  const isStored = last?.kind === 'config-copy' && last.sha256 === sha256 && (await host.exists(file));
  if (isStored && !asks) return { wasLost: false };
  const restic = await openRestic(tools, store, 'config');
  if (isStored && (await listSnapshots(restic, [configTag])).some(({ id }) => isSame(id, last.snapshot)))
    return { wasLost: false };
  await host.writeFile(file, text);
  const request = { host: host.name, tags: [configTag], exclude: [], paths: [file] };
  const { summary, partial } = await runBackup(restic, request, 'storing the configuration');
  if (!summary || partial)
    throw new HoldfastError('HF_COPY_NOT_PROVED', 'restic did not say that it saved it');
  await addEvidence(host, { kind: 'config-copy', run, store, sha256, snapshot: summary.snapshot });
  return { wasLost: isStored };
}

/** Always of one name, whatever the file is called here; each store its own, because stores are worked on side by side. */
const configFileFor = ({ stateFolder }: Host, store: string): string =>
  `${stateFolder}/config-copy/${store}/holdfast.yaml`;

/** 0.14 tells the first 8 characters of a snapshot that it makes. */
const isSame = (id: string, told: string): boolean => id.startsWith(told);

/** A repository that has just been made holds nothing of it, whatever was stored at its address before. */
export async function forgetConfig(host: Host, store: string): Promise<void> {
  await host.removeTree(configFileFor(host, store), `${host.stateFolder}/config-copy`);
  await host.removeTree(sparseFolderFor(host, store), `${host.stateFolder}/sparse-copy`);
}

export interface StoredConfig {
  text: string;
  snapshot: string;
  time: string;
  host: string;
}

/** The newest configuration that a repository holds; undefined when there is none. */
export async function readStoredConfig(restic: Restic): Promise<StoredConfig | undefined> {
  const newest = (await listSnapshots(restic, [configTag])).at(-1);
  const [path] = newest?.paths ?? [];
  if (!newest || path === undefined) return undefined;
  const { result } = await runRestic(restic, dumpVerb(newest.id, path));
  return { text: result.stdout, snapshot: newest.id, time: newest.time, host: newest.hostname };
}
