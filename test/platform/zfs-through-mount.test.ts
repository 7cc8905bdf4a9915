import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { atStore, whereItIsRead } from '../../activities/host/reading-host.js';
import { createResticActivities } from '../../activities/restic/activities.js';
import { checkMounts, mountSnapshots, mountsBelow, unmountAll } from '../../activities/zfs/mounts.js';
import { whatIsRead } from '../../activities/zfs/read-source.js';
import { folderName, readingFolder, writeSourcePlan } from '../../activities/zfs/source-plan.js';
import { parseConfig } from '../../config/load.js';
import { localHost } from '../../system/local-host.js';
import { fakeZfs } from '../support/fake-zfs.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';

/** Snapshots of another machine, read through a mount: a plain tree stands in for what NFS shows of it; the bind mounts are real. */

const skip = needs('root', 'mount');

describe('snapshots through a mount', { skip }, () => {
  const root = temporaryFolder('through');
  const mount = join(root, 'mnt', 'photos of din');
  const folder = join(root, 'reading');
  const host = localHost({ name: 'nas', stateFolder: root });
  const { signal } = new AbortController();
  const through = { directory: mount, root: 'bulk/photos' };
  const wanted = { datasets: ['bulk/photos', 'bulk/photos/a b'], snapshot: 'holdfast_x', through };
  const snapshotOf = (child: string): string => join(mount, child, '.zfs/snapshot/holdfast_x');
  for (const child of ['', 'a b']) {
    mkdirSync(snapshotOf(child), { recursive: true });
    writeFileSync(join(snapshotOf(child), 'file'), `of "${child}"`);
  }
  after(async () => unmountAll(host, await mountsBelow(host, folder), signal));

  test('each dataset lies in a folder of its own, at a place that is the same in every run, and cannot be written', async () => {
    await mountSnapshots(host, folder, wanted, signal);
    await checkMounts(host, folder, wanted);
    const place = join(folder, folderName('bulk/photos/a b'));
    assert.equal(readFileSync(join(place, 'file'), 'utf8'), 'of "a b"');
    assert.throws(() => writeFileSync(join(place, 'new'), ''), /EROFS/);
    await mountSnapshots(host, folder, wanted, signal);
    assert.equal((await mountsBelow(host, folder)).length, 2, 'a retry leaves no second layer');
    await checkMounts(host, folder, wanted);
  });

  test('what a reboot has unmounted is mounted again, once for all stores; what lies there instead is not', async () => {
    const { config } = parseConfig(
      JSON.stringify({
        hosts: { nas: {} },
        resources: { photos: { host: 'nas', dataset: 'bulk/photos' } },
        stores: {},
        jobs: {},
      }),
      '/holdfast.yaml',
    );
    const host = localHost({ name: 'nas', stateFolder: temporaryFolder('rebooted') });
    const tools = { host, signal, config } as unknown as Tools;
    const of = { job: 'offsite', run: 'offsite-2026-11-20T03:00:00Z', resource: 'photos' };
    const place = readingFolder(host, of);
    const plan = { ...wanted, restorePoint: '2026-11-20T03:00:00Z' };
    await writeSourcePlan(host, of, plan);
    try {
      const [first] = await Promise.all([whatIsRead(tools, of), whatIsRead(tools, of)]);
      assert.equal(first.frozen?.folders.length, 2);
      assert.equal((await mountsBelow(host, place)).length, 2);
      await unmountAll(host, (await mountsBelow(host, place)).slice(0, 1), signal);
      await assert.rejects(whatIsRead(tools, of), { code: 'HF_SOURCE_MISSING' });
    } finally {
      await unmountAll(host, await mountsBelow(host, place), signal);
    }
  });

  test('a dataset that is not mounted there is named, and nothing is read instead of it', async () => {
    rmSync(join(mount, 'a b', '.zfs'), { recursive: true });
    await assert.rejects(mountSnapshots(host, folder, wanted, signal), {
      code: 'HF_SOURCE_MISSING',
      message: /photos of din\/a b\/\.zfs\/snapshot\/holdfast_x .*exclude it/,
    });
    await assert.rejects(checkMounts(host, folder, wanted), { code: 'HF_SOURCE_MISSING' });
  });

  test('what is mounted in the place of another is noticed, and so is a mount that went away', async () => {
    mkdirSync(snapshotOf('a b'), { recursive: true });
    await host.run({ file: 'mount', args: ['--bind', snapshotOf(''), snapshotOf('a b')] });
    await mountSnapshots(host, folder, wanted, signal);
    await assert.rejects(checkMounts(host, folder, wanted), { code: 'HF_SOURCE_MISSING' });
    await host.run({ file: 'umount', args: [snapshotOf('a b')] });
    await mountSnapshots(host, folder, wanted, signal);
    await checkMounts(host, folder, wanted);
    await unmountAll(host, (await mountsBelow(host, folder)).slice(0, 1), signal);
    await assert.rejects(checkMounts(host, folder, wanted), /Is .*photos of din still mounted\?/);
  });
});

