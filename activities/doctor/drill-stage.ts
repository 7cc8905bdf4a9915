import { randomBytes } from 'node:crypto';
import { folderOf, storeOf } from '../../config/lookup.js';
import type { Config } from '../../config/schema.js';
import type { DrillStepInput } from '../../contracts/doctor.js';
import type { Copy } from '../../contracts/jobs.js';
import { runId, tags } from '../../contracts/names.js';
import { now } from '../../system/clock.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { provedCopies, readEvidence } from '../host/evidence.js';
import { backupResource } from '../restic/backup.js';
import { listSnapshots, openRestic } from '../restic/driver.js';
import { initialiseStore } from '../restic/initialise.js';
import { jobWith } from '../restic/job.js';
import type { Counts } from './drill-judge.js';
import { takeSample } from './drill-sample.js';

/** The scratch copy of a job: its names and its settings, but a source, a repository, a key and a state folder of its own. */

export interface Place extends DrillStepInput {
  store: string;
  folder: string;
}

/** What an engine of its own is made of, told by the process that is the worker. */
export interface EngineParts {
  /** Node and our command line. */
  holdfast: readonly string[];
  /** The server's program; undefined when this machine has none. Throws when one was named that is not there. */
  server(): string | undefined;
}

export interface Stage {
  /** Of the scratch configuration: nothing here can reach what is real. */
  tools: Tools;
  place: Place;
  engine: EngineParts;
  source: string;
  repository: string;
  key: string;
  sample: string;
  /** What the source must hold by the job's own settings. */
  guardedBy: 'marker' | 'least' | 'nothing';
  /** A name for the next played run. */
  newRun(): string;
  /** The very step that a backup runs. `change` replaces parts of the tools. */
  backUp(run: string, change?: Partial<Tools>): Promise<Copy>;
  count(run: string): Promise<Counts>;
}

/** Makes the scratch copy below `place.folder`. */
export async function openStage(real: Tools, place: Place, engine: EngineParts): Promise<Stage> {
  const { folder, job, resource, store } = place;
  const host: Host = {
    ...real.host,
    stateFolder: `${folder}/state`,
    // Nothing that is played is ever stated as proved.
    get driver() {
      return host;
    },
  };
  const source = `${folder}/source`;
  const repository = `${folder}/repository`;
  const key = `${folder}/key`;
  const config = scratchConfig(real.config, place, { source, repository, key });
  const tools: Tools = { ...real, host, config, attempt: 1 };
  await host.writeFile(key, `${randomBytes(16).toString('hex')}\n`);
  const { directory, marker, least } = folderOf(real.config, resource);
  const sample = await takeSample(host, directory, source);
  if (marker !== undefined) await host.writeFile(`${source}/${marker}`, '');
  await initialiseStore(tools, store);
  const isMeasured = least.files !== undefined || least.bytes !== undefined;
  const begunMs = now().getTime();
  let runs = 0;
  return {
    tools,
    place,
    engine,
    source,
    repository,
    key,
    sample,
    guardedBy: marker === undefined ? (isMeasured ? 'least' : 'nothing') : 'marker',
    newRun: () => {
      runs += 1;
      // Of the minute before: the run in the drill's own engine is named after its second, and would take the copy of a namesake for its own.
      return runId(job, new Date(begunMs - 60_000 + runs * 1000));
    },
    backUp: (run, change = {}) =>
      backupResource({ ...tools, ...change, run }, { job, run, resource, store, retryForMs: 0 }),
    count: (run) => count(tools, place, repository, run),
  };
}

/** The job by its own name with its own restic, so that messages read as they will; only the places differ. */
function scratchConfig(
  real: Config,
  { job, resource, store }: Place,
  { source, repository, key }: { source: string; repository: string; key: string },
): Config {
  const own = folderOf(real, resource);
  const isMeasured = own.least.files !== undefined || own.least.bytes !== undefined;
  const least = isMeasured ? { files: 1 } : {};
  const restic = { ...storeOf(real, store), repository, password: { file: key }, env: {}, limits: {} };
  const played = { ...jobWith(real, { job }), resources: [resource], store, stores: undefined, exclude: [] };
  return {
    ...real,
    resources: { [resource]: { ...own, directory: source, mounted: false, least } },
    stores: { [store]: { restic } },
    jobs: { [job]: played },
  };
}

/** Without the temporary file of a lock that is only being written: killed then, restic leaves no lock, and cares for none. */
export const locksIn = async (host: Host, repository: string): Promise<string[]> =>
  (await host.list(`${repository}/locks`)).filter((name) => /^[0-9a-f]{64}$/.test(name));

async function count(
  tools: Tools,
  { job, resource, store }: Place,
  repository: string,
  run: string,
): Promise<Counts> {
  const restic = await openRestic(tools, store, 'count');
  const snapshots = await listSnapshots(restic, []);
  const proved = provedCopies(await readEvidence(tools.host), { job, resource, store });
  const good = proved.filter(({ snapshot }) => snapshots.some(({ id }) => id === snapshot));
  const locks = await locksIn(tools.host, repository);
  return {
    ofRun: snapshots.filter((snapshot) => snapshot.tags.includes(tags.run(run))).length,
    good: good.length,
    locks: locks.length,
  };
}
