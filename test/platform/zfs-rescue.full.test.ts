import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Ended, runHoldfast, startHoldfast } from '../support/children.js';
import { type LabHost, mountsForReading } from '../support/lab-host.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** The replicas alone are left: no server, no worker, no configuration, and nothing of ours on the appliance. */

const lab = useZfsLab();
const skip = lab.skip || needs('root');
const resource = `rescued-${process.pid}`;
const record = `/var/lib/holdfast/sharing/${resource}.json`;
const places = `/srv/holdfast-rescue-${process.pid}`;
const state = skip === false ? temporaryFolder('rescue') : '';
const parent = (): string => lab.grogu.parents.backup ?? assert.fail();
const replica = (): string => `${parent()}/${resource}`;
const rebuilt = (): string => `${lab.din.parents.fast}/k8s`;

after(async () => {
  if (skip !== false) return;
  await lab.grogu.sh(`rm -f '${record}'`);
  await lab.din.sh(`rm -rf '${places}'`);
});

const env = { HOLDFAST_CONFIG: '/nowhere/holdfast.yaml', HOLDFAST_STATE: state };
const at = ({ host, port }: LabHost): string => `root@${host}:${port}`;
const access = (): string[] => [
  ...['--ssh', at(lab.grogu), '--key', lab.grogu.key, '--known-hosts', lab.grogu.knownHosts],
];
const wordsOf = (words: readonly string[]): string[] => ['rescue', 'zfs', ...words, ...access()];
const rescue = (...words: string[]): Promise<Ended> => runHoldfast(wordsOf(words), env);
const digestIn = ({ stdout }: Ended): string =>
  /digest\s+([0-9a-f]{64})/.exec(stdout)?.[1]?.slice(0, 8) ?? '';

/** Everything about the replica that a rescue must leave as it is. */
const stateOf = (): Promise<string> =>
  lab.grogu.sh(
    `zfs list -Hpr -t filesystem,volume,snapshot,bookmark -o name,guid,userrefs '${replica()}'; zfs get -Hpr -s local,received all '${replica()}'; zfs get -Hpr -o value mounted '${replica()}'`,
  );

/** As a replication leaves it, with what it writes down beside it. */
async function makeReplica(): Promise<void> {
  const properties = {
    'fast/old': { compression: 'off' },
    'fast/old/pvc 1': { mountpoint: `${places}/it's full`, quota: '1073741824', readonly: 'on' },
    'fast/old/pvc 1/in': { mountpoint: `${places}/empty`, canmount: 'on', sharenfs: 'off' },
    'fast/old/off': { canmount: 'off', 'com.example:owner': "it's mine" },
  };
  const saved = {
    v: 1,
    resource,
    source: { host: 'din', dataset: 'fast/old' },
    at: '2026-11-20T03:00:00Z',
    mountpoints: {},
    problems: [],
    allProperties: true,
    properties,
  };
  await lab.grogu.sh(`
    set -e
    for d in '' '/pvc 1' '/pvc 1/in' /off; do zfs create -o canmount=noauto "${replica()}$d"; done
    zfs create -s -V 8M '${replica()}/vol'
    m=$(mktemp -d)
    for d in '' '/pvc 1' '/pvc 1/in'; do
      mount -t zfs -o zfsutil "${replica()}$d" "$m"; mkdir "$m/-a b"; echo old > "$m/-a b/file"; chown 33:44 "$m/-a b/file"
      dd if=/dev/urandom of="$m/data" bs=64k count=20 2>/dev/null; umount "$m"
    done
    zfs snapshot -r '${replica()}@one'
    mount -t zfs -o zfsutil '${replica()}/pvc 1' "$m"; echo new > "$m/-a b/file"; umount "$m"; rmdir "$m"
    sleep 1; zfs snapshot -r '${replica()}@two'
    n=111; for d in '' '/pvc 1' '/pvc 1/in' /off /vol; do
      zfs set readonly=on holdfast:replica-of=$n "${replica()}$d"; n=$((n + 1)); zfs hold holdfast_fence "${replica()}$d@two"
    done
    mkdir -p "$(dirname '${record}')"; cat > '${record}' <<'END'
${JSON.stringify(saved)}
END
  `);
}

