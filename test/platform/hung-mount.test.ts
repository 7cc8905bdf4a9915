import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkSourceThere, guardSource } from '../../activities/host/guard.js';
import { backupResource } from '../../activities/restic/backup.js';
import { folderOf } from '../../config/lookup.js';
import { resticPath } from '../../lab/places.js';
import { needs } from '../support/needs.js';
import { waitFor } from '../support/wait.js';
import { type Bench, failsWith, makeBench, runAt } from './restic-bench.js';

/** A folder below a FUSE mount whose server was stopped: whoever looks at it waits for ever. */
async function hungFolder(): Promise<{ folder: string; bench: Bench }> {
  const bench = makeBench({ restic: resticPath() ?? '' });
  await backupResource(bench.tools(), bench.step(runAt(1)));
  const place = join(bench.folder, 'mount');
  mkdirSync(place);
  const server = spawn(resticPath() ?? '', ['mount', '--no-lock', place], {
    env: { PATH: process.env.PATH, ...bench.resticEnvironment },
    stdio: 'ignore',
  });
  after(() => {
    server.kill('SIGCONT');
    execFileSync('umount', ['--lazy', place]);
    server.kill('SIGKILL');
  });
  await waitFor(() => bench.host.isMountPoint(place), { timeoutMs: 30_000, what: 'the mount' });
  server.kill('SIGSTOP');
  return { folder: join(place, 'ids'), bench };
}

test('a source on a mount that hangs is missing, and whoever asks for it stops nothing else', {
  skip: needs('restic', 'mount'),
  timeout: 60_000,
}, async () => {
  const { folder, bench } = await hungFolder();
  const { host } = bench;
  const guarded = {
    host,
    resource: 'photos',
    signal: new AbortController().signal,
    config: { ...folderOf(bench.config, 'photos'), directory: folder, mounted: true },
    answerMs: 1_000,
  };
  const looks = Array.from({ length: 6 }, () =>
    assert.rejects(guardSource(guarded), failsWith('HF_SOURCE_MISSING', /ids does not answer within 1 s/)),
  );
  await Promise.all(looks);
  assert.notEqual(await host.readFile('/etc/hostname'), undefined);
});

test('counting on a mount that hangs ends when it is told to stop', {
  skip: needs('restic', 'mount'),
  timeout: 60_000,
}, async () => {
  const { folder, bench } = await hungFolder();
  const { host } = bench;
  const stop = new AbortController();
  const counts = Array.from({ length: 6 }, () =>
    assert.rejects(host.countTree(folder, { files: 1, bytes: 0 }, stop.signal), /told to stop/),
  );
  stop.abort(new Error('told to stop'));
  await Promise.all(counts);
  assert.notEqual(await host.readFile('/etc/hostname'), undefined);
});

test('a folder with an odd name is looked at as it is, its marker and what is mounted on it too', async () => {
  const { folder, host, config } = makeBench({ restic: resticPath() ?? '' });
  const odd = join(folder, `-it's "odd" $x\n *ünï\\`);
  mkdirSync(join(odd, 'deeper'), { recursive: true });
  writeFileSync(join(odd, '-m\n'), '');
  symlinkSync(join(odd, '..', 'key'), join(odd, 'outside'));
  symlinkSync(odd, join(folder, 'link'));
  const look = (path: string, marker?: string, mounted = false) =>
    host.lookAtFolder({ path, marker: marker === undefined ? undefined : join(path, marker), mounted });
  const dir = { type: 'dir', isMounted: false };
  assert.deepEqual(await look(odd, '-m\n', true), { ...dir, marker: 'inside' });
  assert.deepEqual(await look(odd, 'outside'), { ...dir, marker: 'outside' });
  assert.deepEqual(await look(odd, '..'), { ...dir, marker: 'outside' });
  assert.deepEqual(await look(odd, 'gone'), { ...dir, marker: 'missing' });
  assert.deepEqual(await look('/', 'etc'), { ...dir, marker: 'inside' });
  assert.equal((await look(join(folder, 'link')))?.type, 'symlink');
  assert.equal((await look(join(odd, '-m\n')))?.type, 'file');
  assert.equal(await look(join(folder, 'gone')), undefined);
  assert.equal(await look(join(odd, '-m\n', 'below')), undefined);
  assert.equal((await look('/proc', undefined, true))?.isMounted, true);
  await assert.doesNotReject(
    checkSourceThere({
      host,
      resource: 'photos',
      signal: new AbortController().signal,
      config: { ...folderOf(config, 'photos'), directory: odd, marker: '-m\n' },
    }),
  );
});
