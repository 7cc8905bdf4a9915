import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  middlewareCalls,
  parseSharing,
  sharingScript,
  withoutSecrets,
} from '../../activities/zfs/sharing-read.js';
import { type Moved, stepsByHand } from '../../activities/zfs/sharing-steps.js';
import { repositoryRoot } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';

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
