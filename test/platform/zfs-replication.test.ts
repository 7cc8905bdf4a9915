import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Ends } from '../../activities/zfs/replicate-ends.js';
import { hostEnds } from '../../activities/zfs/replicate-hosts.js';
import { type RoundsEnd, replicate } from '../../activities/zfs/replicate-rounds.js';
import type { ReplicationPolicy } from '../../activities/zfs/replicate-types.js';
import { wireBetween } from '../../activities/zfs/replicate-wire.js';
import type { Host } from '../../system/host.js';
import { closeOwnHosts, ownHost } from '../support/lab-zfs-host.js';
import { onlyInFull } from '../support/needs.js';
import { waitFor } from '../support/wait.js';
import { useZfsLab } from '../support/zfs-lab.js';
import { wholePolicy } from '../support/zfs-trees.js';

/** Replication between two real hosts with OpenZFS, driven from a third machine over ssh. */

const lab = useZfsLab();
const { skip } = lab;
const hosts: { din?: Host; grogu?: Host } = {};
after(closeOwnHosts);

const policy = { ...wholePolicy, destination: 'grogu' };

type WireOptions = Parameters<typeof wireBetween>[0];

interface Counted {
  ends: Ends;
  lines: string[];
  commands(): number;
}

/** Counts what goes to the hosts as commands of their own. */
function counted(sourceRoot: string, targetRoot: string, options?: WireOptions): Counted {
  const { signal } = new AbortController();
  const zfs = { signal, zfs: 'zfs', zpool: 'zpool' };
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  // Made by the first test: before it, the lab does not know them yet.
  hosts.din ??= ownHost(lab.din);
  hosts.grogu ??= ownHost(lab.grogu);
  const { din, grogu } = hosts;
  const real = hostEnds({
    source: { host: din, ...zfs },
    target: { host: grogu, ...zfs },
    sourceRoot,
    targetRoot,
    log,
    ...(options && { wire: () => wireBetween(options, din, grogu) }),
  });
  let count = 0;
  const costs = <A extends unknown[], R>(price: number, body: (...args: A) => Promise<R>) => {
    return (...args: A): Promise<R> => {
      count += price;
      return body(...args);
    };
  };
  const ends: Ends = {
    list: costs(1, real.list),
    listAsides: costs(1, real.listAsides),
    readTokens: costs(1, real.readTokens),
    sizes: costs(1, real.sizes),
    holdTags: costs(1, real.holdTags),
    change: costs(1, real.change),
    transfer: costs(2, real.transfer),
  };
  return { ends, lines, commands: () => count };
}

let runs = 0;

async function run(
  sourceRoot: string,
  targetRoot: string,
  { wire, ...more }: Partial<ReplicationPolicy> & { wire?: WireOptions } = {},
) {
  runs += 1;
  const { ends, commands, lines } = counted(sourceRoot, targetRoot, wire);
  const name = `replica-2026-11-20T03:${String(runs).padStart(2, '0')}:00Z`;
  const request = { sourceRoot, targetRoot, policy: { ...policy, ...more } };
  const end = await replicate(ends, request, { destination: 'grogu', run: name, parallel: 2 });
  return { end, lines, commands: commands() };
}

const kinds = (end: RoundsEnd): Record<string, string> =>
  Object.fromEntries(end.last.plans.map(({ target, kind }) => [target.split('/').slice(2).join('/'), kind]));

const told = (end: RoundsEnd): string =>
  [
    ...end.last.plans.map(({ target, kind, reason }) => `${target} ${kind}: ${reason}`),
    JSON.stringify(end.troubles),
  ].join('\n');

/** name (below the root) and guid of every snapshot. */
async function snapshotsOf(host: typeof lab.din, root: string): Promise<string[]> {
  const text = await host.zfs('list', '-H', '-r', '-t', 'snapshot', '-o', 'name,guid', root);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.slice(root.length))
    .sort();
}

const long = `n${'x'.repeat(150)}`;

