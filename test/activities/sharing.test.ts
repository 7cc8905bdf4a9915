import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { planReplication } from '../../activities/zfs/plan-replication.js';
import { strangersIn } from '../../activities/zfs/replicate-proof.js';
import { ownPlaces, savedOn, saveSharing } from '../../activities/zfs/sharing.js';
import {
  middlewareCalls,
  parseSharing,
  sharingScript,
  withoutSecrets,
} from '../../activities/zfs/sharing-read.js';
import { type Moved, stepsByHand } from '../../activities/zfs/sharing-steps.js';
import type { Host } from '../../system/host.js';
import { localHost } from '../../system/local-host.js';
import { repositoryRoot } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';
import { dataset, listingOf, snapshot, wholePolicy } from '../support/zfs-trees.js';

/** What an appliance shares, read by a fake midclt that answers as TrueNAS documents it. */

const appliance: Record<string, unknown> = {
  'iscsi.target.query': [
    {
      id: 1,
      name: 'k8s-db',
      alias: null,
      mode: 'ISCSI',
      groups: [{ portal: 1, initiator: 1, authmethod: 'CHAP', auth: 1 }],
      auth_networks: [],
      rel_tgt_id: 1,
    },
  ],
  'iscsi.extent.query': [
    {
      id: 3,
      name: 'pvc one',
      type: 'DISK',
      disk: 'zvol/fast/k8s/pvc+one',
      serial: '10c37b1f0a2b001',
      path: 'zvol/fast/k8s/pvc+one',
      filesize: 0,
      blocksize: 4096,
      pblocksize: false,
      insecure_tpc: true,
      xen: false,
      rpm: 'SSD',
      ro: false,
      enabled: true,
      naa: '0x6589cfc000000ab',
    },
    {
      id: 4,
      name: 'elsewhere',
      type: 'DISK',
      disk: 'zvol/fast/k8s-other/x',
      serial: '1',
      path: 'zvol/fast/k8s-other/x',
      filesize: 0,
      blocksize: 512,
    },
    {
      id: 5,
      name: 'file',
      type: 'FILE',
      disk: null,
      serial: '2',
      path: '/mnt/fast/k8s/files/lun.img',
      filesize: 1024,
      blocksize: 512,
      ro: true,
    },
  ],
  'iscsi.targetextent.query': [{ id: 1, target: 1, extent: 3, lunid: 0 }],
  'iscsi.portal.query': [{ id: 1, listen: [{ ip: '192.168.1.10', port: 3260 }], tag: 1, comment: '' }],
  'sharing.nfs.query': [
    {
      id: 1,
      path: '/mnt/fast/k8s/nfs static',
      comment: '',
      networks: ['192.168.1.0/24'],
      hosts: [],
      ro: false,
      maproot_user: 'root',
      enabled: true,
    },
    { id: 2, path: '/mnt/fast/k8sother', networks: [], hosts: [], ro: true, enabled: true },
  ],
  'sharing.smb.query': [{ id: 1, name: 'files', path: '/mnt/fast/k8s/files', enabled: false }],
};

const moved: Moved = {
  sourceRoot: 'fast/k8s',
  targetRoot: 'backup/k8s',
  mountpoints: { 'fast/k8s': '/mnt/fast/k8s', 'fast/k8s/files': '/mnt/fast/k8s/files' },
  placeOf: (dataset) => (dataset === 'backup/k8s/files' ? undefined : `/mnt/${dataset}`),
};

/** Runs the very program that goes to a host, with the fake midclt and a zfs that says what is given. */
function read(
  answers: Record<string, unknown>,
  { fail = '', properties = '' } = {},
): { stdout: string; folder: string } {
  const folder = temporaryFolder('midclt');
  const programs = join(folder, 'bin');
  mkdirSync(programs);
  for (const [name, answer] of Object.entries(answers))
    writeFileSync(join(folder, `${name}.json`), typeof answer === 'string' ? answer : JSON.stringify(answer));
  writeFileSync(join(folder, 'properties'), properties);
  writeFileSync(join(programs, 'zfs'), `#!/bin/sh\ncat '${join(folder, 'properties')}'\n`, { mode: 0o755 });
  const script = sharingScript(['zfs'], ['midclt'], 'fast/k8s');
  const env = {
    PATH: `${programs}:${join(repositoryRoot, 'test/fakes')}:/usr/bin:/bin`,
    FAKE_MIDCLT: folder,
    FAKE_MIDCLT_FAIL: fail,
  };
  return { stdout: execFileSync('sh', ['-c', script], { env, encoding: 'utf8' }), folder };
}

