import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import type { SnapArray } from '../../activities/snapraid/array.js';
import { keepCopies } from '../../activities/snapraid/copies.js';
import { localHost } from '../../system/local-host.js';
import { fakeArray } from '../support/fake-snapraid.js';
import { temporaryFolder } from '../support/temp.js';

test('an archive that is not whole never takes the place of a good one, however many nights it comes', async () => {
  const { array, folder } = fakeArray();
  const other = temporaryFolder();
  const withCopies: SnapArray = {
    ...array,
    tools: { ...array.tools, machine: () => localHost({ name: 'other', stateFolder: other }) },
    config: { ...array.config, copies: { host: 'other', folder: join(other, 'kept') } },
  };
  const content = join(folder, 'c/content');
  writeFileSync(content, 'list '.repeat(20_000));
  await keepCopies(withCopies);
  const archive = join(other, 'kept/media.tar');
  const good = readFileSync(archive);
  assert(!existsSync(`${archive}.previous`));

  // A tar that ends well with half an archive.
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'tar'),
    `#!/bin/sh\nPATH=\${PATH#*:}\ncase "$1" in --create) tar "$@" | head -c 30000; exit 0;; esac\nexec tar "$@"\n`,
  );
  chmodSync(join(bin, 'tar'), 0o755);
  const path = process.env.PATH;
  process.env.PATH = `${bin}${delimiter}${path}`;
  try {
    for (const _ of [1, 2]) {
      await assert.rejects(keepCopies(withCopies), { code: 'HF_COPY_NOT_PROVED' });
      assert.deepEqual(readFileSync(archive), good);
    }
  } finally {
    process.env.PATH = path;
  }
  writeFileSync(content, 'list anew '.repeat(20_000));
  await keepCopies(withCopies);
  assert.deepEqual(readFileSync(`${archive}.previous`), good);
  assert.notDeepEqual(readFileSync(archive), good);
});
