import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { planFiles } from '../../activities/zfs/files-plan.js';
import { planRestoreFiles, restoreFiles } from '../../activities/zfs/files-restore.js';
import { parseConfig } from '../../config/load.js';
import { localHost } from '../../system/local-host.js';
import { temporaryFolder } from '../support/temp.js';
import { dataset, snapshot } from '../support/zfs-trees.js';

/** Links inside of a snapshot, with the real tar and find; the mounted snapshot is a plain folder here. */

const run = 'daily.restore-2026-11-20T03:00:00Z';
const root = 'bulk/photos';
const tree = [dataset(root, {}, [snapshot('one', 10, { job: 'daily' })])];

function scene() {
  const folder = temporaryFolder('zfs-links');
  const stateFolder = join(folder, 'state');
  const [mount, today, target] = [
    join(stateFolder, 'reading', run.replaceAll(':', ''), 'bulk%2Fphotos'),
    join(folder, 'today'),
    join(folder, 'restored'),
  ];
  for (const path of [mount, today, join(stateFolder, 'zfs')]) mkdirSync(path, { recursive: true });
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: { din: { restore: [folder] } },
      resources: { photos: { host: 'din', dataset: root } },
      jobs: { daily: { kind: 'zfs-snapshot', resources: ['photos'], keep: { daily: 7 } } },
    }),
    '/holdfast.yaml',
  );
  assert(config, JSON.stringify(mistakes));
  const own = localHost({ name: 'din', stateFolder });
  const mounts = `1 1 0:1 / ${mount} ro - zfs ${root}@one ro\n`;
  const host = {
    ...own,
    readFile: async (path: string) => (path === '/proc/self/mountinfo' ? mounts : own.readFile(path)),
  };
  const tools = {
    ...{ host, config, run, attempt: 1, signal: new AbortController().signal },
    ...{ progress: () => undefined, log: () => undefined },
  } as unknown as Tools;
  const file = (path: string, text: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  /** As the steps of a restore do it one after the other, but that nothing is held and mounted. */
  const restore = async (path: string) => {
    const plan = planFiles(tree, { root, paths: [path], job: 'daily' });
    writeFileSync(join(stateFolder, 'zfs', `${run}.files.json`), JSON.stringify(plan));
    const step = { job: 'daily', run, resource: 'photos', how: 'files' as const, target, retryForMs: 0 };
    const { digest } = await planRestoreFiles(tools, { ...step, paths: [path] });
    return restoreFiles(tools, { ...step, paths: [path], digest });
  };
  return { mount, today, target, file, restore };
}

test('the files of today, to which a link in the snapshot leads, are not restored as those of the snapshot', async () => {
  const { mount, today, target, file, restore } = scene();
  file(join(today, 'album/one.jpg'), 'of today');
  symlinkSync(today, join(mount, 'current'));
  const error = await restore('current/album').catch((refusal) => refusal);
  assert.equal(error.code, 'HF_PATH_NOT_FOUND', JSON.stringify(error));
  assert.match(error.message, /"current\/album" leads through the link "current" to ".*today".*out of the/);
  assert.match(error.details.next, /what the link points to/);
  assert(!existsSync(target));
});

test('a link deeper down, one that stays inside and one with an odd name are refused as well, and named', async () => {
  const leading: [within: string, way: string, leadsTo: string][] = [
    ['a/b/link/x/y', 'a/b/link', '../../inside'],
    ['-rf \'q"\n$(x)/x/y', '-rf \'q"\n$(x)', './inside'],
    ['up/x', 'up', '..'],
    ['circle/x', 'circle', 'circle'],
    ['dead/x', 'dead', '/nowhere/at/all'],
  ];
  for (const [within, way, leadsTo] of leading) {
    const { mount, target, file, restore } = scene();
    file(join(mount, 'inside/x/y'), 'inside');
    file(join(mount, 'x'), 'x');
    mkdirSync(join(mount, 'a/b'), { recursive: true });
    symlinkSync(leadsTo, join(mount, way));
    const error = await restore(within).catch((refusal) => refusal);
    assert.equal(error.code, 'HF_PATH_NOT_FOUND', within);
    assert(error.message.includes(`through the link "${way}" to "${leadsTo}"`), error.message);
    assert(!existsSync(target), within);
  }
});

test('a link as the last name is restored as a link, and folders with odd names lead nowhere else', async () => {
  const { mount, target, file, restore } = scene();
  mkdirSync(join(mount, 'a'));
  symlinkSync('/nowhere', join(mount, 'a/current'));
  await restore('a/current');
  assert.equal(readlinkSync(join(target, 'a/current')), '/nowhere');
  const odd = scene();
  const path = '-rf/..odd/it\'s "\n$(x)/deep';
  odd.file(join(odd.mount, path, 'file'), 'frozen');
  assert.equal((await odd.restore(path)).files, 1);
  assert.equal(readFileSync(join(odd.target, path, 'file'), 'utf8'), 'frozen');
  file(join(mount, 'plain'), '');
  for (const missing of ['plain/below a file', 'a/missing/x', 'missing'])
    await assert.rejects(restore(missing), { code: 'HF_PATH_NOT_FOUND', message: /does not hold/ }, missing);
});

test('a path that climbs out of the dataset is refused by the host too, whoever asked for it', () => {
  for (const path of ['../../etc', 'a/../../etc', 'a/..', '..', '/etc', '/', 'a\0b'])
    assert.throws(() => planFiles(tree, { root, paths: ['fine', path] }), {
      code: 'HF_PATH_NOT_FOUND',
      message: /is no path inside of a dataset/,
    });
  const [piece] = planFiles(tree, { root, paths: ['./..odd//a../'] }).pieces;
  assert.equal(piece?.within, '..odd/a..');
});