test('targets, extents, portals and exports below the datasets become the steps of a human; what lies elsewhere does not', () => {
  const { stdout, folder } = read(appliance, { properties: 'fast/k8s/pvc one\tsharenfs\trw=@10.0.0.0/8\n' });
  const saved = parseSharing(stdout);
  assert.deepEqual(saved.problems, []);
  assert.deepEqual(saved.properties, { 'fast/k8s/pvc one': { sharenfs: 'rw=@10.0.0.0/8' } });
  assert(!existsSync(join(folder, 'asked-for-secrets')), 'nobody asks for the passwords of CHAP');
  assert.deepEqual(stepsByHand(saved, moved), [
    'iSCSI target "k8s-db" LUN 0, portal 192.168.1.10:3260, with CHAP, whose secret is not kept here: extent "pvc one" on volume backup/k8s/pvc one (was zvol/fast/k8s/pvc+one), serial 10c37b1f0a2b001, NAA 0x6589cfc000000ab, block size 4096',
    'iSCSI extent "file" on dataset backup/k8s/files/lun.img (was /mnt/fast/k8s/files/lun.img), serial 2, block size 512, read-only; no target had it',
    'NFS export for 192.168.1.0/24, mapped to root of /mnt/backup/k8s/nfs static (was /mnt/fast/k8s/nfs static)',
    'SMB share "files" of dataset backup/k8s/files (was /mnt/fast/k8s/files), which was switched off',
  ]);
});

test('a method that fails or answers no JSON is told by its name, and the others are kept', () => {
  const failed = parseSharing(read(appliance, { fail: 'iscsi.portal.query' }).stdout);
  assert.deepEqual(failed.problems, [
    'iscsi.portal.query: truenas_api_client.exc.ClientException: Failed connection handshake',
  ]);
  assert.equal(failed.middleware?.['iscsi.extent.query']?.length, 3);
  const odd = parseSharing(read({ ...appliance, 'sharing.smb.query': 'not json' }).stdout);
  assert.deepEqual(odd.problems, ['sharing.smb.query: no JSON came']);
  const { 'sharing.nfs.query': _, ...older } = appliance;
  assert.match(
    parseSharing(read(older).stdout).problems.join(),
    /^sharing\.nfs\.query: Method 'sharing\.nfs\.query' not found/,
  );
  assert.deepEqual(parseSharing('').problems, ['it said nothing']);
});

test('passwords are left out wherever they stand', () => {
  const lio = {
    storage_objects: [{ name: 'a', dev: '/dev/zvol/fast/k8s/vol' }],
    targets: [
      {
        wwn: 'iqn.x',
        tpgs: [
          { node_acls: [{ chap_userid: 'u', chap_password: 'p', chap_mutual_password: 'q', node_wwn: 'w' }] },
        ],
      },
    ],
  };
  assert.doesNotMatch(JSON.stringify(withoutSecrets(lio)), /chap|"p"|"q"|"u"/);
  assert.equal(
    middlewareCalls.some((name) => name.includes('auth')),
    false,
  );
});

test('exports and the targets of other Linux machines are read as well', () => {
  const text = [
    '\u001eproperties\t0\n',
    '\u001eexports\t0\n# ours\n"/mnt/fast/k8s/with blank" 10.0.0.0/8(rw)\n/mnt/fast/k8s/x\\040y \\\n  *(ro)\n/srv/other *(rw)\n',
    `\u001elio\t0\n${JSON.stringify({
      storage_objects: [{ name: 'db', plugin: 'block', dev: '/dev/zvol/fast/k8s/vol', wwn: 'abc' }],
      targets: [
        {
          wwn: 'iqn.2003-01.org:db',
          tpgs: [
            {
              luns: [{ index: 0, storage_object: '/backstores/block/db' }],
              portals: [{ ip_address: '0.0.0.0', port: 3260 }],
            },
          ],
        },
      ],
    })}\n`,
  ].join('');
  const saved = parseSharing(text);
  assert.deepEqual(saved.problems, []);
  assert.deepEqual(stepsByHand(saved, moved), [
    'NFS export of /mnt/backup/k8s/with blank (was /mnt/fast/k8s/with blank) for 10.0.0.0/8(rw), in /etc/exports',
    'NFS export of /mnt/backup/k8s/x y (was /mnt/fast/k8s/x y) for *(ro), in /etc/exports',
    'iSCSI target "iqn.2003-01.org:db" LUN 0, portal 0.0.0.0:3260: backstore "db" on volume backup/k8s/vol (was /dev/zvol/fast/k8s/vol), serial abc',
  ]);
});

