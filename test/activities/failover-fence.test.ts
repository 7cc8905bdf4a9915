import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { fenceIfReturned } from '../../activities/zfs/failover-fence.js';
import { listColumns } from '../../activities/zfs/list-command.js';
import { parseConfig } from '../../config/load.js';
import { HoldfastError } from '../../contracts/errors.js';
import { compileRun } from '../../schedules/compile.js';
import type { Command, Host, RunOptions } from '../../system/host.js';
import { fakeMachine } from '../support/fake-trees.js';

/** A source that is known to be away, and answers all the same while its replica is in use. */

const job = 'k8s-to-grogu';
const run = `${job}-2026-11-20T03:00:00Z`;
const { config } = parseConfig(
  JSON.stringify({
    hosts: {
      din: {
        ssh: { user: 'root', address: 'din.lan' },
        away: { until: '2999-01-01', because: 'dead' },
      },
      grogu: { ssh: { user: 'root', address: 'grogu.lan' } },
    },
    resources: { k8s: { host: 'din', dataset: 'fast/k8s' } },
    stores: { grogu: { zfs: { host: 'grogu', dataset: 'backup' } } },
    jobs: { [job]: { kind: 'zfs-replication', resources: ['k8s'], store: 'grogu' } },
  }),
  '/holdfast.yaml',
);

/** One dataset behind the words of zfs: it keeps the role and the readonly that it is given. */
function machine(
  name: string,
  dataset: string,
  state: { role?: string; readonly: string; isOff?: true; type?: string },
) {
  const changes: string[] = [];
  const change = (words: string): void => {
    changes.push(words);
    if (words.includes('holdfast:role=standby')) state.role = 'standby r grogu';
    if (words.includes('readonly=on')) state.readonly = 'on';
  };
  const row = () => {
    const values: Record<string, string> = {
      ...{ name: dataset, type: state.type ?? 'filesystem', guid: '77', createtxg: '1', creation: '1' },
      readonly: state.readonly,
      'holdfast:role': state.role ?? '-',
    };
    return listColumns.map((column) => values[column] ?? '-').join('\t');
  };
  const host = {
    name,
    stateFolder: '/state',
    async run({ file, args }: Command, { onLine }: RunOptions = {}) {
      if (state.isOff) throw new HoldfastError('HF_SSH_UNREACHABLE', `${name} does not answer`);
      const ended = { exitCode: 0, signal: undefined, stderrTail: '', durationMs: 1 };
      if (file === 'sh') {
        change(args.join(' '));
        return { ...ended, stdout: '0\t0\t\n1\t0\t\n' };
      }
      const stdout = args[0] === 'list' ? row() : '';
      if (onLine) for (const line of stdout.split('\n')) onLine(line, 'stdout');
      return { ...ended, stdout };
    },
    appendLine: async () => undefined,
    makeFolder: async () => undefined,
    readFile: async () => '',
    exists: async () => false,
  };
  return { host: Object.assign(host, { driver: host }) as unknown as Host, changes, state };
}

async function fenced(here: { role?: string; readonly: string; isOff?: true; type?: string }, role?: string) {
  const din = machine('din', 'fast/k8s', here);
  const grogu = machine('grogu', 'backup/k8s', { readonly: 'off', ...(role && { role }) });
  assert(config);
  const tools = {
    host: grogu.host,
    machine: () => din.host,
    config,
    run,
    attempt: 1,
    signal: new AbortController().signal,
    progress: () => undefined,
    log: () => undefined,
  } as unknown as Tools;
  const input = { job, run, resource: 'k8s', store: 'grogu', retryForMs: 0, settings: {} };
  return { ...(await fenceIfReturned(tools, input)), din };
}

const inUse = 'promoted r grogu';

test('it is made to stand by, and told, when its replica is in use', async () => {
  const { fenced: words, din } = await fenced({ readonly: 'off' }, inUse);
  assert.match(
    words ?? '',
    /fast\/k8s on din answers while backup\/k8s is the one in use since r.*made readonly/,
  );
  assert.deepEqual([din.state.readonly, din.state.role], ['on', 'standby r grogu']);
});

test('a volume may be open already when it is made to stand by, and is named: readonly does not stop who has it open', async () => {
  const { fenced: words = '' } = await fenced({ readonly: 'off', type: 'volume' }, inUse);
  assert.match(
    words,
    /made readonly just now.*\. Readonly does not stop what has a volume open already: end the sessions .* on din now: fast\/k8s$/,
  );
  const files = await fenced({ readonly: 'off' }, inUse);
  assert.doesNotMatch(files.fenced ?? '', /Readonly does not stop/);
});

test('it is left alone while it does not answer, stands by already, or no replica is in use', async () => {
  for (const [here, role] of [
    [{ readonly: 'off', isOff: true }, inUse],
    [{ readonly: 'on', role: 'standby r grogu' }, inUse],
    [{ readonly: 'off' }, undefined],
  ] as const) {
    const { fenced: words, din } = await fenced({ ...here }, role);
    assert.deepEqual([words, din.changes], [undefined, []]);
  }
});

test('a fence that was refused half way is told each time, and put up by the next run; then there is nothing more to do', async () => {
  for (const refused of ['fast/k8s', 'fast/k8s/pvc']) {
    const din = fakeMachine('din', ['fast', 'fast/k8s', 'fast/k8s/pvc']);
    const grogu = fakeMachine('grogu', ['backup', 'backup/k8s']);
    Object.assign(grogu.trees.get('backup/k8s')?.properties ?? {}, { 'holdfast:role': inUse });
    const { signal } = new AbortController();
    const quiet = () => undefined;
    const machine = () => din.host;
    const tools = { host: grogu.host, machine, config, run, attempt: 1, signal, progress: quiet, log: quiet };
    const input = { job, run, resource: 'k8s', store: 'grogu', retryForMs: 0, settings: {} };
    const look = () => fenceIfReturned(tools as unknown as Tools, input);
    din.refuse = (words) =>
      words.includes('readonly=on') && words.at(-1) === refused ? 'the link is down' : undefined;
    for (const _ of [1, 2]) {
      const { fenced: words = '' } = await look();
      assert.match(words, /answers while .* could not be made readonly: .*link is down/);
      assert.equal(din.trees.get('fast/k8s')?.properties['holdfast:role'], 'standby r grogu');
    }
    din.refuse = () => undefined;
    assert.match((await look()).fenced ?? '', /was made readonly just now/);
    for (const name of ['fast/k8s', 'fast/k8s/pvc'])
      assert.equal(din.trees.get(name)?.properties.readonly, 'on', name);
    const before = din.changes.length;
    assert.deepEqual([await look(), din.changes.length], [{}, before]);
  }
});

test('a run of a replication whose source is away is told which replicas to ask, and where', () => {
  assert(config);
  const [input] = compileRun(config, job, 'replicate').args as [{ away: { replicas?: object[] }[] }];
  assert.deepEqual(input.away[0]?.replicas, [{ resource: 'k8s', store: 'grogu', host: 'grogu' }]);
});
