import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { backupResource } from '../../activities/restic/backup.js';
import { withConfigCopy } from '../../activities/restic/config-copy.js';
import { resticPath } from '../../lab/places.js';
import { compareTrees } from '../support/compare.js';
import { needs } from '../support/needs.js';
import { repositoryRoot } from '../support/root.js';
import { makeBench, runAt } from './restic-bench.js';

/** Nobody tries a page about a fire before the fire: its commands are run here, line by line as they stand. */

const page = readFileSync(join(repositoryRoot, 'docs/guides/when-the-house-burned.md'), 'utf8');
const commands = [...page.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);

test('every command of "When the house burned" does what the page says', {
  skip: needs('restic'),
}, async () => {
  const restic = resticPath() ?? 'restic';
  const bench = makeBench({ restic });
  mkdirSync(join(bench.source, '2024'));
  writeFileSync(join(bench.source, '2024', 'January'), 'snow');
  const configFile = join(bench.folder, 'the old holdfast.yaml');
  writeFileSync(configFile, stringify(configOf(bench.source)));
  const tools = bench.tools({ configFile });
  const step = bench.step(runAt(1));
  const copy = await withConfigCopy(tools, step, await backupResource(tools, step));
  assert.deepEqual(copy.warnings, []);

  const bin = join(bench.folder, 'bin');
  mkdirSync(bin);
  const program = join(repositoryRoot, 'bin/holdfast.js');
  writeFileSync(join(bin, 'holdfast'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, {
    mode: 0o755,
  });
  const place = join(bench.folder, 'new');
  mkdirSync(place);
  const env = {
    PATH: `${bin}:${dirname(restic)}:${process.env.PATH}`,
    HOME: bench.folder,
    HOLDFAST_STATE: join(bench.folder, 'no state'),
    HOLDFAST_CONFIG: '/nowhere/holdfast.yaml',
  };
  const exported: string[] = [];
  let digest = '';
  const run = (written: string) => {
    const line = written
      .replaceAll('/mnt/usb/photos', bench.repository)
      .replaceAll('/media/key/photos.key', join(bench.folder, 'key'))
      .replaceAll('/mnt/new', place)
      .replaceAll('1f3a9c2e8d01', copy.snapshot)
      .replaceAll('1f3a9c2e', digest);
    const ended = spawnSync('sh', ['-c', [...exported, line].join('\n')], { env, encoding: 'utf8' });
    digest = /digest\s+([0-9a-f]{8})/.exec(ended.stdout)?.[1] ?? digest;
    if (line.startsWith('export ')) exported.push(line);
    return ended;
  };

  assert(commands.length >= 10, 'the page has commands');
  for (const written of commands) {
    const ended = run(written);
    // A restore without a yes shows its plan and does nothing.
    const isAsked = /rescue restic restore/.test(written) && !/--yes/.test(written);
    assert.equal(ended.status, isAsked ? 5 : 0, `${written}\n${ended.stdout}${ended.stderr}`);
    if (!isAsked || commands.includes(`${written} --yes 1f3a9c2e`)) continue;
    const approved = run(`${written} --yes 1f3a9c2e`);
    assert.equal(approved.status, 0, `${written}\n${approved.stdout}${approved.stderr}`);
  }
  assert.deepEqual(compareTrees(bench.source, join(place, 'photos')), []);
  assert.deepEqual(compareTrees(bench.source, join(place, 'as-of')), []);
  assert.deepEqual(compareTrees(bench.source, join(place, 'part')), []);
  assert.equal(readFileSync(join(place, 'first', '2024', 'January'), 'utf8'), 'snow');
  assert.equal(readFileSync(join(place, 'by-hand', bench.source, '2024', 'January'), 'utf8'), 'snow');
  assert.equal(readFileSync(join(place, 'holdfast.yaml'), 'utf8'), readFileSync(configFile, 'utf8'));
});

const configOf = (directory: string) => ({
  hosts: { nas: {} },
  resources: { photos: { host: 'nas', directory } },
  stores: { shed: { restic: { repository: '/mnt/usb/photos', password: { file: '/etc/holdfast/key' } } } },
  jobs: { 'photos-offsite': { kind: 'restic-backup', resources: ['photos'], store: 'shed' } },
});
