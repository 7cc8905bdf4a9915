import { listColumns } from '../../activities/zfs/list-command.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Command, Host, RunOptions, RunResult } from '../../system/host.js';
import { filesIn } from './files-in.js';

/** A machine in memory whose datasets keep the properties that they are given: for what happens between two machines. */

export interface FakeTree {
  /** Without a "readonly" of its own it has that of the dataset above. */
  properties: Record<string, string>;
  /** Where a value is from, if it was not set here. */
  sources?: Record<string, 'received' | 'temporary'>;
  snapshots: Map<string, string>;
}

export interface FakeMachine {
  host: Host;
  trees: Map<string, FakeTree>;
  /** Every program but zfs and sh that was run, with its arguments. */
  ran: string[];
  isOff: boolean;
  /** Every change by zfs that was begun. */
  changes: string[];
  /** Why a change is refused; default: none is. */
  refuse: (words: readonly string[]) => string | undefined;
  /** How a program ends; default: well. */
  answer: (argv: readonly string[], signal: AbortSignal | undefined) => Promise<Partial<RunResult>>;
}

const ended = (more: Partial<RunResult> = {}): RunResult => ({
  ...{ exitCode: 0, signal: undefined, stdout: '', stderrTail: '', durationMs: 1 },
  ...more,
});

/** The words of a line that replicate-script.ts has written: quoted where they must be. */
const unquoted = (line: string): string[] =>
  [...line.matchAll(/'((?:[^']|'\\'')*)'|([\w./=:,@-]+)/g)].map(([, quoted, plain = '']) =>
    quoted === undefined ? plain : quoted.replaceAll("'\\''", "'"),
  );

const guids = new WeakMap<FakeTree, string>();
let lastGuid = 770;

/** One of its own for each dataset of all machines; it stays when the dataset is renamed. */
function guidOf(tree: FakeTree): string {
  const known = guids.get(tree);
  if (known !== undefined) return known;
  lastGuid += 1;
  guids.set(tree, String(lastGuid));
  return String(lastGuid);
}

