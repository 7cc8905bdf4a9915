import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { type Ended, runHoldfast } from '../support/children.js';
import { type Estate, startEstate } from '../support/estate.js';
import { type LabHost, mountsForReading } from '../support/lab-host.js';
import { needs, onlyInFull } from '../support/needs.js';
import type { PlainConfig } from '../support/plain-config.js';
import { runIn } from '../support/run-watch.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';
import { overSsh } from '../support/zfs-estate.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** What a replica is for: the source is destroyed, and everything comes back from the other appliance. */

const lab = useZfsLab();
const skip = lab.skip || needs('temporal', 'restic');
let estate: Estate | undefined;
after(() => estate?.stop());

const tree = (): string => `${lab.din.parents.fast}/k8s`;
const replica = (): string => `${lab.grogu.parents.backup}/kubernetes`;

function withReplication(config: PlainConfig): void {
  config.hosts.din = { ssh: overSsh(lab.din) };
  config.hosts.grogu = { ssh: overSsh(lab.grogu) };
  config.resources.kubernetes = { host: 'din', dataset: tree() };
  config.stores.grogu = { zfs: { host: 'grogu', dataset: lab.grogu.parents.backup } };
  config.jobs.replica = {
    kind: 'zfs-replication',
    resources: ['kubernetes'],
    store: 'grogu',
    snapshots: 'all',
    limit: '2MiB',
    retryFor: '5m',
  };
  config.jobs.hourly = { kind: 'zfs-snapshot', resources: ['kubernetes'], retryFor: '5m' };
}

const guids = async (host: LabHost, root: string): Promise<string[]> =>
  (await host.zfs('list', '-H', '-r', '-t', 'snapshot', '-o', 'name,guid', root))
    .split('\n')
    .map((line) => line.slice(root.length))
    .sort();

const holdsOn = (host: LabHost, root: string): Promise<string> =>
  host.sh(
    `zfs list -Hr -t snapshot -o name '${root}' | tr '\\n' '\\0' | xargs -0 zfs holds -H | cut -f 2 | sort -u`,
  );

async function makeTree(): Promise<void> {
  await lab.din.sh(`
    set -e
    zfs create '${tree()}'; zfs create '${tree()}/pvc 1:a.b'; zfs create -s -V 8M '${tree()}/vol'
    echo 'secret of the lab' | zfs create -o encryption=on -o keyformat=passphrase '${tree()}/locked'
    zfs set quota=1G compression=off atime=off com.example:owner="it's mine" '${tree()}/pvc 1:a.b'
    dd if=/dev/urandom of='/${tree()}/pvc 1:a.b/data' bs=1M count=10 2>/dev/null
    dd if=/dev/urandom of='/${tree()}/locked/data' bs=64k count=4 2>/dev/null
    cd '/${tree()}/pvc 1:a.b'; f="./-it's a folder"; mkdir -p "$f/b"; echo old > "$f/b/file"; chown 33:44 "$f/b/file"
    ln "$f/b/file" "$f/twin"; ln -s nowhere "$f/link"; chmod 2750 "$f"
  `);
}

