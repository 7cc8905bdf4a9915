import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { findConfigFile } from '../../config/find-file.js';
import { loadConfig, parseConfig, readConfig } from '../../config/load.js';
import { type Mistake, renderMistake } from '../../config/mistakes.js';
import { HoldfastError } from '../../contracts/errors.js';
import { configOf, mistakesIn, parts, textWith } from './text.js';

const folder = mkdtempSync(join(tmpdir(), "holdfast config 'ü' "));
after(() => rmSync(folder, { recursive: true }));

function fileWith(name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

describe('a mistake', () => {
  test('has file, line, column, key and a suggestion', () => {
    const text = textWith({ jobs: parts.jobs.replace('store:', 'stor:') });
    assert.deepEqual(parseConfig(text, 'conf/holdfast.yaml').mistakes, [
      {
        file: 'conf/holdfast.yaml',
        line: 11,
        column: 5,
        key: 'jobs.photos.stor',
        message: 'unknown key; did you mean "store"?',
      },
    ]);
    assert.deepEqual(mistakesIn(text), [
      'test.yaml:11:5 jobs.photos.stor: unknown key; did you mean "store"?',
    ]);
  });

  test('below a misspelt key is told as well', () => {
    const text = textWith({ jobs: parts.jobs.replace('store: b2', 'stor: b3') }, [
      'shedule: { cron: "0 25 * * *" }',
    ]);
    assert.deepEqual(
      mistakesIn(text).map((line) => line.replace(/^\S+ /, '')),
      [
        'jobs.photos.stor: unknown key; did you mean "store"?',
        'jobs.photos.stor: there is no store "b3"; known: b2',
        'jobs.photos.shedule: unknown key; did you mean "schedule"?',
        'jobs.photos.shedule.cron: holds 25 where only 0-23 is possible',
      ],
    );
  });

  test('does not hide one of another sort: keys, values, contradictions and names come together', () => {
    const text = textWith(
      {
        hosts: 'hosts:\n  nas: { restores: [] }\n',
        resources:
          'resources:\n  photos: { host: nsa, directory: photos }\n  films: { host: nsa, directory: /films }\n',
      },
      ['retryFor: soon', 'prune: { cron: "0 6 * * 0" }', 'objective: { check: 35d }'],
    );
    assert.deepEqual(
      mistakesIn(text).map((line) => line.replace(/^\S+ (\S+): .*/, '$1')),
      [
        'hosts.nas.restores',
        'resources.photos.directory',
        'resources.films.host',
        'jobs.photos.retryFor',
        'jobs.photos.prune',
        'jobs.photos.objective.check',
      ],
    );
  });

  test('is not told twice as its own consequence', () => {
    const text = textWith({ stores: parts.stores.replace('/etc/holdfast/b2.key', 'b2.key') });
    assert.deepEqual(mistakesIn(text).length, 1);
    const check = textWith({}, ['check: { cron: "0 7 * * 9" }', 'objective: { check: 35d }']);
    assert.deepEqual(mistakesIn(check).length, 1);
  });

  test('is placed where an alias leads to', () => {
    const text = textWith({
      stores:
        'stores:\n  b2: &store\n    restic: { repository: /mnt/usb, password: { file: b2.key } }\n  b3: *store\n',
    });
    const column = (text.split('\n')[6]?.indexOf('b2.key') ?? 0) + 1;
    assert.deepEqual(
      mistakesIn(text).map((line) => line.split(': ')[0]),
      [`test.yaml:7:${column} stores.b2.restic.password`, `test.yaml:7:${column} stores.b3.restic.password`],
    );
  });
});

describe('a duplicate', () => {
  test('is told with both lines, wherever it stands', () => {
    const second = '  photos: { kind: restic-backup, resources: [photos], store: b2 }\n';
    const text = `${textWith({}, ['keep: { daily: 7, daily: 8 }'])}${second}`;
    assert.deepEqual(mistakesIn(text), [
      'test.yaml:12:23 jobs.photos.keep.daily: stands here a second time; the first is in line 12',
      'test.yaml:13:3 jobs.photos: stands here a second time; the first is in line 8',
    ]);
  });

  test('is one also when it is quoted differently', () => {
    const text = textWith({ hosts: 'hosts:\n  nas: {}\n  "nas": {}\n' });
    assert.deepEqual(mistakesIn(text), [
      'test.yaml:3:3 hosts.nas: stands here a second time; the first is in line 2',
    ]);
  });
});

describe('a file that cannot be taken', () => {
  const messageOf = (file: string): string => readConfig(file).mistakes.map(renderMistake).join('\n');

  test('is named with its reason', () => {
    const missing = join(folder, 'nowhere.yaml');
    assert.equal(messageOf(missing), `${missing}: there is no such file`);
    mkdirSync(join(folder, 'folder.yaml'));
    assert.match(messageOf(join(folder, 'folder.yaml')), /is a folder/);
    assert.match(messageOf(fileWith('latin1.yaml', Uint8Array.of(0x61, 0x3a, 0xe4))), /not text in UTF-8/);
    assert.match(messageOf(fileWith('empty.yaml', '')), /is empty/);
    assert.match(messageOf(fileWith('list.yaml', '- a\n')), /must hold settings/);
    assert.match(messageOf(fileWith('text.yaml', 'hello')), /must hold settings/);
  });

  test('may not be read by this user', {
    skip: process.getuid?.() === 0 && 'root may read every file',
  }, () => {
    const file = fileWith('closed.yaml', 'hosts: {}');
    chmodSync(file, 0);
    assert.match(messageOf(file), /may not be read by this user/);
  });

  test('may begin with a byte order mark and have the line ends of Windows', () => {
    const { config } = readConfig(fileWith('bom.yaml', `\uFEFF${textWith().replaceAll('\n', '\r\n')}`));
    assert.ok(config?.jobs.photos);
  });
});

describe('loadConfig', () => {
  test('gives the configuration with its defaults', () => {
    const config = loadConfig(fileWith('right.yaml', textWith()));
    assert.equal(config.temporal.namespace, 'holdfast');
    assert.equal(config.temporal.embedded.uiPort, 8233);
    assert.deepEqual(config.hosts.nas, { restore: [], tools: {} });
    assert.equal(config.jobs.photos?.retryFor, 6 * 3_600_000);
  });

  test('throws all mistakes, readable and as a list', () => {
    const file = fileWith('wrong.yaml', textWith({ hosts: 'hosts: { nas: { a: 1, b: 2 } }\n' }));
    assert.throws(
      () => loadConfig(file),
      (error: unknown) => {
        assert.ok(error instanceof HoldfastError);
        assert.equal(error.code, 'HF_CONFIG_INVALID');
        assert.match(
          error.message,
          /^2 mistakes in the configuration:\n.*hosts\.nas\.a: unknown.*\n.*hosts\.nas\.b/,
        );
        assert.deepEqual(
          (error.details.mistakes as Mistake[]).map(({ key }) => key),
          ['hosts.nas.a', 'hosts.nas.b'],
        );
        return true;
      },
    );
  });
});

describe('hostile text', () => {
  test('never makes the parser throw, and is never taken as right', () => {
    const texts = [
      '['.repeat(20_000),
      `${'{a: '.repeat(5_000)}`,
      '&a [*a]',
      'hosts: &a { x: *a }',
      '<<: 1',
      '<<: [1, 2]',
      '? [a, b]\n: c',
      '? {a: 1}\n: c',
      '__proto__: { hosts: {} }',
      'hosts: { __proto__: { ssh: 1 } }',
      'hosts: !!binary aGFsbG8=',
      'hosts: 2026-01-01',
      '\0',
      'a: &x [1]\nb: [*x, *x, *x]',
      `hosts: {}\nresources: { x: { host: nas, directory: ${'/a'.repeat(50_000)} } }`,
      `hosts: {}\ntemporal: { deadHostAfter: ${'9'.repeat(500)}d }`,
      `a: &a [1,2,3,4,5,6,7,8,9]\n${'bcdefgh'
        .split('')
        .map((key, at) => `${key}: &${key} [${`*${'abcdefg'[at]},`.repeat(9)}]`)
        .join('\n')}`,
    ];
    for (const text of texts) {
      const { config, mistakes } = parseConfig(text, 'hostile.yaml');
      assert.equal(config, undefined, text.slice(0, 60));
      assert.ok(mistakes.length > 0, text.slice(0, 60));
    }
  });

  test('cannot put control characters or endless names into a message', () => {
    const text = textWith({
      hosts: `hosts:\n  nas: { "\\e[31m\\u202eevil\\nline ${'x'.repeat(500)}": 1 }\n`,
    });
    const [line = ''] = mistakesIn(text);
    assert.ok(line.includes('unknown key'), line);
    assert.ok(line.length < 300, line);
    assert.doesNotMatch(line, /\p{C}/u);
  });

  test('may use names that every JavaScript object knows', () => {
    const config = configOf(
      textWith({ hosts: 'hosts:\n  nas: {}\n  constructor: {}\n' }).replaceAll('photos', 'constructor'),
    );
    assert.deepEqual(Object.keys(config.jobs), ['constructor']);
    const unknown = textWith({ jobs: parts.jobs.replace('store: b2', 'store: constructor') });
    assert.match(mistakesIn(unknown).join(), /there is no store "constructor"/);
  });
});

describe('findConfigFile', () => {
  const here = process.cwd();
  const home = join(folder, 'home');
  const user = join(home, '.config', 'holdfast');
  const empty = join(folder, 'elsewhere');
  mkdirSync(user, { recursive: true });
  mkdirSync(empty);

  test('takes what was said before what is found', () => {
    assert.equal(findConfigFile({ HOLDFAST_CONFIG: '/b.yaml', HOME: home }, '/a.yaml'), '/a.yaml');
    assert.equal(findConfigFile({ HOLDFAST_CONFIG: '/b.yaml', HOME: home }), '/b.yaml');
  });

  test('looks in this folder, then with the user, and says where it looked', (context) => {
    process.chdir(empty);
    context.after(() => process.chdir(here));
    assert.throws(
      () => findConfigFile({ HOME: home }),
      /no configuration: looked for .\/holdfast.yaml, .*\.config/,
    );
    writeFileSync(join(user, 'holdfast.yaml'), '');
    assert.equal(findConfigFile({ HOME: home, HOLDFAST_CONFIG: '' }), join(user, 'holdfast.yaml'));
    assert.equal(findConfigFile({ XDG_CONFIG_HOME: join(home, '.config') }), join(user, 'holdfast.yaml'));
    writeFileSync('holdfast.yaml', '');
    assert.equal(findConfigFile({ HOME: home }), 'holdfast.yaml');
  });

  test('does not say that there is none where this user may not look', (context) => {
    const closed = mkdtempSync(join(tmpdir(), 'holdfast-closed-'));
    chmodSync(closed, 0o000);
    process.chdir('/');
    const wasRoot = process.geteuid?.() === 0;
    if (wasRoot) process.seteuid?.(65534);
    context.after(() => {
      if (wasRoot) process.seteuid?.(0);
      process.chdir(here);
      rmSync(closed, { recursive: true });
    });
    assert.throws(
      () => findConfigFile({ XDG_CONFIG_HOME: closed }),
      /This user may not look at .*holdfast-closed/,
    );
  });
});
