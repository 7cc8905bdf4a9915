import type { Finding, HostFacts, ToolFacts } from '../../contracts/doctor.js';
import type { Teller } from './findings.js';

/** Programs that a host has or lacks, and what follows. Pure. */

const oldest = [0, 14] as const;
/** The newest whose output was read and whose behaviour is held by tests. */
const newestKnown = [0, 18] as const;

/** Those that are there share a line; each that is missing has its own consequence. */
export function judgeTools(tell: Teller, { tools, stores }: Pick<HostFacts, 'tools' | 'stores'>): Finding[] {
  const restic = tools.find(({ name }) => name === 'restic');
  const others = tools.filter(({ name }) => name !== 'restic');
  const missing = others.filter(({ path }) => path === undefined);
  const present = others.filter(({ path }) => path !== undefined).map(({ name }) => name);
  return [
    ...(restic ? [judgeRestic(tell, restic, stores.length > 0)] : []),
    ...(present.length > 0 ? [tell.ok('tools', present.join(', '))] : []),
    ...missing.map(({ name }) => judgeMissing(tell, name)),
  ];
}

function judgeRestic(tell: Teller, { path, version, error }: ToolFacts, isNeeded: boolean): Finding {
  const install = 'Install restic 0.14 or newer, or name its path in hosts.NAME.tools.restic';
  if (path === undefined && !isNeeded) return tell.note('restic', 'is not installed; no job here needs it');
  if (path === undefined) return tell.blocking('restic', 'is not installed', install);
  if (version === undefined)
    return tell.blocking('restic', `${path} does not say its version: ${error ?? ''}`, install);
  const found = `${version} (${path})`;
  if (compare(version, oldest) < 0)
    return tell.blocking('restic', `${found} is too old: its answers are not understood`, install);
  if (compare(version, newestKnown) > 0)
    return tell.note(
      'restic',
      `${found} works as far as is known, but is not known yet: tested are 0.14 to 0.18`,
    );
  return tell.ok('restic', found);
}

/** Major and minor only: patches change nothing that we rely on. */
function compare(version: string, [major, minor]: readonly [number, number]): number {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number);
  return ownMajor === major ? ownMinor - minor : ownMajor - major;
}

/** What a restore cannot do without it; flock alone stops everything. */
const consequences: Record<string, [loss: string, packageName: string]> = {
  find: ['no restore can be compared', 'findutils'],
  getfattr: ['access lists and extended attributes of a restore are not compared', 'attr'],
  fusermount: ['attributes of a restore above 10 GiB are compared only by reading all of it again', 'fuse3'],
  setfattr: ['a restore with --map-ids loses access lists and capabilities, and says so', 'attr'],
  fallocate: ['holes of sparse files stay filled at a restore with restic before 0.15', 'util-linux'],
};

function judgeMissing(tell: Teller, name: string): Finding {
  if (name === 'flock')
    return tell.blocking(
      'flock',
      'is not installed: no run can start, it keeps two restics apart',
      'Install it (package util-linux)',
    );
  const [loss, packageName] = consequences[name] ?? ['some steps cannot be done', name];
  return tell.warning(name, `is not installed: ${loss}`, `Install it (package ${packageName})`);
}
