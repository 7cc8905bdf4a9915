import type { Tools } from '../door.js';
import type { Apart } from './failback-plan.js';
import { ownProperties, zfsCommand } from './list-command.js';
import { listTrees, type Zfs } from './listing.js';
import { promoteWords } from './promote.js';
import { mustAll } from './stand-by.js';
import { localProperties, parseBefore } from './tree-properties.js';

/**
 * A dataset that went on by itself is renamed aside with all that it has, and a clone of the last common snapshot takes its place; once
 * promoted, the clone has the history that both sides share, so that the way back stays incremental. Nothing is destroyed or rolled back.
 */

interface Facts {
  type: string;
  /** The snapshot of which it is a clone. */
  origin: string | undefined;
}

type Says = Pick<Tools, 'log'>;

/** Each step looks what is there: an attempt that was cut goes on where it ended. */
export async function putApart(
  tools: Says,
  zfs: Zfs,
  { dataset, aside, common, children }: Apart,
): Promise<void> {
  const before = await factsOf(zfs, [dataset, aside]);
  if (!before.has(aside)) {
    if (before.get(dataset)?.type === 'filesystem') await unmountable(tools, zfs, dataset);
    await mustAll(zfs, [['rename', dataset, aside]], tools.log);
  }
  if (common === undefined) return;
  const base = `${aside}@${common}`;
  if (!(await factsOf(zfs, [dataset])).has(dataset)) {
    const own = await saidItself(zfs, aside);
    await mustAll(zfs, [['clone', ...own, base, dataset]], tools.log);
  }
  const both = await listTrees(zfs, { roots: [dataset, aside], depth: 1 });
  for (const words of promoteWords(both, dataset, aside)) await mustAll(zfs, [words], tools.log);
  const left = await factsOf(
    zfs,
    children.map((name) => `${aside}/${name}`),
  );
  for (const name of children)
    if (left.has(`${aside}/${name}`))
      await mustAll(zfs, [['rename', `${aside}/${name}`, `${dataset}/${name}`]], tools.log);
  // What was put aside is nobody's to put back.
  await mustAll(
    zfs,
    [
      ['inherit', ownProperties.before, aside],
      ['inherit', ownProperties.role, aside],
    ],
    tools.log,
  );
}

/** It would cover what takes its place. How it was is written down for that, which takes its properties over. */
async function unmountable({ log }: Says, zfs: Zfs, dataset: string): Promise<void> {
  const local = await localProperties(zfs, dataset, ['canmount', ownProperties.before], { depth: 0 });
  const own = local.get(dataset) ?? {};
  const before = parseBefore(own[ownProperties.before]) ?? {};
  if (!Object.hasOwn(before, 'canmount')) {
    // It can be set, but not inherited.
    const text = JSON.stringify({ ...before, canmount: own.canmount ?? 'on' });
    await mustAll(zfs, [['set', `${ownProperties.before}=${text}`, dataset]], log);
  }
  await mustAll(zfs, [['set', 'canmount=noauto', dataset]], log);
}

/** What is not there is simply not in the answer. */
async function factsOf({ host, signal, zfs }: Zfs, names: readonly string[]): Promise<Map<string, Facts>> {
  if (names.length === 0) return new Map();
  const command = zfsCommand(zfs, [
    'list',
    '-Hp',
    '-d',
    '0',
    '-t',
    'filesystem,volume',
    '-o',
    'name,type,origin',
    ...names,
  ]);
  const { stdout } = await host.run(command, { signal });
  const rows = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
  return new Map(
    rows.map(([name = '', type = '', origin = '-']) => [
      name,
      { type, origin: origin === '-' ? undefined : origin },
    ]),
  );
}

/** Of a clone they cannot be set, or are those of what it is a clone of. */
const notOnClones =
  /^(encryption|keyformat|keylocation|pbkdf2iters|volsize|volblocksize|refreservation|reservation|casesensitivity|normalization|utf8only|canmount)$/;

/** A clone inherits from its place alone: what the dataset said of itself is said again. Mounted is nothing before it is in use. */
async function saidItself({ host, signal, zfs }: Zfs, aside: string): Promise<string[]> {
  const command = zfsCommand(zfs, ['get', '-Hp', '-s', 'local', '-o', 'property,value', 'all', aside]);
  const { stdout } = await host.run(command, { signal });
  const type = (await factsOf({ host, signal, zfs } as Zfs, [aside])).get(aside)?.type;
  const own = stdout.split('\n').flatMap((line) => {
    const [property = '', ...value] = line.split('\t');
    return property === '' || notOnClones.test(property) ? [] : ['-o', `${property}=${value.join('\t')}`];
  });
  return type === 'volume' ? own : [...own, '-o', 'canmount=noauto'];
}