test('a tree with hostile names, volumes, encrypted and empty datasets is copied, then costs two commands', {
  skip,
}, async () => {
  const source = `${lab.din.parents.fast}/kubernetes`;
  const target = `${lab.grogu.parents.backup}/kubernetes`;
  await lab.din.sh(`
    set -e
    r='${source}'
    zfs create "$r"
    for n in 'pvc one' 'a.b:c' '${long}' empty; do zfs create "$r/$n"; done
    zfs create -V 8M -s "$r/vol 1"
    echo 'a pass phrase' | zfs create -o encryption=on -o keyformat=passphrase "$r/secret"
    zfs create "$r/secret/below"
    dd if=/dev/urandom of="/$r/pvc one/data" bs=64k count=20 2>/dev/null
    dd if=/dev/urandom of="/$r/secret/data" bs=64k count=4 2>/dev/null
    zfs snapshot -r "$r@first one"
    echo more > "/$r/pvc one/more"
    zfs snapshot -r "$r@second"
  `);
  const first = await run(source, target);
  assert.deepEqual(new Set(Object.values(kinds(first.end))), new Set(['nothing']), told(first.end));
  assert.deepEqual(await snapshotsOf(lab.grogu, target), await snapshotsOf(lab.din, source));
  const idle = await run(source, target);
  assert.equal(idle.commands, 2, told(idle.end));
  const list = await lab.grogu.zfs(
    'list',
    '-H',
    '-r',
    '-o',
    'name,readonly,canmount,mounted,written',
    target,
  );
  for (const line of list.split('\n')) assert.match(line, /\ton\t(noauto|-)\t(no|-)\t0$/);
  const encryption = await lab.grogu.zfs(
    'get',
    '-H',
    '-o',
    'value',
    'encryption,keystatus',
    `${target}/secret`,
  );
  assert.equal(encryption, 'aes-256-gcm\nunavailable');
});

test('new, changed, renamed and vanished children, from a bookmark where the snapshot is gone', {
  skip,
}, async () => {
  const source = `${lab.din.parents.fast}/kubernetes`;
  const target = `${lab.grogu.parents.backup}/kubernetes`;
  await lab.din.sh(`
    set -e
    r='${source}'
    zfs snapshot -r "$r@third"
    zfs destroy -r "$r@second"
    zfs create "$r/new"; zfs create "$r/new/child"
    zfs snapshot -r "$r/new@third"
    zfs rename "$r/pvc one" "$r/pvc two"
    zfs destroy -r "$r/empty"
  `);
  const { end } = await run(source, target);
  const expected = Object.fromEntries(
    ['', '/a.b:c', `/${long}`, '/new', '/new/child', '/pvc two', '/secret', '/secret/below', '/vol 1'].map(
      (name) => [`kubernetes${name}`, 'nothing'],
    ),
  );
  assert.deepEqual(kinds(end), { ...expected, 'kubernetes/empty': 'gone' }, told(end));
  assert.deepEqual(end.troubles, []);
  const there = await snapshotsOf(lab.grogu, target);
  for (const snapshot of await snapshotsOf(lab.din, source)) assert(there.includes(snapshot), snapshot);
  const holds = await lab.din.sh(`zfs list -Hr -t snapshot -o userrefs '${source}' | sort -u`);
  assert.equal(holds, '0');
  assert.equal((await run(source, target)).commands, 2);
});

/** A tree with one file that takes some seconds to send. */
async function largeTree(name: string, megabytes: number): Promise<{ source: string; target: string }> {
  const source = `${lab.din.parents.fast}/${name}`;
  await lab.din.sh(`
    set -e
    zfs create '${source}'; zfs create '${source}/large one'
    dd if=/dev/urandom of='/${source}/large one/data' bs=1M count=${megabytes} 2>/dev/null
    zfs snapshot -r '${source}@one'
  `);
  return { source, target: `${lab.grogu.parents.backup}/${name}` };
}

/** Ends a process of ZFS on a host with SIGKILL, once it works on this dataset and so much has arrived. */
async function killZfs(host: typeof lab.din, verb: string, target: string): Promise<void> {
  await waitFor(
    async () => {
      const used = await lab.grogu.ask(`zfs list -Hpo used '${target}/large one'`);
      return Number(used.stdout) > 1_000_000;
    },
    { timeoutMs: 120_000, what: 'the stream to be under way' },
  );
  await host.sh(`pkill -9 -f "^zfs ${verb} .*large one"`);
}

