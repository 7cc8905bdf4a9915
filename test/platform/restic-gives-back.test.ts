import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { resticVersions } from '../../lab/places.js';
import { compareTrees, type Property } from '../support/compare.js';
import { makeTree } from '../support/data.js';
import { needs } from '../support/needs.js';
import { temporaryFolder } from '../support/temp.js';

/** What restic itself keeps and loses, without any code of ours: the ground that our restores stand on. */
describe('restic alone', { skip: needs('root', 'restic', 'acl') }, () => {
  for (const { path, version } of resticVersions()) {
    test(`restic (${version}) gives back every odd file, name, owner, time, link and attribute`, () => {
      const folder = temporaryFolder('restic');
      const source = join(folder, 'source');
      makeTree(source, { files: 40, bytes: 4_000_000, seed: 11, binaryNames: true });
      const restored = join(folder, 'restored');
      mkdirSync(restored);
      const env = {
        PATH: process.env.PATH,
        RESTIC_REPOSITORY: join(folder, 'repository'),
        RESTIC_PASSWORD: 'x',
        RESTIC_CACHE_DIR: join(folder, 'cache'),
      };
      const restic = (...args: string[]) =>
        execFileSync(path, args, { env, encoding: 'utf8', stdio: 'pipe' });
      restic('init');
      restic('backup', '--quiet', '--', source);
      const sparse = knowsSparse(restic('version')) ? ['--sparse'] : [];
      restic('restore', 'latest', '--target', restored, ...sparse);
      const ignore: Property[] = sparse.length > 0 ? [] : ['sparseness'];
      assert.deepEqual(compareTrees(source, join(restored, source), { ignore }), []);
    });
  }
});

/** `restore --sparse` came with 0.15. */
const knowsSparse = (words: string): boolean => Number(/restic 0\.(\d+)/.exec(words)?.[1] ?? 15) >= 15;
