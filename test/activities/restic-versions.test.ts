import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseVersion } from '../../activities/restic/parse.js';
import { isTooOld, knownVersions, unknownVersion } from '../../activities/restic/versions.js';
import { repositoryRoot } from '../support/root.js';

test('every version whose outputs we keep is a known one, the oldest and the newest are among them', () => {
  const kept = readdirSync(join(repositoryRoot, 'test/golden/restic'));
  const minors = kept.map((name) => parseVersion(`restic ${name}`).slice(0, 2).join('.'));
  for (const end of [knownVersions.oldest, knownVersions.newest]) assert.ok(minors.includes(end.join('.')));
  for (const name of kept) {
    assert.equal(unknownVersion(`restic ${name}`), undefined);
    assert.equal(isTooOld(parseVersion(`restic ${name}`)), false);
  }
});

test('an older restic is refused, a newer one works and is said to be unknown', () => {
  assert.equal(isTooOld([0, 13, 1]), true);
  assert.equal(isTooOld([0, 14, 0]), false);
  assert.equal(isTooOld([1, 0, 0]), false);
  assert.match(unknownVersion('restic 0.19.1') ?? '', /restic 0\.19\.1 is not known yet.+0\.14 to 0\.18/);
  assert.match(unknownVersion('restic 1.0.0') ?? '', /not known yet/);
  assert.equal(unknownVersion('restic 0.18.9'), undefined);
  assert.equal(unknownVersion(undefined), undefined);
});