test('what stands by already, as it does for the last snapshot of a failover, is known with the shares and mount points that it had', () => {
  const before = JSON.stringify({ readonly: null, sharenfs: 'ro=@192.0.2.0/24', sharesmb: null });
  const text = [
    ...['mountpoint\t/srv/k', 'readonly\ton', 'sharenfs\toff', `holdfast:before\t${before}`].map(
      (own) => `fast/k\t${own}`,
    ),
    'fast/k/a\tsharenfs\toff',
  ].join('\n');
  assert.deepEqual(parseSharing(`\u001eproperties\t0\n${text}\n`).properties, {
    'fast/k': { mountpoint: '/srv/k', sharenfs: 'ro=@192.0.2.0/24' },
    'fast/k/a': { sharenfs: 'off' },
  });
});

test('a value of several lines is left out and told, and the address of a key with its password is not kept', () => {
  const properties = [
    'fast/k8s\tquota\t1048576',
    'fast/k8s\tkeylocation\thttps://user:password@keys.lan/k8s',
    'fast/k8s\torg:note\tfirst',
    'second',
    'fast/k8s/a\trecordsize\t16384',
    'zfs: a warning that zfs writes in between',
    'fast/k8s/a\torg:empty\t\n',
  ].join('\n');
  const saved = parseSharing(`\u001eproperties\t0\n${properties}`);
  assert.deepEqual(saved.properties, {
    'fast/k8s': { quota: '1048576' },
    'fast/k8s/a': { recordsize: '16384', 'org:empty': '' },
  });
  assert.deepEqual(saved.problems, ['org:note of fast/k8s has several lines']);
});

test('what was set on a source stays known when it is gone or was made anew', async () => {
  const folder = temporaryFolder('sharing');
  const zfs = join(folder, 'zfs');
  const says = (text: string): void => writeFileSync(zfs, `#!/bin/sh\nprintf '${text}'\n`, { mode: 0o755 });
  const [here, there] = ['din', 'grogu'].map((name) => localHost({ name, stateFolder: join(folder, name) }));
  assert(here && there);
  const source = { host: here, signal: new AbortController().signal, zfs, zpool: 'zpool' };
  const listing = listingOf(['fast/k', 'fast/k/a', 'fast/k/d'].map((name) => dataset(name)));
  const save = (strangers: string[]): Promise<string[]> =>
    saveSharing({ source, sourceRoot: 'fast/k', resource: 'k', target: there, strangers }, listing, true);
  const rows = (...lines: [string, string, string][]): string =>
    lines.map((line) => `${line.join('\\t')}\\n`).join('');
  says(
    rows(
      ['fast/k', 'quota', '5'],
      ['fast/k/a', 'mountpoint', '/srv/a'],
      ['fast/k/b', 'mountpoint', '/srv/b'],
      ['fast/k/b', 'quota', '7'],
      ['fast/k/c', 'mountpoint', '/srv/c'],
    ),
  );
  assert.deepEqual(await save([]), []);
  says(rows(['fast/k', 'quota', '8'], ['fast/k/a', 'quota', '9'], ['fast/k/d', 'mountpoint', '/srv/b']));
  assert.deepEqual(await save(['fast/k/a', 'fast/k/b', 'fast/k/c', 'fast/k/never']), []);
  const saved = await savedOn(there, 'k');
  assert.deepEqual(saved?.properties, {
    'fast/k': { quota: '8' },
    'fast/k/a': { mountpoint: '/srv/a' },
    // Its place is that of another one now.
    'fast/k/b': { quota: '7' },
    'fast/k/c': { mountpoint: '/srv/c' },
    'fast/k/d': { mountpoint: '/srv/b' },
  });
  // A failover takes over those that were in use.
  assert.deepEqual(
    ['fast/k/a', 'fast/k/c'].map((name) => ownPlaces(saved, name)),
    [{ mountpoint: '/srv/a' }, {}],
  );
});