export function fakeMachine(name: string, datasets: readonly string[]): FakeMachine {
  const files = new Map<string, string>();
  const trees: FakeMachine['trees'] = new Map(
    datasets.map((dataset) => [dataset, { properties: { readonly: 'off' }, snapshots: new Map() }]),
  );
  const fake: FakeMachine = {
    ...{ host: {} as Host, trees, ran: [], isOff: false, answer: async () => ended() },
    ...{ changes: [], refuse: () => undefined },
  };
  const below = (root: string) => [...trees].filter(([one]) => one === root || one.startsWith(`${root}/`));
  const readonlyOf = (dataset: string): string =>
    trees.get(dataset)?.properties.readonly ??
    (dataset.includes('/') ? readonlyOf(dataset.slice(0, dataset.lastIndexOf('/'))) : 'off');
  const row = (values: Record<string, string>): string =>
    listColumns.map((column) => values[column] ?? '-').join('\t');

  const list = (args: readonly string[]): RunResult => {
    const roots = args.slice(args.indexOf('-o') + 2);
    const missing = roots.find((root) => !trees.has(root));
    if (missing !== undefined)
      return ended({ exitCode: 1, stderrTail: `cannot open '${missing}': dataset does not exist` });
    const rows = roots.flatMap(below).flatMap(([dataset, tree]) => [
      row({
        name: dataset,
        type: 'filesystem',
        guid: guidOf(tree),
        createtxg: '1',
        creation: '1',
        ...tree.properties,
        readonly: readonlyOf(dataset),
      }),
      ...(args.includes('filesystem,volume') ? [] : [...tree.snapshots]).map(([snapshot, guid], txg) =>
        row({
          name: `${dataset}@${snapshot}`,
          type: 'snapshot',
          guid,
          createtxg: `${txg + 2}`,
          creation: `${txg + 2}`,
        }),
      ),
    ]);
    return ended({ stdout: rows.join('\n') });
  };
  const get = (args: readonly string[]): RunResult => {
    const [names = '', root = ''] = args.slice(-2);
    const asked = (args[args.indexOf('-s') + 1] ?? '').split(',');
    const isAsked = ({ sources = {} }: FakeTree, key: string): boolean =>
      asked.includes(sources[key] ?? 'local');
    const rows = below(root).flatMap(([dataset, tree]) =>
      names
        .split(',')
        .filter((key) => tree.properties[key] !== undefined && isAsked(tree, key))
        .map((key) => [dataset, key, tree.properties[key]].join('\t')),
    );
    return ended({ stdout: rows.join('\n') });
  };
  const set = ({ properties, sources = {} }: FakeTree, pairs: readonly string[]): void => {
    for (const pair of pairs) {
      const key = pair.slice(0, pair.indexOf('='));
      properties[key] = pair.slice(key.length + 1);
      delete sources[key];
    }
  };
  const inherit = ({ properties }: FakeTree, key = ''): void => {
    delete properties[key];
    if (key === 'readonly') properties.readonly = 'off';
  };
  const move = (from: string, to: string): void => {
    for (const [name, tree] of below(from)) {
      trees.delete(name);
      trees.set(`${to}${name.slice(from.length)}`, tree);
    }
  };
  const own = (name: string): FakeTree => trees.get(name) ?? { properties: {}, snapshots: new Map() };
  const verbs: Record<string, (rest: readonly string[], last: string) => void> = {
    set: (rest, last) => set(own(last), rest.slice(0, -1)),
    inherit: ([key], last) => inherit(own(last), key),
    mount: (_, last) => set(own(last), ['mounted=yes']),
    unmount: (_, last) => set(own(last), ['mounted=no']),
    rename: ([from = ''], last) => move(from, last),
    snapshot(_, last) {
      const [root = '', snapshot = ''] = last.split('@');
      for (const [, { snapshots }] of below(root)) snapshots.set(snapshot, `9${snapshots.size}`);
    },
  };
  /** What it is refused for. */
  const change = (words: readonly string[]): string => {
    fake.changes.push(words.join(' '));
    const why = fake.refuse(words);
    if (why !== undefined) return why;
    const [verb = '', ...rest] = words;
    verbs[verb]?.(rest, rest.at(-1) ?? '');
    return '';
  };
  const script = (text: string): RunResult => {
    const calls = [...text.matchAll(/^z \d+ (.*) <\/dev\/null &$/gm)];
    const ends = calls.map(([, words = '']) => change(unquoted(words).slice(1)));
    return ended({ stdout: ends.map((why, at) => `${at}\t${why === '' ? 0 : 1}\t${why}`).join('\n') });
  };

  const zfs = ([verb = '', ...rest]: readonly string[]): RunResult => {
    if (verb === 'list') return list(rest);
    if (verb === 'get') return get(rest);
    const why = change([verb, ...rest]);
    return why === '' ? ended() : ended({ exitCode: 1, stderrTail: `${why}\n` });
  };
  const other = async (argv: readonly string[], signal: AbortSignal | undefined): Promise<RunResult> => {
    fake.ran.push(argv.join(' '));
    return ended(await fake.answer(argv, signal));
  };
  const run = async ({ file, args }: Command, { onLine, signal }: RunOptions = {}): Promise<RunResult> => {
    if (fake.isOff) throw new HoldfastError('HF_SSH_UNREACHABLE', `${name} does not answer`);
    if (file === 'sh') return script(args[1] ?? '');
    if (file !== 'zfs') return other([file, ...args], signal);
    const done = zfs(args);
    for (const line of onLine ? done.stdout.split('\n') : []) onLine?.(line, 'stdout');
    return done;
  };
  const host = {
    ...{ name, stateFolder: '/state', run },
    ...filesIn(files),
  };
  fake.host = Object.assign(host, { driver: host }) as unknown as Host;
  return fake;
}