test('restic works on the machine that has the mount, with the program that is named there, for the host that holds the data', () => {
  const { config } = parseConfig(
    JSON.stringify({
      hosts: {
        nas: { tools: { restic: '/opt/restic' } },
        din: {
          ssh: { address: '10.0.0.2', user: 'root', via: 'nas' },
          tools: { restic: '/not/there' },
        },
      },
      resources: {
        photos: { host: 'din', dataset: 'bulk/photos', mount: '/mnt/din', marker: '.holdfast' },
        own: { host: 'din', dataset: 'bulk/own' },
      },
      stores: {
        disk: { restic: { repository: '/backup', password: { file: '/key' } } },
        shed: { restic: { repository: '/shed', password: { file: '/key' } } },
      },
      jobs: {
        offsite: { kind: 'restic-backup', resources: ['photos'], store: 'disk' },
        local: { kind: 'restic-backup', resources: ['own'], store: 'shed' },
      },
    }),
    '/holdfast.yaml',
  );
  assert(config);
  const driver = localHost({ name: 'nas', stateFolder: '/state/hosts/din' });
  const fake = fakeZfs(['bulk/photos'], {}).tools('x-2026-11-20T03:00:00Z');
  const tools = { ...fake, config, host: { ...fake.host, driver } };
  const moved = whereItIsRead(tools, 'photos');
  assert.deepEqual(
    [moved.host.name, moved.host.stateFolder, moved.host.run, moved.config.hosts.din?.tools.restic],
    ['din', '/state/hosts/din', driver.run, '/opt/restic'],
  );
  assert.equal(moved.host.driver, driver);
  assert.equal(whereItIsRead(tools, 'own'), tools);
  assert.equal(
    atStore(tools, 'disk').config.hosts.din?.tools.restic,
    '/opt/restic',
    'a check names no resource',
  );
  assert.equal(atStore(tools, 'shed'), tools);
});

test('retention and checks, which name no resource, work on the machine that has the mount', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'key'), 'secret');
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: { nas: {}, din: { ssh: { address: '10.0.0.2', user: 'root', via: 'nas' } } },
      resources: {
        photos: { host: 'din', dataset: 'bulk/photos', mount: '/mnt/din', marker: '.holdfast' },
      },
      stores: { disk: { restic: { repository: '/backup', password: { file: join(folder, 'key') } } } },
      jobs: {
        offsite: {
          kind: 'restic-backup',
          resources: ['photos'],
          store: 'disk',
          keep: { last: 3 },
          prune: { cron: '0 6 * * 0' },
          check: { cron: '0 7 * * 0' },
        },
      },
    }),
    '/holdfast.yaml',
  );
  assert(config, JSON.stringify(mistakes));
  const whose = (name: string) => ({
    makeFolder: () => Promise.reject(new Error(`the cache of restic is made on ${name}`)),
  });
  const driver = {
    ...localHost({ name: 'nas', stateFolder: folder }),
    ...whose('the machine with the mount'),
  };
  const fake = fakeZfs(['bulk/photos'], {}).tools('x-2026-11-20T03:00:00Z');
  const own = { ...fake, config, host: { ...fake.host, ...whose('the appliance'), driver } };
  const { resticPrune, resticCheck } = createResticActivities({ step: (_, body) => body(own) });
  const input = { job: 'offsite', store: 'disk', resource: '', retryForMs: 0 };
  for (const [ask, operation] of [
    [resticPrune, 'prune'],
    [resticCheck, 'check'],
  ] as const)
    await assert.rejects(
      ask({ ...input, run: `offsite.${operation}-2026-11-20T03:00:00Z` }),
      /on the machine with the mount/,
    );
});