for (const [verb, side] of [
  ['receive', 'grogu'],
  ['send', 'din'],
] as const) {
  test(`zfs ${verb} killed in the middle: the same run goes on from what arrived`, {
    skip: skip || (verb === 'send' && onlyInFull('half a minute of two emulated hosts')),
  }, async () => {
    const { source, target } = await largeTree(`killed-${verb}`, 24);
    const [{ end, lines }] = await Promise.all([
      run(source, target, { wire: { limit: 2 ** 20, compress: false } }),
      killZfs(lab[side], verb, target),
    ]);
    assert.deepEqual(new Set(Object.values(kinds(end))), new Set(['nothing']), told(end));
    const whole = lines.filter(
      (line) => line.startsWith('zfs send -vP -L') && line.includes('large one@one |'),
    );
    assert.equal(whole.length, 1, `what arrived is not sent again: ${lines.join('\n')}`);
    // A killed receiver may still be let finish by the kernel, which has the rest of the pipe.
    const goesOn = lines.filter((line) => line.startsWith('zfs send -vP -t 1-'));
    if (verb === 'send') assert.equal(goesOn.length, 1, lines.join('\n'));
    assert.deepEqual(await snapshotsOf(lab.grogu, target), await snapshotsOf(lab.din, source));
    assert.equal(await lab.din.sh(`zfs list -Hr -t snapshot -o userrefs '${source}' | sort -u`), '0');
    assert.equal((await run(source, target)).commands, 2);
  });
}

test('behind buffers and compressed, streams over the kept connections and over their own arrive whole', {
  skip: skip || onlyInFull('80 MB between two emulated hosts'),
}, async () => {
  const wire: WireOptions = { buffer: 2 ** 20, compress: 'auto' };
  for (const megabytes of [4, 80]) {
    const { source, target } = await largeTree(`buffered-${megabytes}`, megabytes);
    const { end } = await run(source, target, { wire });
    assert.deepEqual(new Set(Object.values(kinds(end))), new Set(['nothing']), told(end));
    assert.deepEqual(await snapshotsOf(lab.grogu, target), await snapshotsOf(lab.din, source));
  }
  assert(hosts.din && hosts.grogu);
  const { onSource, onTarget } = await wireBetween(wire, hosts.din, hosts.grogu);
  const names = [...onSource, ...onTarget].map(({ file }) => file.split('/').at(-1));
  assert.deepEqual(names, ['zstd', 'mbuffer', 'mbuffer', 'zstd']);
});

test('a token whose snapshot has gone is given up, and the copy begins anew', { skip }, async () => {
  const { source, target } = await largeTree('token-gone', 4);
  await run(source, target);
  await lab.din.sh(`
    set -e
    dd if=/dev/urandom of='/${source}/large one/more' bs=1M count=4 2>/dev/null
    zfs snapshot '${source}/large one@two'
    zfs send -i @one '${source}/large one@two' | head -c 2000000 > /var/tmp/half.stream
  `);
  const half = await lab.din.sh('base64 -w0 /var/tmp/half.stream; rm /var/tmp/half.stream');
  await lab.grogu.ask(`base64 -d | zfs receive -s -u '${target}/large one'`, { input: half });
  assert.notEqual(
    await lab.grogu.zfs('list', '-H', '-o', 'receive_resume_token', `${target}/large one`),
    '-',
  );
  await lab.din.sh(`zfs destroy '${source}/large one@two'; zfs snapshot '${source}/large one@three'`);
  const { end } = await run(source, target);
  assert.deepEqual(new Set(Object.values(kinds(end))), new Set(['nothing']), told(end));
  assert.deepEqual(await snapshotsOf(lab.grogu, target), await snapshotsOf(lab.din, source));
});

test('rolled back by someone to an older snapshot, it is continued from there, and the fence keeps the newest from that', {
  skip,
}, async () => {
  const { source, target } = await largeTree('rolled-back', 1);
  await lab.din.sh(`echo 2 > '/${source}/large one/two'; zfs snapshot -r '${source}@two'`);
  await run(source, target);
  const refused = await lab.grogu.ask(`zfs rollback -r '${target}/large one@one'`);
  assert.notEqual(refused.code, 0, 'the fence holds @two');
  await lab.grogu.sh(
    `zfs release holdfast_fence '${target}/large one@two'; zfs rollback -r '${target}/large one@one'`,
  );
  const { end } = await run(source, target);
  assert.deepEqual(new Set(Object.values(kinds(end))), new Set(['nothing']), told(end));
  assert.deepEqual(await snapshotsOf(lab.grogu, target), await snapshotsOf(lab.din, source));
});