test('a replica is found by its marks, and files come out of it after a yes to the very plan', {
  skip,
}, async () => {
  await makeReplica();
  const before = await stateOf();
  const listed = await rescue('replicas', parent(), '--json');
  assert.equal(listed.code, 0, listed.stderr);
  const [found, ...others] = JSON.parse(listed.stdout).replicas;
  assert.deepEqual(others, []);
  const { name, role, source, datasets, newest, older, locked } = found;
  assert.deepEqual(
    [name, role, source, datasets, newest.snapshot, older, locked],
    [replica(), 'replica', 'din:fast/old', 5, 'two', [], []],
  );
  const target = join(state, 'out');
  const path = ['--path', 'pvc 1/-a b', '--to', target];
  const asked = await rescue('restore', replica(), ...path);
  assert.equal(asked.code, 5, asked.stdout + asked.stderr);
  assert.equal(existsSync(target), false);
  assert.equal(await stateOf(), before);
  const done = await rescue('restore', replica(), ...path, '--yes', digestIn(asked));
  assert.equal(done.code, 0, done.stdout + done.stderr);
  assert.match(done.stdout, /verified: contents of 1 files \(sha256\)/);
  const file = join(target, 'pvc 1/-a b/file');
  assert.equal(readFileSync(file, 'utf8'), 'new\n');
  assert.equal(execFileSync('stat', ['-c', '%u:%g', file], { encoding: 'utf8' }), '33:44\n');
  assert.match(
    readFileSync(join(state, 'rescue/evidence.jsonl'), 'utf8'),
    /"kind":"restore".*"store":"rescue"/,
  );

  const refusals: [number, RegExp, string[]][] = [
    [5, /is not empty/, ['restore', replica(), '--to', target, '--yes', '00000000']],
    [2, /with --path "pvc 1"/, ['restore', `${replica()}/pvc 1`, '--to', `${target}2`]],
    [3, /is no replica of Holdfast/, ['restore', parent().replace('/t-', '/none-'), '--to', `${target}2`]],
    [3, /does not hold "none"/, ['restore', replica(), '--path', 'off/none', '--to', `${target}2`]],
    [5, /part of a replica/, ['clone', replica(), '--to', `${replica()}/clone`]],
    [5, /in the pool of its snapshot/, ['clone', replica(), '--to', 'elsewhere/clone']],
  ];
  for (const [code, words, args] of refusals) {
    const ended = await rescue(...args);
    assert.equal(ended.code, code, `${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
    assert.match(ended.stderr, words);
  }
  assert.equal(await stateOf(), before);
  assert.equal(await mountsForReading(lab.grogu), '');
});

test('a rescue that was killed leaves a mount and a hold, which the next one takes away', {
  skip,
}, async () => {
  const before = await stateOf();
  const target = join(state, 'killed');
  const words = ['restore', replica(), '--copy', 'one', '--to', target];
  const digest = digestIn(await rescue(...words));
  const child = startHoldfast(wordsOf([...words, '--yes', digest]), env);
  await waitFor(async () => (await mountsForReading(lab.grogu)) !== '', {
    timeoutMs: 60_000,
    what: 'the snapshot to be mounted',
  });
  await child.stop('SIGKILL');
  assert.notEqual(await stateOf(), before);
  const done = await rescue(...words, '--yes', digest);
  assert.equal(done.code, 6, done.stdout + done.stderr);
  assert.match(done.stderr, /was interrupted/);
  assert.match(done.stdout, /vol is a zvol/);
  assert.equal(readFileSync(join(target, 'pvc 1/in/-a b/file'), 'utf8'), 'old\n');
  assert.equal(await stateOf(), before);
  assert.equal(await mountsForReading(lab.grogu), '');
  rmSync(target, { recursive: true });
});

test('a clone is writable and beside the replica, which stays as it was', { skip }, async () => {
  const before = await stateOf();
  const clone = `${parent()}/look at it`;
  const words = ['clone', replica(), '--at', '2099-01-01', '--to', clone];
  const asked = await rescue(...words);
  assert.equal(asked.code, 5, asked.stdout + asked.stderr);
  const done = await rescue(...words, '--yes', digestIn(asked));
  assert.equal(done.code, 0, done.stdout + done.stderr);
  assert.equal(
    await lab.grogu.zfs('list', '-Ho', 'origin,readonly,mounted', `${clone}/pvc 1`),
    `${replica()}/pvc 1@two\toff\tno`,
  );
  const again = await rescue(...words, '--yes', digestIn(asked));
  assert.equal(again.code, 5, again.stdout + again.stderr);
  assert.match(again.stderr, /exists already/);
  await lab.grogu.zfs('destroy', '-r', clone);
  assert.equal(await stateOf(), before);
});

test('a replica goes back whole to a rebuilt machine, with the properties of its source, and hides no file', {
  skip,
}, async () => {
  const before = await stateOf();
  await lab.din.sh(`mkdir -p "${places}/it's full" '${places}/empty'; touch "${places}/it's full/.mine"`);
  const saved = await lab.grogu.sh(`cat '${record}'`);
  await lab.grogu.sh(`sed -i 's,fast/old,${rebuilt()},g' '${record}'`);
  const words = ['send', replica(), '--to-ssh', at(lab.din), '--to', rebuilt()];
  const asked = await rescue(...words);
  assert.equal(asked.code, 5, asked.stdout + asked.stderr);
  assert.match(asked.stdout, /^new +5 datasets/m);
  assert.match(asked.stdout, /^set +\S+pvc 1: mountpoint=.*it's full quota=1073741824$/m);
  assert.match(asked.stdout, /^by hand +\S+pvc 1: readonly=on \(not set\)$/m);
  const done = await rescue(...words, '--yes', digestIn(asked));
  assert.equal(done.code, 6, done.stdout + done.stderr);
  assert.match(done.stdout, /5 datasets are back/);
  assert.match(done.stdout, /warning: \S+pvc 1 stays canmount=noauto: .*it's full holds files/);
  const guids = async (host: LabHost, root: string): Promise<string> =>
    (await host.zfs('list', '-Hrt', 'snapshot', '-o', 'name,guid', root)).replaceAll(root, '');
  assert.equal(await guids(lab.din, rebuilt()), await guids(lab.grogu, replica()));
  const of = (dataset: string, properties: string): Promise<string> =>
    lab.din.zfs('get', '-Hpo', 'value', properties, `${rebuilt()}${dataset}`);
  const looks = 'mountpoint,canmount,readonly,mounted,holdfast:replica-of';
  assert.equal(await of('/pvc 1', looks), `${places}/it's full\nnoauto\noff\nno\n-`);
  assert.equal(await of('/pvc 1/in', looks), `${places}/empty\non\noff\nno\n-`);
  assert.equal(await of('/off', 'canmount,com.example:owner'), "off\nit's mine");
  assert.equal(await of('', 'compression,readonly'), 'off\noff');
  await lab.grogu.sh(`cat > '${record}' <<'END'\n${saved}\nEND`);
  assert.equal(await stateOf(), before);

  // As if it had been killed when all had arrived, before the last of them became an ordinary dataset.
  const guid = await lab.grogu.zfs('get', '-Hpo', 'value', 'guid', `${replica()}/off`);
  await lab.din.zfs('set', 'readonly=on', `holdfast:replica-of=${guid}`, `${rebuilt()}/off`);
  const left = await rescue(...words);
  assert.match(left.stdout, /^arrived +1 datasets whole/m);
  const finished = await rescue(...words, '--yes', digestIn(left));
  assert.equal(finished.code, 0, finished.stdout + finished.stderr);
  assert.equal(await of('/off', 'readonly,holdfast:replica-of'), 'off\n-');

  const twice = await rescue(...words);
  assert.match(twice.stderr, /has everything that the replica/);
});

test('files come out of a pool that was imported read-only, which takes no hold', { skip }, async () => {
  const file = `/var/tmp/rescue-${process.pid}`;
  const pool = `rescue${process.pid}`;
  const made = `${pool}/${resource}`;
  const path = join(state, 'read-only');
  try {
    await lab.grogu.sh(`
      set -e
      truncate -s 100M '${file}'; zpool create -O mountpoint=none '${pool}' '${file}'
      zfs create -o mountpoint='${places}' '${made}'; echo kept > '${places}/file'
      zfs set holdfast:replica-of=1 '${made}'; zfs snapshot '${made}@one'; zfs hold holdfast_fence '${made}@one'
      zpool export '${pool}'; zpool import -N -o readonly=on -d '${file}' '${pool}'
    `);
    const words = ['restore', made, '--to', path];
    const asked = await rescue(...words);
    assert.equal(asked.code, 5, asked.stdout + asked.stderr);
    const done = await rescue(...words, '--yes', digestIn(asked));
    assert.equal(done.code, 0, done.stdout + done.stderr);
    assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'kept\n');
    const refused = await rescue('clone', made, '--to', `${pool}/clone`, '--yes', '00000000');
    assert.equal(refused.code, 5, refused.stderr);
  } finally {
    await lab.grogu.sh(`zpool destroy '${pool}'; rm -f '${file}'; rmdir '${places}' || true`);
  }
});
