import type { Command } from '../../system/host.js';

/** How each verb of restic is written. Repository and secrets travel in the environment only, never in arguments. */

/** The restic of a host: its program and where it may keep its cache. */
export interface ResticTool {
  file: string;
  cacheFolder: string;
}

/** What restic may use of the network and of the disks. */
export interface ResticLimits {
  uploadKiBps?: number | undefined;
  downloadKiBps?: number | undefined;
  readConcurrency?: number | undefined;
}

/** A store as a command needs it: everything secret lies in `env`. */
export interface RepositoryAccess {
  /** RESTIC_REPOSITORY, RESTIC_PASSWORD and the store's own credentials, in plain text: never log it. */
  env: Readonly<Record<string, string>>;
  limits: ResticLimits;
}

/** Options of one verb, and what follows them: paths and ids stand after `--`, so that no name is taken for an option. */
export interface Verb {
  verb: string;
  options: readonly string[];
  operands?: readonly string[];
}

/** Puts a verb together. restic up to 0.16 cleans up after SIGINT only; newer ones understand it too. */
export function resticCommand(tool: ResticTool, repository: RepositoryAccess, verb: Verb): Command {
  const { limits } = repository;
  const operands = verb.operands?.length ? ['--', ...verb.operands] : [];
  return {
    file: tool.file,
    args: [verb.verb, ...limitOptions(limits), ...verb.options, ...operands],
    env: {
      ...repository.env,
      RESTIC_CACHE_DIR: tool.cacheFolder,
      // About ten lines a second otherwise, even into a pipe.
      RESTIC_PROGRESS_FPS: '1',
      ...(limits.readConcurrency ? { RESTIC_READ_CONCURRENCY: String(limits.readConcurrency) } : {}),
    },
    stopSignal: 'SIGINT',
  };
}

function limitOptions({ uploadKiBps, downloadKiBps }: ResticLimits): string[] {
  return [
    ...(uploadKiBps ? [`--limit-upload=${uploadKiBps}`] : []),
    ...(downloadKiBps ? [`--limit-download=${downloadKiBps}`] : []),
  ];
}

const tagOptions = (tags: readonly string[]): string[] => tags.map((tag) => `--tag=${tag}`);

export interface BackupArguments {
  /** The host's name in Holdfast: parents are found by it, whatever the machine calls itself. */
  host: string;
  tags: readonly string[];
  exclude: readonly string[];
  paths: readonly string[];
  /** A file with more paths, each ended by a zero byte: any number of them, of any name. */
  pathsFile?: string;
  /** Compare with this snapshot and not with the newest of the same host and paths. */
  parent?: string;
  /** Read the source, store nothing. */
  dryRun?: boolean;
}

/** Copies the paths into the repository. */
export const backupVerb = ({
  host,
  tags,
  exclude,
  paths,
  pathsFile,
  parent,
  dryRun,
}: BackupArguments): Verb => ({
  verb: 'backup',
  options: [
    '--json',
    `--host=${host}`,
    ...tagOptions(tags),
    ...exclude.map((pattern) => `--exclude=${pattern}`),
    ...(pathsFile ? [`--files-from-raw=${pathsFile}`] : []),
    ...(parent ? [`--parent=${parent}`] : []),
    ...(dryRun ? ['--dry-run'] : []),
  ],
  operands: paths,
});

/** Lists the snapshots that carry all of the tags; without a lock, because it only looks. */
export const snapshotsVerb = (allTags: readonly string[]): Verb => ({
  verb: 'snapshots',
  options: ['--json', '--no-lock', ...(allTags.length ? [`--tag=${allTags.join(',')}`] : [])],
});

export type Keep = Partial<
  Record<'last' | 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly', number | undefined>
>;
const keepNames = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

/** Asks which snapshots a policy would remove. Grouped by nothing: a moved folder must not keep its old copies for ever. */
export const planForgetVerb = (asked: { host: string; tags: readonly string[]; keep: Keep }): Verb => ({
  verb: 'forget',
  options: [
    '--dry-run',
    '--json',
    '--group-by=',
    `--host=${asked.host}`,
    `--tag=${asked.tags.join(',')}`,
    ...keepNames.flatMap((name) => (asked.keep[name] ? [`--keep-${name}=${asked.keep[name]}`] : [])),
  ],
});