test('a value of several lines is told once, and not in each run', async () => {
  const folder = temporaryFolder('sharing');
  const zfs = join(folder, 'zfs');
  writeFileSync(zfs, "#!/bin/sh\nprintf 'fast/k\\torg:note\\tone\\ntwo\\n'\n", { mode: 0o755 });
  const host = localHost({ name: 'din', stateFolder: join(folder, 'din') });
  const source = { host, signal: new AbortController().signal, zfs, zpool: 'zpool' };
  const place = { source, sourceRoot: 'fast/k', resource: 'k', target: host, strangers: [] };
  assert.match((await saveSharing(place, new Map(), true)).join(), /org:note of fast\/k has several lines/);
  assert.deepEqual(await saveSharing(place, new Map(), true), []);
  const saved = await savedOn(host, 'k');
  assert.deepEqual([saved?.properties, saved?.problems.length], [{}, 1]);
});

test('the copy on the machine of the replica is written again when it got lost, or could not be written', async () => {
  const folder = temporaryFolder('sharing');
  const zfs = join(folder, 'zfs');
  writeFileSync(zfs, "#!/bin/sh\nprintf 'fast/k\\tquota\\t5\\n'\n", { mode: 0o755 });
  const [here, there] = ['din', 'grogu'].map((name) => localHost({ name, stateFolder: join(folder, name) }));
  assert(here && there);
  const source = { host: here, signal: new AbortController().signal, zfs, zpool: 'zpool' };
  const save = (): Promise<string[]> =>
    saveSharing(
      { source, sourceRoot: 'fast/k', resource: 'k', target: there, strangers: [] },
      new Map(),
      true,
    );
  writeFileSync(join(folder, 'grogu'), 'in the way');
  assert.match((await save()).join(), /could not be saved/);
  rmSync(join(folder, 'grogu'));
  for (const what of ['could not be written', 'got lost']) {
    assert.deepEqual(await save(), []);
    assert.deepEqual((await savedOn(there, 'k'))?.properties, { 'fast/k': { quota: '5' } }, what);
    rmSync(join(folder, 'grogu'), { recursive: true });
  }
});

test('with two stores each has the newest copy beside its replica, and one that has it is not written again', async () => {
  const folder = temporaryFolder('sharing');
  const zfs = join(folder, 'zfs');
  const says = (quota: string): void =>
    writeFileSync(zfs, `#!/bin/sh\nprintf 'fast/k\\tquota\\t${quota}\\n'\n`, { mode: 0o755 });
  const asked: string[] = [];
  const [here, one, other] = ['din', 'grogu', 'cara'].map((name): Host => {
    const host = localHost({ name, stateFolder: join(folder, name) });
    const { exists, readFile, writeFile } = host;
    return Object.assign(host, {
      exists: (path: string) => asked.push(`${name} exists`) && exists(path),
      readFile: (path: string) => asked.push(`${name} reads`) && readFile(path),
      writeFile: (path: string, text: string) => asked.push(`${name} writes`) && writeFile(path, text),
    });
  });
  assert(here && one && other);
  const stores: Host[] = [one, other];
  const source = { host: here, signal: new AbortController().signal, zfs, zpool: 'zpool' };
  const save = (target: Host): Promise<string[]> =>
    saveSharing({ source, sourceRoot: 'fast/k', resource: 'k', target, strangers: [] }, new Map(), true);
  for (const quota of ['5', '8']) {
    says(quota);
    for (const target of stores) assert.deepEqual(await save(target), []);
    for (const target of stores)
      assert.deepEqual((await savedOn(target, 'k'))?.properties, { 'fast/k': { quota } }, target.name);
  }
  asked.length = 0;
  for (const target of stores) assert.deepEqual(await save(target), []);
  assert.deepEqual(
    asked.filter((words) => !words.startsWith('din')),
    ['grogu reads', 'cara reads'],
  );
});

test('a dataset is a stranger to a replica of which it has no snapshot', () => {
  const old = [snapshot('s1', 10)];
  const replicaOf = (name: string) => dataset(name, { replicaOf: '1' }, old);
  const target = listingOf([
    ...['backup/k', 'backup/k/gone', 'backup/k/new'].map(replicaOf),
    dataset('backup/k/unfinished', { replicaOf: '2' }),
  ]);
  const source = listingOf([
    dataset('fast/k', {}, old),
    dataset('fast/k/new', {}, []),
    dataset('fast/k/unfinished', {}, [snapshot('s2', 20)]),
  ]);
  const policy = wholePolicy;
  const input = { source, target, sourceRoot: 'fast/k', targetRoot: 'backup/k', policy };
  const plans = planReplication(input);
  assert.deepEqual(strangersIn({ plans, input }).sort(), ['fast/k/gone', 'fast/k/new']);
});
