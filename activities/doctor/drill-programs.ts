import { HoldfastError } from '../../contracts/errors.js';
import type { Host } from '../../system/host.js';
import { recordingScript } from '../../system/recorded.js';
import type { Stage } from './drill-stage.js';

/** The programs of a scratch engine, and what they are told. */

/** Processes of a drill write themselves down here. */
export const processesOf = (folder: string): string => `${folder}/processes`;

/** Nothing of ours runs on a host that is driven over ssh. */
export const isHere = ({ remote }: Host): boolean => remote === undefined;

export interface Programs {
  holdfast: string;
  server: string;
  restic: string;
}

/** Each stands for the real one and writes down which process it is. */
export async function makePrograms({ tools, place, engine }: Stage, server: string): Promise<Programs> {
  const { host, config } = tools;
  const records = processesOf(place.folder);
  await host.makeFolder(records);
  const standIn = async (name: string, program: readonly string[]): Promise<string> => {
    const file = `${place.folder}/programs/${name}`;
    await host.writeFile(file, recordingScript(program, records, name));
    await host.run({ file: 'chmod', args: ['700', file] });
    if ((await host.findProgram(file)) === file) return file;
    throw new HoldfastError(
      'HF_FILE_REFUSED',
      `programs may not be started below ${place.folder}: is its file system mounted "noexec"?`,
    );
  };
  const restic = await host.requireProgram(config.hosts[host.name]?.tools.restic ?? 'restic');
  return {
    holdfast: await standIn('holdfast', engine.holdfast),
    server: await standIn('temporal', [server]),
    restic: await standIn('restic', [restic]),
  };
}

/**
 * Children get only a few variables of ours, none of Holdfast or Temporal among them; but profiles of the Temporal CLI lie in HOME, and they
 * could lead to the estate's own server.
 */
export function environmentOf(folder: string, configFile: string, server: string): Record<string, string> {
  const home = `${folder}/home`;
  return {
    HOME: home,
    XDG_CONFIG_HOME: `${home}/config`,
    XDG_CACHE_HOME: `${home}/cache`,
    XDG_STATE_HOME: `${home}/state`,
    SSH_AUTH_SOCK: '',
    // All that is asked for is on this machine.
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
    NO_COLOR: '1',
    HOLDFAST_CONFIG: configFile,
    HOLDFAST_STATE: `${folder}/state`,
    HOLDFAST_TEMPORAL_BIN: server,
  };
}

/** So the copy takes about eight seconds, however quick the disk is. */
const uploadKiBps = 1024;

interface Settings {
  restic: string;
  /** A host without anything to do: its worker comes with the server and the orchestrator. */
  idle: string;
  ports: { port: number; uiPort: number };
}

/** holdfast.yaml of the scratch engine: the job by its own names, and only what a copy needs. No schedule, no hook, no secret of the real one. */
export function scratchFile({ tools, place, ...stage }: Stage, { restic, idle, ports }: Settings): unknown {
  const { job, resource, store } = place;
  const { config, host } = tools;
  const own = config.resources[resource];
  const patience = { retryFor: '2m', giveUpAfter: '3m' };
  return {
    temporal: { namespace: 'holdfast-drill', embedded: ports, deadHostAfter: '3s' },
    hosts: { [host.name]: { tools: { restic } }, [idle]: {} },
    resources: {
      [resource]: { host: host.name, directory: stage.source, marker: own?.marker, least: own?.least },
    },
    stores: {
      [store]: {
        restic: {
          repository: stage.repository,
          password: { file: stage.key },
          limits: { uploadKiBps },
        },
      },
    },
    jobs: { [job]: { kind: 'restic-backup', resources: [resource], store, ...patience } },
  };
}