test('a folder comes out of a snapshot on either side, compared with it, and nothing of ours stays mounted or held', {
  skip,
}, async () => {
  await makeTree();
  estate = await startEstate({ change: withReplication });
  const running = estate;
  for (const args of [
    ['run', 'hourly'],
    ['run', 'replica'],
  ]) {
    const ended = await running.holdfast(...args, '--follow');
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
  }
  await lab.din.sh(`rm -rf -- '/${tree()}/pvc 1:a.b/-it'*`);
  const path = "pvc 1:a.b/-it's a folder";
  for (const [job, to] of [
    ['hourly', 'din'],
    ['replica', 'nas'],
    ['replica', 'din'],
  ] as const) {
    const target = `/tmp/holdfast-zr-${process.pid}-${job}`;
    const ended = await running.holdfast('restore', job, '--path', path, '--to', `${to}:${target}`, '--yes');
    const said = ended.stdout + ended.stderr;
    assert.equal(ended.code, 0, said);
    assert.match(said, /verified: contents of 2 files \(sha256\).*hard links of 1 files/);
    const look = `cd '${target}/${path.replaceAll("'", `'\\''`)}' && cat b/file && stat -c '%u:%g %h' b/file && stat -c %a . && readlink link`;
    const found =
      to === 'nas' ? execFileSync('sh', ['-c', look], { encoding: 'utf8' }) : `${await lab.din.sh(look)}\n`;
    assert.equal(found, 'old\n33:44 2\n2750\nnowhere\n');
    if (to === 'nas') rmSync(target, { recursive: true });
    else await lab.din.sh(`rm -rf '${target}'`);
  }
  await refusedFiles(running, path);
  await clones(running);
  for (const host of [lab.din, lab.grogu]) assert.equal(await mountsForReading(host), '');
  assert.equal(await holdsOn(lab.din, tree()), '');
  assert.equal(await holdsOn(lab.grogu, replica()), 'holdfast_fence');
});

async function refusedFiles(running: Estate, path: string): Promise<void> {
  const to = `nas:/tmp/holdfast-zr-${process.pid}-no`;
  const cases: [number, RegExp, string[]][] = [
    [5, /does not restore to \/etc/, ['hourly', '--path', path, '--to', 'din:/etc/x', '--yes']],
    [3, /does not hold "none"/, ['hourly', '--path', 'pvc 1:a.b/none', '--to', to, '--yes']],
    [3, /no snapshot "never"/, ['hourly', '--copy', 'never', '--to', to, '--yes']],
    [1, /zfs load-key/, ['replica', '--path', 'locked/data', '--to', to, '--yes']],
    [5, /not a terminal/, ['hourly', '--path', path, '--to', to]],
    [2, /relative to the resource/, ['hourly', '--path', '../x', '--to', to]],
    [2, /--to takes/, ['hourly', '--path', path, '--to', 'nas:relative path@x']],
  ];
  for (const [code, words, args] of cases) {
    const ended = await running.holdfast('restore', ...args);
    assert.equal(ended.code, code, `${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
    assert.match(ended.stdout + ended.stderr, words);
  }
}

test('din is lost: its tree comes back whole from grogu, also when the worker is killed in the middle, and replication goes on', {
  skip: skip || onlyInFull('a minute of two emulated hosts'),
}, async () => {
  assert(estate);
  const running = estate;
  const before = await guids(lab.din, tree());
  await refusals(running);
  await lab.din.sh(`zfs destroy -r '${tree()}'`);
  await rescued();

  const asked = await running.holdfast('restore', 'replica', '--to', `din:${tree()}`);
  assert.equal(asked.code, 5, asked.stdout + asked.stderr);
  assert.match(asked.stdout, /new +4 datasets/);
  assert.match(asked.stdout, /^set +\S+pvc 1:a\.b: .*quota=1073741824/m);
  assert.match(asked.stdout, /encrypted +1 datasets come back encrypted and locked/);

  const child = running.start('restore', 'replica', '--to', `din:${tree()}`, '--yes');
  const arrived = `zfs list -Hpo used '${tree()}/pvc 1:a.b'`;
  await waitFor(async () => Number((await lab.din.ask(arrived)).stdout) > 2_000_000, {
    timeoutMs: 120_000,
    what: 'the stream to be under way',
  });
  assert.equal(await lab.din.zfs('get', '-Ho', 'value', 'readonly', `${tree()}/pvc 1:a.b`), 'on');
  await running.worker.stop('SIGKILL');
  await running.startWorker();
  const ended = await child.exit;
  const said = ended.stdout + ended.stderr;
  assert.equal(ended.code, 0, said);
  assert.match(said, /4 datasets are back in din:/);
  assert.match(said, /locked came back encrypted/);
  const log = (await running.holdfast('logs', runIn(ended.stdout))).stdout;
  const whole = log.split('\n').filter((line) => /zfs send -vP -L .*pvc 1:a.b@holdfast_\S+ \|/.test(line));
  assert.equal(whole.length, 1, `what arrived was sent again: ${log}`);
  assert.deepEqual(await guids(lab.din, tree()), before);
  const again = 'quota,compression,atime,com.example:owner';
  assert.equal(
    await lab.din.zfs('get', '-Hpo', 'value', '-s', 'local', again, `${tree()}/pvc 1:a.b`),
    "1073741824\noff\noff\nit's mine",
  );
  await assertOrdinary(running);
});

/** The same replica for somebody who has nothing but ssh: what it is, and a file of it. The rest is in test/platform/zfs-rescue.full.test.ts. */
async function rescued(): Promise<void> {
  const state = temporaryFolder('rescue');
  const { host, port, key, knownHosts } = lab.grogu;
  const access = ['--ssh', `root@${host}:${port}`, '--key', key, '--known-hosts', knownHosts];
  const rescue = (...words: string[]): Promise<Ended> =>
    runHoldfast(['rescue', 'zfs', ...words, ...access], {
      HOLDFAST_CONFIG: '/nowhere/holdfast.yaml',
      HOLDFAST_STATE: state,
    });
  const listed = await rescue('replicas', replica(), '--json');
  assert.equal(listed.code, 0, listed.stderr);
  const [{ source, datasets, older, encrypted }] = JSON.parse(listed.stdout).replicas;
  assert.deepEqual([source, datasets, older, encrypted], [`din:${tree()}`, 4, [], 1]);
  const path = ['--path', "pvc 1:a.b/-it's a folder/b", '--to', `${state}/out`];
  const asked = await rescue('restore', replica(), ...path);
  const [, digest = ''] = /digest\s+([0-9a-f]{8})/.exec(asked.stdout) ?? [];
  const done = await rescue('restore', replica(), ...path, '--yes', digest);
  assert.equal(done.code, 0, done.stdout + done.stderr);
  assert.equal(readFileSync(`${state}/out/pvc 1:a.b/-it's a folder/b/file`, 'utf8'), 'old\n');
  assert.equal(await mountsForReading(lab.grogu), '');
  assert.equal(await holdsOn(lab.grogu, replica()), 'holdfast_fence');
}

/** Beside the original, of just that snapshot, not mounted; the same name again is refused. */
async function clones(running: Estate): Promise<void> {
  const beside = `${tree()}-restored 1`;
  const args = ['restore', 'hourly', '--clone', '--path', 'pvc 1:a.b', '--to', `din:${beside}`];
  const asked = await running.holdfast(...args);
  assert.equal(asked.code, 5, asked.stdout + asked.stderr);
  assert.match(asked.stdout, /clone +1 datasets of .*pvc 1:a\.b/);
  const made = await running.holdfast(...args, '--yes');
  assert.equal(made.code, 0, made.stdout + made.stderr);
  assert.match(made.stdout, /To remove them again: zfs destroy -r/);
  const facts = await lab.din.zfs('list', '-Ho', 'origin,mountpoint,mounted', beside);
  assert.match(facts, /pvc 1:a\.b@holdfast_hourly_\S+\tnone\tno$/);
  const again = await running.holdfast(...args, '--yes');
  assert.equal(again.code, 5, again.stdout + again.stderr);
  assert.match(again.stderr, /exists already/);
  await lab.din.zfs('destroy', beside);
  const far = await running.holdfast(
    'restore',
    'replica',
    '--clone',
    '--to',
    `grogu:${replica()}-restored`,
    '--yes',
  );
  assert.equal(far.code, 0, far.stdout + far.stderr);
  assert.equal(
    (await lab.grogu.zfs('list', '-Hro', 'origin', `${replica()}-restored`)).split('\n').length,
    4,
  );
  await lab.grogu.zfs('destroy', '-r', `${replica()}-restored`);
}

/** Not read-only, mountable, with no mark of ours but what the next replication stands on; the key opens what was encrypted. */
async function assertOrdinary(running: Estate): Promise<void> {
  const properties = await lab.din.zfs(
    'get',
    '-Hr',
    '-o',
    'value',
    '-t',
    'filesystem',
    'readonly,canmount,holdfast:replica-of',
    tree(),
  );
  assert.deepEqual([...new Set(properties.split('\n'))].sort(), ['-', 'off', 'on']);
  assert.equal(
    await lab.din.zfs('list', '-Hr', '-t', 'filesystem', '-o', 'readonly', tree()),
    'off\noff\noff',
  );
  assert.equal(await holdsOn(lab.din, tree()), '');
  assert.equal(await holdsOn(lab.grogu, replica()), 'holdfast_fence');
  await lab.din.sh(`
    set -e
    echo 'secret of the lab' | zfs load-key '${tree()}/locked'
    zfs mount '${tree()}'; zfs mount '${tree()}/pvc 1:a.b'; zfs mount '${tree()}/locked'
    test "$(stat -c %s '/${tree()}/locked/data')" = 262144; touch '/${tree()}/new'
    zfs snapshot -r '${tree()}@three'
  `);
  const next = await running.holdfast('run', 'replica', '--follow');
  assert.equal(next.code, 0, next.stdout + next.stderr);
  const sent = (await running.holdfast('logs', runIn(next.stdout))).stdout
    .split('\n')
    .filter((line) => / zfs send -vP /.test(line));
  assert.equal(sent.length, 4, sent.join('\n'));
  assert(
    sent.every((line) => / -i .*@holdfast_/.test(line)),
    sent.join('\n'),
  );
  assert.deepEqual(await guids(lab.grogu, replica()), await guids(lab.din, tree()));
}

async function refusals(running: Estate): Promise<void> {
  const there = await running.holdfast('restore', 'replica', '--to', `din:${tree()}`, '--yes');
  assert.equal(there.code, 5, there.stdout + there.stderr);
  assert.match(there.stderr, /is in the way: it was written to since/);
  const elsewhere = await running.holdfast('restore', 'replica', '--to', 'din:fast', '--yes');
  assert.equal(elsewhere.code, 5, elsewhere.stdout + elsewhere.stderr);
  assert.match(elsewhere.stderr, /does not restore to the dataset/);
}
