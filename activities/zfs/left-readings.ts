import type { Config } from '../../config/schema.js';
import { parseRunId } from '../../contracts/names.js';
import type { Host } from '../../system/host.js';
import { markUndone, openUndos } from '../host/undo.js';
import { filesKind, putBackFiles } from './files-source.js';

/** Snapshots that a rescue holds and has mounted: without a worker nobody else lets go of them. */

export interface Reader {
  /** Whose records say what is open. */
  host: Host;
  config: () => Config;
  machine: (name: string) => Host;
}

const isReading = (what: string): boolean => what.startsWith(`${filesKind}:`);

/** Unmounts and releases what one run reads; safe to do twice. */
export async function putBackLeft({ host, config, machine }: Reader, run: string): Promise<void> {
  for (const { what, former } of await openUndos(host, run)) {
    if (!isReading(what)) continue;
    await putBackFiles(config, machine)(host, what, former, run);
    await markUndone(host, run, what);
  }
}

/** Runs of the job that were killed while they read from this machine; `isAlive` knows those that still go on. */
export async function leftRuns(
  host: Host,
  of: { job: string; machine: string },
  isAlive: (run: string) => Promise<boolean>,
): Promise<string[]> {
  const open = (await openUndos(host)).filter(
    ({ run, what, former }) =>
      isReading(what) && parseRunId(run)?.job === of.job && former.host === of.machine,
  );
  const runs = [...new Set(open.map(({ run }) => run))];
  const alive = await Promise.all(runs.map(isAlive));
  return runs.filter((_, at) => !alive[at]);
}
