import { join } from 'node:path';
import type { IdMap } from '../../contracts/id-map.js';
import { nameToBytes } from '../../system/file-names.js';
import type { NamedValue } from './attribute-text.js';
import { readGetfattr } from './attributes.js';
import type { Restic } from './driver.js';
import { withMappedOwner } from './id-plan.js';
import { shiftedCapability, shiftedList } from './id-shift.js';
import type { Node } from './listing.js';
import { overFiles } from './over-files.js';
import type { PreparedRestore } from './prepared-restore.js';
import { dataFolder, stagingFolder } from './target.js';

/**
 * Gives what was restored to its mapped owners, before it is compared. Every value is computed from what the copy says, so that it can be
 * done again after a kill at any point: owners from the listing, access lists and capabilities from a file that is written
 * whole before the first of them is changed.
 */

const filesAtOnce = 200;
/** What holds ids, or is taken away by the system when the owner changes. */
const match = '^(system\\.posix_acl_(access|default)|security\\.capability)$';
const neverRestored = new Set<string>(['socket', 'irregular']);

/** What could not be mapped is handed back in words; that it was done right is for the comparison to say. */
export async function mapOwners({ restic, plan, nodes, idMap }: PreparedRestore): Promise<string[]> {
  if (!plan.mapping) return [];
  restic.progress({ phase: 'mapping owners' });
  const data = dataFolder(plan.target);
  const attributes = join(stagingFolder(plan.target), 'mapped-attributes');
  const { host } = restic;
  if (!(await host.exists(attributes))) {
    const values = await attributesBefore(restic, data);
    const mapped = values.map((value) => ({ ...value, value: mappedValue(value, idMap) }));
    await host.writeFile(attributes, attributeFile(mapped));
  }
  const restored = nodes.filter(({ type }) => !neverRestored.has(type));
  await changeOwners(restic, data, restored, idMap);
  return setAttributes(restic, attributes);
}

interface FileValue extends NamedValue {
  path: string;
}

async function attributesBefore(restic: Restic, data: string): Promise<FileValue[]> {
  const all: FileValue[] = [];
  await readGetfattr(restic, ['--recursive', `--match=${match}`, '--', data], (path, values) => {
    all.push(...values.map((value) => ({ path, ...value })));
  });
  return all;
}

const mappedValue = ({ name, value }: NamedValue, map: IdMap): Buffer =>
  name === 'security.capability' ? shiftedCapability(map, value) : shiftedList(map, value);

/** As `setfattr --restore` takes it. */
const attributeFile = (values: readonly FileValue[]): string =>
  values
    .map(({ path, name, value }) => `# file: ${escapePath(path)}\n${name}=0x${value.toString('hex')}\n\n`)
    .join('');

/** Everything but plain letters as octal numbers. */
const escapePath = (path: string): string =>
  nameToBytes(path)
    .toString('latin1')
    .replace(/[^A-Za-z0-9/._-]/g, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);

async function changeOwners(restic: Restic, data: string, nodes: readonly Node[], map: IdMap): Promise<void> {
  const owners = new Map<string, string[]>();
  const modes = new Map<string, string[]>();
  for (const node of nodes) {
    const { uid, gid } = withMappedOwner(node, map);
    if (uid === node.uid && gid === node.gid) continue;
    gather(owners, `${uid}:${gid}`, `${data}${node.path}`);
    // The system takes setuid and setgid away from a file that changes hands.
    if (node.type === 'file' && (node.mode & 0o6000) !== 0)
      gather(modes, node.mode.toString(8).padStart(4, '0'), `${data}${node.path}`);
  }
  for (const [owner, paths] of owners)
    await inPortions(restic, paths, ['chown', '--no-dereference', '--', owner]);
  for (const [mode, paths] of modes) await inPortions(restic, paths, ['chmod', '--', mode]);
}

function gather(groups: Map<string, string[]>, key: string, path: string): void {
  const group = groups.get(key);
  if (group) group.push(path);
  else groups.set(key, [path]);
}

async function inPortions(
  { host, signal, log }: Restic,
  paths: readonly string[],
  words: readonly string[],
): Promise<void> {
  for (let from = 0; from < paths.length; from += filesAtOnce) {
    const command = overFiles(words, paths.slice(from, from + filesAtOnce));
    const { exitCode } = await host.run(command, { signal, log });
    if (exitCode !== 0) log(`${words[0]} did not reach every file; the comparison says which`);
  }
}

/**
 * Last: a change of the owner takes capabilities away, and a change of the mode touches the access list.
 * What failed is a warning: on some hosts the attributes are not compared.
 */
async function setAttributes({ host, signal, log }: Restic, file: string): Promise<string[]> {
  if ((await host.facts(file))?.size === 0) return [];
  const args = ['--no-dereference', `--restore=${file}`];
  const { exitCode } = await host.run({ file: 'setfattr', args }, { signal, log });
  if (exitCode === 0) return [];
  return ['setfattr could not map every access list and capability; the log says which'];
}
