import { HoldfastError } from '../../contracts/errors.js';
import { versionCommand } from './command.js';
import type { Restic } from './driver.js';
import { isAtLeast, parseVersion } from './parse.js';

/** Which restics we know. The one place that says it: outputs of these, but of 0.15, are kept in test/golden/restic, and the parsers are held to them. */

export type Version = readonly [major: number, minor: number, patch: number];

export const knownVersions = { oldest: [0, 14], newest: [0, 18] } as const;

/** Older ones write no version into their locks and listings that we could rely on, and read no repository of format 2. */
export const isTooOld = (version: Version): boolean => !isAtLeast(version, knownVersions.oldest);

const isNewer = ([major, minor]: Version): boolean =>
  isAtLeast([major, minor], [knownVersions.newest[0], knownVersions.newest[1] + 1]);

const range = `${knownVersions.oldest.join('.')} to ${knownVersions.newest.join('.')}`;

/** What is said once a run of a restic that is newer than this Holdfast; `program` is what a snapshot says (from 0.16 on). */
export function unknownVersion(program: string | undefined): string | undefined {
  if (!/^restic \d+\.\d+\.\d+/.test(program ?? '')) return undefined;
  const version = parseVersion(program ?? '');
  if (!isNewer(version)) return undefined;
  return `restic ${version.join('.')} is not known yet: this Holdfast was tried with ${range}`;
}

/** The restic of this host; asked once for each program file, so that it costs no start. Throws when it is too old. */
export async function resticVersion(restic: Restic): Promise<Version> {
  const { host, tool, signal } = restic;
  const { key, version } = await remembered(restic);
  if (version) return accepted(version, host.name);
  const { stdout, stderrTail } = await host.run(versionCommand(tool), { signal });
  const asked = parseVersion(stdout || stderrTail);
  await host.writeFile(memory(restic), JSON.stringify({ key, version: asked } satisfies Known));
  return accepted(asked, host.name);
}

/** For a backup, which starts restic no more often than it must: only what is known already. */
export async function refuseOldVersion(restic: Restic): Promise<void> {
  const { version } = await remembered(restic);
  if (version) accepted(version, restic.host.name);
}

const memory = ({ host }: Restic): string => `${host.stateFolder}/cache/restic-version.json`;

async function remembered(restic: Restic): Promise<{ key: string; version?: Version | undefined }> {
  const { host, tool } = restic;
  const path = await host.realPath(await host.requireProgram(tool.file));
  const facts = await host.facts(path);
  const key = `${path} ${facts?.inode} ${facts?.size} ${facts?.mtimeNs}`;
  const file = memory(restic);
  const known = (await host.exists(file)) ? readKnown(await host.readFile(file)) : undefined;
  return { key, version: known?.key === key ? known.version : undefined };
}

interface Known {
  key: string;
  version: Version;
}

function readKnown(text: string): Known | undefined {
  try {
    return JSON.parse(text) as Known;
  } catch {
    return undefined;
  }
}

function accepted(version: Version, host: string): Version {
  if (!isTooOld(version)) return version;
  const message = `restic ${version.join('.')} on "${host}" is too old: ${knownVersions.oldest.join('.')} or newer is needed. Install a newer one there, or name its path in hosts.${host}.tools.restic`;
  throw new HoldfastError('HF_TOOL_MISSING', message);
}
