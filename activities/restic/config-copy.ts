import { createHash } from 'node:crypto';
import { jobOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { StepInput } from '../../contracts/jobs.js';
import type { Tools } from '../door.js';
import { addEvidence, readEvidence } from '../host/evidence.js';
import { runBackup } from './backup.js';
import { dumpVerb } from './command.js';
import { listSnapshots, openRestic, type Restic, runRestic } from './driver.js';

/** The configuration lies beside the backups that it describes: who has lost the house still knows how it was set up. */

export const configTag = 'holdfast-config';

/** What is done to a job's stores besides backing up; a backup itself is kept at two starts of restic more than it needs. */
export const hasUpkeep = (config: Config, job: string): boolean => {
  const found = jobOf(config, job);
  return found.kind === 'restic-backup' && (found.prune !== undefined || found.check !== undefined);
};

/** After retention or a check (after a backup only where a job has neither). What goes wrong here is a warning: the work itself is done and proved. */
export async function withConfigCopy<R extends { warnings: string[] }>(
  tools: Tools,
  { store }: Pick<StepInput, 'store'>,
  done: R,
): Promise<R> {
  try {
    await keepConfig(tools, store);
    return done;
  } catch (error) {
    if (tools.signal.aborted) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const warning = `The configuration was not stored beside the backups in "${store}": ${why}`.slice(0, 300);
    return { ...done, warnings: [...done.warnings, warning].slice(-20) };
  }
}

/** Only when it is another than the last one stored, by our own record: restic is not even started otherwise. */
export async function keepConfig(tools: Tools, store: string): Promise<void> {
  const { host, configFile, run } = tools;
  if (configFile === undefined) return;
  const text = await host.driver.readFile(configFile);
  const sha256 = createHash('sha256').update(text).digest('hex');
  const last = (await readEvidence(host)).findLast(
    (entry) => entry.kind === 'config-copy' && entry.store === store,
  );
  if (last?.kind === 'config-copy' && last.sha256 === sha256) return;
  const restic = await openRestic(tools, store, 'config');
  // Always of one name, whatever the file is called here; each store its own, because stores are worked on side by side.
  const file = `${host.stateFolder}/config-copy/${store}/holdfast.yaml`;
  await host.writeFile(file, text);
  const request = { host: host.name, tags: [configTag], exclude: [], paths: [file] };
  const { summary, partial } = await runBackup(restic, request, 'storing the configuration');
  if (!summary || partial)
    throw new HoldfastError('HF_COPY_NOT_PROVED', 'restic did not say that it saved it');
  await addEvidence(host, { kind: 'config-copy', run, store, sha256, snapshot: summary.snapshot });
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