/** Removes exactly these snapshots. */
export const forgetVerb = (ids: readonly string[]): Verb => ({ verb: 'forget', options: [], operands: ids });

/** Frees what no snapshot needs. Never together with forget: their outputs would mix. */
export const pruneVerb = (maxUnused: string): Verb => ({
  verb: 'prune',
  options: [`--max-unused=${maxUnused}`],
});

/** Checks the structure, and with a part also reads that part of the data. */
export const checkVerb = (part?: { part: number; parts: number }): Verb => ({
  verb: 'check',
  options: part ? [`--read-data-subset=${part.part}/${part.parts}`] : [],
});

export interface RestoreArguments {
  snapshot: string;
  target: string;
  /** Absolute paths as they are in the snapshot; pattern characters are taken as they stand. */
  paths: readonly string[];
  /** Needs 0.15. */
  sparse: boolean;
  /** Needs 0.16; before there is no progress. */
  json: boolean;
}

/** Restores below `target` and reads it all again to compare it with the repository. */
export const restoreVerb = ({ snapshot, target, paths, sparse, json }: RestoreArguments): Verb => ({
  verb: 'restore',
  options: [
    ...(json ? ['--json'] : []),
    '--verify',
    ...(sparse ? ['--sparse'] : []),
    `--target=${target}`,
    ...paths.map((path) => `--include=${escapePattern(path)}`),
  ],
  operands: [snapshot],
});

/** Makes restic take a path as it stands: its patterns are those of Go's filepath.Match, and a leading ! or $ has no meaning in flags. */
export const escapePattern = (path: string): string => path.replace(/[\\*?[\]]/g, '\\$&');

/** Lists every node of a snapshot, one JSON object a line. */
export const listVerb = (snapshot: string): Verb => ({
  verb: 'ls',
  options: ['--json', '--no-lock'],
  operands: [snapshot],
});

/** Lists what lies directly in one folder of a snapshot. */
export const listFolderVerb = (snapshot: string, folder: string): Verb => ({
  verb: 'ls',
  options: ['--json', '--no-lock'],
  operands: [snapshot, folder],
});

/** Lists in words: the only place that says where symbolic links point before 0.19. */
export const listLongVerb = (snapshot: string): Verb => ({
  verb: 'ls',
  options: ['--long', '--no-lock'],
  operands: [snapshot],
});

/** Every node with its number of hard links, as JSON. */
export const findAllVerb = (snapshot: string): Verb => ({
  verb: 'find',
  options: ['--json', '--no-lock', `--snapshot=${snapshot}`],
  operands: ['*'],
});

/** Writes a folder of a snapshot as a tar stream to standard output. */
export const dumpVerb = (snapshot: string, path: string): Verb => ({
  verb: 'dump',
  options: ['--archive=tar', '--no-lock'],
  operands: [snapshot, path],
});

/** Shows all snapshots as folders below `place`/ids, until it is unmounted there. */
export const mountVerb = (place: string): Verb => ({
  verb: 'mount',
  options: ['--no-lock', '--path-template=ids/%I'],
  operands: [place],
});

/** Removes stale locks only (same machine and a dead process, or no sign for 30 minutes). There is no --remove-all here. */
export const unlockVerb = (): Verb => ({ verb: 'unlock', options: [] });

/** The ids of the repository's locks, one a line. */
export const listLocksVerb = (): Verb => ({ verb: 'list', options: ['--no-lock'], operands: ['locks'] });

/** One lock as JSON: whose it is and since when. */
export const catLockVerb = (id: string): Verb => ({
  verb: 'cat',
  options: ['--no-lock'],
  operands: ['lock', id],
});

/** Creates a repository. */
export const initVerb = (): Verb => ({ verb: 'init', options: [] });

/** Shows the repository's own settings; needs reachability and the right password. */
export const configVerb = (): Verb => ({ verb: 'cat', options: ['--no-lock'], operands: ['config'] });

/** Sizes of one snapshot when it is restored. */
export const statsVerb = (snapshot: string): Verb => ({
  verb: 'stats',
  options: ['--json', '--no-lock', '--mode=restore-size'],
  operands: [snapshot],
});

/** Which restic it is; asks no repository. */
export const versionCommand = (tool: ResticTool): Command => ({ file: tool.file, args: ['version'] });
