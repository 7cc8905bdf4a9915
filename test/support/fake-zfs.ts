import type { Tools } from '../../activities/door.js';
import { listColumns } from '../../activities/zfs/list-command.js';
import { parseConfig } from '../../config/load.js';
import type { Command, Host, RunOptions, RunResult } from '../../system/host.js';
import { filesIn } from './files-in.js';

/** A pool in memory behind the words of zfs: for what real pools do only when somebody stumbles at the right moment. */

interface FakeSnapshot {
  guid: string;
  txg: number;
  props: Record<string, string>;
  holds: Set<string>;
}

export interface FakeZfs {
  datasets: Map<string, Map<string, FakeSnapshot>>;
  /** What a dataset says of itself besides, by the names of the columns. */
  properties: Map<string, Record<string, string>>;
  /** By `dataset#name`, of which snapshot. */
  bookmarks: Map<string, { guid: string; txg: number }>;
  /** The arguments of every command so far. */
  commands: string[][];
  /** A dataset on which a receive was interrupted, with what it says. */
  token: [dataset: string, token: string] | undefined;
  /** Of the 1e12 that its pools can hold. */
  usedBytes: number;
  /** Called before each command; what it returns is answered instead. */
  before: (args: readonly string[]) => Partial<RunResult> | undefined;
  tools(run: string): Tools;
  add(dataset: string, snapshot: string, props?: Record<string, string>): void;
}

const ended = (more: Partial<RunResult> = {}): RunResult => ({
  exitCode: 0,
  signal: undefined,
  stdout: '',
  stderrTail: '',
  durationMs: 1,
  ...more,
});
const refused = (words: string): RunResult => ended({ exitCode: 1, stderrTail: `${words}\n` });

/** `-o key=value` pairs and what is to be taken. */
function wordsOf(args: readonly string[]): { props: Record<string, string>; targets: string[] } {
  const isValue = (at: number): boolean => args[at - 1] === '-o';
  const pairs = args.filter((_, at) => isValue(at)).map((pair) => pair.split('=') as [string, string]);
  const targets = args.filter((arg, at) => !arg.startsWith('-') && !isValue(at));
  return { props: Object.fromEntries(pairs), targets };
}

/** What stands behind the columns. */
const rootsIn = (args: readonly string[]): string[] => args.slice(args.indexOf('-o') + 2);

