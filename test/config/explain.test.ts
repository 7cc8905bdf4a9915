import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { configKeys, configSections, explainKey } from '../../config/explain.js';
import { renderReference } from '../../config/reference.js';
import { HoldfastError } from '../../contracts/errors.js';

const only = (text: string) => {
  const [key, ...more] = explainKey(text);
  assert.ok(key);
  assert.equal(more.length, 0);
  return key;
};

describe('explain', () => {
  test('tells type, default and example of a key, whatever the names in it', () => {
    const key = only('jobs.photos-offsite.check.parts');
    assert.equal(key.path, 'jobs.NAME.check.parts');
    assert.equal(key.type, 'whole number, 1 to 256');
    assert.equal(key.example, '30');
    assert.match(key.description, /by turns/);
    assert.deepEqual(only('jobs.NAME.check.parts'), key);
  });

  test('says the default as it would be written, and whether a key must be given', () => {
    assert.equal(only('temporal.deadHostAfter').default, '10m');
    assert.equal(only('stores.x.restic.repository').required, true);
    assert.deepEqual(
      explainKey('jobs.x.keep').map(({ required }) => required),
      [false, false, false],
    );
  });

  test('lists what lies below a key', () => {
    const key = only('stores.b2-photos.restic.limits');
    assert.deepEqual(
      key.keys.map(({ path }) => path.split('.').at(-1)),
      ['uploadKiBps', 'downloadKiBps', 'readConcurrency'],
    );
    assert.ok(only('jobs.x').keys.some(({ path }) => path === 'jobs.NAME.objective'));
    assert.ok(only('hosts').keys.some(({ path }) => path === 'hosts.NAME'));
  });

  for (const [short, path] of [
    ['keep', 'jobs.NAME.keep'],
    ['rpo', 'jobs.NAME.objective.rpo'],
    ['objective.check', 'jobs.NAME.objective.check'],
    ['photos.check', 'jobs.NAME.check'],
    ['jobs.photos.resources[0]', 'jobs.NAME.resources'],
    ['jobs.hosts.keep', 'jobs.NAME.keep'],
    ['stores.a.restic.password.file', 'stores.NAME.restic.password.file'],
    ['stores.a.restic.env.AWS_ACCESS_KEY_ID', 'stores.NAME.restic.env.NAME'],
    [' repository ', 'stores.NAME.restic.repository'],
  ] as const)
    test(`takes ${JSON.stringify(short)} for ${path}`, () =>
      assert.deepEqual([...new Set(explainKey(short).map((key) => key.path))], [path]));

  test('tells a key that several kinds of job have once for each, with the kind', () => {
    assert.deepEqual(
      explainKey('jobs.x.keep').map(({ kind }) => kind),
      ['restic-backup', 'zfs-snapshot', 'zfs-replication'],
    );
    assert.equal(only('jobs.x.check').kind, undefined);
  });

  test('refuses what fits several keys and names them all', () => {
    assert.throws(
      () => explainKey('check'),
      (error) =>
        error instanceof HoldfastError &&
        error.code === 'HF_USAGE' &&
        /jobs\.NAME\.check, jobs\.NAME\.objective\.check/.test(error.message),
    );
  });

  for (const [typed, meant] of [
    ['jobs.photos.chekc.parts', 'jobs.NAME.check.parts'],
    ['kee', 'jobs.NAME.keep'],
    ['hsots', 'hosts'],
    ['stores.b2.restic.limit', 'stores.NAME.restic.limits'],
    ['objective.ropo', 'jobs.NAME.objective.rpo'],
  ] as const)
    test(`says for ${typed} that ${meant} may be meant`, () => {
      assert.throws(
        () => explainKey(typed),
        (error) =>
          error instanceof HoldfastError &&
          error.code === 'HF_KEY_NOT_FOUND' &&
          error.message.endsWith(`did you mean ${meant}?`),
      );
    });

  for (const odd of ['', '.', 'constructor', '__proto__', 'jobs..keep.', '\u001b[2J', 'x'.repeat(5000)])
    test(`knows no ${JSON.stringify(odd.slice(0, 20))}, and says so in one short line`, () => {
      assert.throws(
        () => explainKey(odd),
        (error) =>
          error instanceof HoldfastError &&
          error.code === 'HF_KEY_NOT_FOUND' &&
          error.message.length < 300 &&
          !/\p{Cc}/u.test(error.message),
      );
    });

  test('explains every key by its whole name, with a description', () => {
    const keys = configKeys();
    assert.ok(keys.length > 60);
    for (const key of keys) {
      const found = explainKey(key);
      assert.ok(
        found.every(({ path, description }) => path === key && description !== ''),
        key,
      );
    }
  });

  test('begins with the sections of the file', () => {
    const names = configSections().map(({ path }) => path);
    assert.deepEqual(names, ['temporal', 'hosts', 'resources', 'stores', 'jobs', 'notifications']);
  });

  test('says of a key what the reference page says', () => {
    const { description } = only('jobs.NAME.exclude');
    assert.ok(renderReference().includes(description));
  });
});
