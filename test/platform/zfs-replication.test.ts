import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Ends } from '../../activities/zfs/replicate-ends.js';
import { hostEnds } from '../../activities/zfs/replicate-hosts.js';
import { type RoundsEnd, replicate } from '../../activities/zfs/replicate-rounds.js';
import type { ReplicationPolicy } from '../../activities/zfs/replicate-types.js';
import type { Host } from '../../system/host.js';
import { closeOwnHosts, ownHost } from '../support/lab-zfs-host.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** Replication between two real hosts with OpenZFS, driven from a third machine over ssh. */

const lab = useZfsLab();
const { skip } = lab;
const hosts: { din?: Host; grogu?: Host } = {};
after(closeOwnHosts);

const policy: ReplicationPolicy = {
  destination: 'grogu',
  snapshots: 'all',
  catchUp: 'every',
  encrypted: 'raw',
  excludes: () => false,
};

interface Counted {
  ends: Ends;
  commands(): number;
}

/** Counts what goes to the hosts as commands of their own. */
function counted(sourceRoot: string, targetRoot: string): Counted {
  const { signal } = new AbortController();
  const zfs = { signal, zfs: 'zfs', zpool: 'zpool' };
  const log = process.env.HOLDFAST_TEST_LOG ? (line: string) => console.error(line) : undefined;
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
    readTokens: costs(1, real.readTokens),
    holdTags: costs(1, real.holdTags),
    change: costs(1, real.change),
    transfer: costs(2, real.transfer),
  };
  return { ends, commands: () => count };
}

let runs = 0;

async function run(sourceRoot: string, targetRoot: string, more: Partial<ReplicationPolicy> = {}) {
  runs += 1;
  const { ends, commands } = counted(sourceRoot, targetRoot);
  const name = `replica-2026-11-20T03:${String(runs).padStart(2, '0')}:00Z`;
  const request = { sourceRoot, targetRoot, policy: { ...policy, ...more } };
  const end = await replicate(ends, request, { destination: 'grogu', run: name, parallel: 2 });
  return { end, commands: commands() };
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