export function fakeZfs(names: readonly string[], job: object): FakeZfs {
  let txg = 100;
  const datasets: FakeZfs['datasets'] = new Map(names.map((name) => [name, new Map()]));
  const files = new Map<string, string>();
  const next = (): number => {
    txg += 1;
    return txg;
  };
  const fake: FakeZfs = {
    datasets,
    properties: new Map(),
    bookmarks: new Map(),
    commands: [],
    usedBytes: 1e11,
    token: undefined,
    before: () => undefined,
    add(dataset, snapshot, props = {}) {
      const at = next();
      datasets.get(dataset)?.set(snapshot, { guid: String(9e6 + at), txg: at, props, holds: new Set() });
    },
    tools: (run) => toolsOf(run),
  };
  const verbs: Record<string, (args: string[]) => RunResult> = {
    list: (args) => {
      if (args.includes('name,guid')) return listGuids(args);
      if (args.includes('name,used,available'))
        return ended({
          stdout: rootsIn(args)
            .map((pool) => `${pool}\t${fake.usedBytes}\t${1e12 - fake.usedBytes}`)
            .join('\n'),
        });
      return ended({ stdout: listing(args) });
    },
    snapshot: (args) => takeAll(args),
    destroy: ([target = '']) => destroy(target),
    hold: ([tag = '', ...targets]) => hold(tag, targets),
    release: ([tag = '', target = '']) =>
      find(target)?.holds.delete(tag)
        ? ended()
        : refused(`cannot release '${target}': no such tag on this dataset`),
    bookmark: ([snapshot = '', name = '']) => {
      const of = find(snapshot);
      if (!of) return refused(`cannot create bookmark '${name}': dataset does not exist`);
      fake.bookmarks.set(name, { guid: of.guid, txg: of.txg });
      return ended();
    },
    // The only program of sh that is answered is the one that asks who holds what.
    '-c': ([text = '']) => (text.includes('holds') ? ended({ stdout: tagsIn(text) }) : refused('no sh')),
    program: () => refused('Permission denied. Channel programs must be run as root.'),
  };

  const row = (values: Record<string, string>): string =>
    listColumns.map((column) => values[column] ?? '-').join('\t');
  const listing = (args: string[]): string =>
    [...datasets]
      .filter(([name]) => rootsIn(args).some((root) => name === root || name.startsWith(`${root}/`)))
      .flatMap(([name, snapshots]) => [
        row({
          name,
          type: 'filesystem',
          guid: `7${[...name].map((c) => c.charCodeAt(0) % 10).join('')}`.slice(0, 19),
          createtxg: '1',
          ...(fake.token?.[0] === name && { receive_resume_token: fake.token[1] }),
          ...fake.properties.get(name),
        }),
        ...(args.includes('filesystem,volume') ? [] : [...snapshots]).map(
          ([snapshot, { guid, txg: at, props, holds }]) =>
            row({
              name: `${name}@${snapshot}`,
              type: 'snapshot',
              guid,
              createtxg: String(at),
              creation: String(1_795_000_000 + at),
              userrefs: String(holds.size),
              ...props,
            }),
        ),
        ...(args.includes('filesystem,volume') ? [] : bookmarksOf(name)),
      ])
      .join('\n');
  const find = (target: string): FakeSnapshot | undefined => {
    const [dataset = '', snapshot = ''] = target.split('@');
    return datasets.get(dataset)?.get(snapshot);
  };
  const tagsIn = (text: string): string =>
    [...datasets]
      .flatMap(([name, snapshots]) => [...snapshots].map(([at, one]) => ({ full: `${name}@${at}`, one })))
      .filter(({ full }) => text.includes(full))
      .flatMap(({ full, one }) => [...one.holds].map((tag) => `${full}\t${tag}\tThu Jan  1  0:00 1970`))
      .join('\n');
  const bookmarksOf = (dataset: string): string[] =>
    [...fake.bookmarks]
      .filter(([name]) => name.startsWith(`${dataset}#`))
      .map(([name, { guid, txg: at }]) =>
        row({
          ...{ name, type: 'bookmark', guid, createtxg: String(at) },
          creation: String(1_795_000_000 + at),
        }),
      );
  const listGuids = (args: string[]): RunResult => {
    const lines = args.flatMap((name) => (find(name) ? [`${name}\t${find(name)?.guid}`] : []));
    return ended({ stdout: lines.join('\n') });
  };
  const takeAll = (args: string[]): RunResult => {
    const { props, targets } = wordsOf(args);
    const all = targets.flatMap((target) => {
      const [root = '', name = ''] = target.split('@');
      const below = args.includes('-r')
        ? [...datasets.keys()].filter((one) => one.startsWith(`${root}/`))
        : [];
      return [root, ...below].map((dataset) => ({ dataset, name }));
    });
    const gone = all.find(({ dataset }) => !datasets.has(dataset));
    if (gone) return refused(`cannot create snapshot '${gone.dataset}@${gone.name}': dataset does not exist`);
    if (all.some(({ dataset, name }) => datasets.get(dataset)?.has(name)))
      return refused('cannot create snapshot: dataset already exists');
    const at = next();
    for (const { dataset, name } of all)
      datasets
        .get(dataset)
        ?.set(name, { guid: `${9e6 + at}${dataset.length}`, txg: at, props, holds: new Set() });
    return ended();
  };
  const destroy = (target: string): RunResult => {
    const [dataset = '', list = ''] = target.split('@');
    const held = list.split(',').find((name) => (find(`${dataset}@${name}`)?.holds.size ?? 0) > 0);
    if (held) return refused(`cannot destroy snapshot ${dataset}@${held}: it's being held.`);
    for (const name of list.split(',')) datasets.get(dataset)?.delete(name);
    return ended();
  };
  /** Each for itself: what is refused for one does not keep the others. */
  const hold = (tag: string, targets: string[]): RunResult => {
    const complaints = targets.flatMap((target) => {
      const snapshot = find(target);
      if (!snapshot) return [`cannot hold snapshot '${target}': dataset does not exist`];
      if (snapshot.holds.has(tag))
        return [`cannot hold snapshot '${target}': tag already exists on this dataset`];
      snapshot.holds.add(tag);
      return [];
    });
    return complaints.length === 0 ? ended() : refused(complaints.join('\n'));
  };

  const host = {
    name: 'din',
    stateFolder: '/state',
    async run({ args }: Command, { onLine }: RunOptions = {}): Promise<RunResult> {
      fake.commands.push([...args]);
      const instead = fake.before(args);
      const [verb = '', ...rest] = args;
      const result = instead ? ended(instead) : (verbs[verb]?.(rest) ?? refused(`no verb ${verb}`));
      if (onLine) for (const line of result.stdout.split('\n')) onLine(line, 'stdout');
      return result;
    },
    ...filesIn(files),
  } as unknown as Host;
  Object.assign(host, { driver: host });
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: { din: {} },
      resources: { tree: { host: 'din', dataset: names[0] } },
      jobs: { hourly: { kind: 'zfs-snapshot', resources: ['tree'], ...job } },
    }),
    '/holdfast.yaml',
  );
  if (!config) throw new Error(JSON.stringify(mistakes));
  const toolsOf = (run: string): Tools => ({
    host,
    config,
    run,
    attempt: 1,
    signal: new AbortController().signal,
    progress: () => undefined,
    log: () => undefined,
  });
  return fake;
}