test("another tool's receive -F destroys newer snapshots, and fails on a replica of ours, which keeps what it has", {
  skip,
}, async () => {
  const source = `${lab.din.parents.fast}/fenced`;
  const target = `${lab.grogu.parents.backup}/fenced`;
  const free = `${lab.grogu.parents.backup}/not fenced`;
  const theirs = `${lab.din.parents.fast}/theirs`;
  // Theirs has @one with the same guid, and went another way from there.
  await lab.din.sh(`
    set -e
    zfs create '${source}'; zfs snapshot '${source}@one'
    zfs send '${source}@one' | zfs receive -u '${theirs}'
    echo 2 > '/${source}/two'; zfs snapshot '${source}@two'; zfs snapshot '${theirs}@other'
  `);
  await run(source, target);
  await lab.grogu.sh(`zfs send -R '${target}@two' | zfs receive -u '${free}'`);
  // With -R zfs renames what it cannot destroy ("@recv-468-1"): the guids say what is there.
  const guidsOf = async (...at: Parameters<typeof snapshotsOf>): Promise<string[]> =>
    (await snapshotsOf(...at)).map((line) => line.split('\t')[1] ?? '').sort();
  const ours = await guidsOf(lab.din, source);
  assert.deepEqual([ours.length, await guidsOf(lab.grogu, target)], [2, ours]);
  for (const how of ['-i', '-R -I']) {
    const input = await lab.din.sh(`zfs send ${how} @one '${theirs}@other' | base64 -w0`);
    const forced = await lab.grogu.ask(`base64 -d | zfs receive -u -F '${target}'`, { input });
    assert.notEqual(forced.code, 0, `${how}: the fence holds @two`);
    assert.deepEqual(await guidsOf(lab.grogu, target), ours, how);
  }
  const { end, commands } = await run(source, target);
  assert.equal(commands, 2, told(end));
  // Without a fence the same stream does what it was asked for.
  const input = await lab.din.sh(`zfs send -i @one '${theirs}@other' | base64 -w0`);
  await lab.grogu.sh(`base64 -d | zfs receive -u -F '${free}'`, { input });
  assert.deepEqual(await snapshotsOf(lab.grogu, free), await snapshotsOf(lab.din, theirs));
});

test('a target that is full stops what does not fit, and goes on when there is room', { skip }, async () => {
  const { source, target } = await largeTree('full', 6);
  await lab.grogu.sh(
    `p='${lab.grogu.parents.backup}'; zfs set quota=$(( $(zfs list -Hpo used "$p") + 3000000 )) "$p"`,
  );
  const { end } = await run(source, target);
  assert.equal(kinds(end)['full/large one'] === 'nothing', false, told(end));
  await lab.grogu.sh(`zfs set quota=none '${lab.grogu.parents.backup}'`);
  const after = await run(source, target);
  assert.deepEqual(new Set(Object.values(kinds(after.end))), new Set(['nothing']), told(after.end));
  assert.deepEqual(await snapshotsOf(lab.grogu, target), await snapshotsOf(lab.din, source));
});

test('what was received readable is not continued encrypted, and the other way round', { skip }, async () => {
  const source = `${lab.din.parents.fast}/modes`;
  const target = `${lab.grogu.parents.backup}/modes`;
  await lab.din.sh(`
    set -e
    zfs create '${source}'
    echo 'a pass phrase' | zfs create -o encryption=on -o keyformat=passphrase '${source}/secret'
    zfs snapshot -r '${source}@one'
  `);
  await run(source, target, { encrypted: 'plain' });
  await lab.din.sh(`zfs snapshot -r '${source}@two'`);
  const { end } = await run(source, target);
  assert.deepEqual(kinds(end), { modes: 'nothing', 'modes/secret': 'encryption' }, told(end));
  const strict = await run(source, `${target}-strict`, { encrypted: 'required' });
  assert.deepEqual(
    kinds(strict.end),
    { 'modes-strict': 'encryption', 'modes-strict/secret': 'wait' },
    told(strict.end),
  );
});
