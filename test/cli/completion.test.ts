import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { commands } from '../../cli/commands.js';
import { completionsOf } from '../../cli/completion/model.js';
import { scriptFor } from '../../cli/completion/script.js';
import { unquote } from '../../cli/completion/unquote.js';
import { type NameKind, namesInText } from '../../config/names-in-file.js';
import { writeOddNames } from '../support/odd-names.js';
import { repositoryRoot } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';
import { holdfast } from './command-line.js';
import { packagesLoadedAtStart } from './loaded-at-start.js';

const folder = temporaryFolder('completion');
const { configuration } = writeOddNames(folder);
writeFileSync(join(folder, 'binary.yaml'), Buffer.from([0xff, 0xfe, 0, 1, 2]));

const offers = (text: string, kind: NameKind) => namesInText(text, kind);

describe('names for completion', () => {
  test('are those of the file that can be names, and nothing else in it', () => {
    assert.deepEqual(offers(configuration, 'jobs'), ['photos-offsite', 'everything']);
    assert.deepEqual(offers(configuration, 'hosts'), ['nas', 'attic']);
    assert.deepEqual(offers(configuration, 'host-folders'), ['nas:', 'attic:']);
    assert.deepEqual(offers(configuration, 'job-resources'), [
      'photos-offsite',
      'everything',
      'everything/photos',
      'everything/notes',
    ]);
  });

  for (const text of [
    '',
    'jobs',
    '[]',
    'jobs: []',
    'jobs: 3',
    'jobs: {a',
    '*x',
    'a: &a [*a, *a]',
    '{'.repeat(9000),
  ])
    test(`are none in ${JSON.stringify(text.slice(0, 20))}`, () =>
      assert.deepEqual(offers(text, 'jobs'), []));

  for (const file of ['broken.yaml', 'binary.yaml', 'none.yaml', '.', '/dev/zero', '/proc/self/mem'])
    test(`are none, without a word, for ${file}`, async () => {
      const ended = await holdfast([
        'complete',
        'jobs',
        '--config',
        file === '/dev/zero' ? file : join(folder, file),
      ]);
      assert.deepEqual(ended, { exit: 0, out: '', notes: '' });
    });

  test('are none for a kind that does not exist', async () => {
    const ended = await holdfast(['complete', '__proto__'], { config: join(folder, 'holdfast.yaml') });
    assert.deepEqual(ended, { exit: 0, out: '', notes: '' });
  });

  test('need neither the engine nor the checking of a configuration', () => {
    const loaded = ['main', 'commands/complete', '../config/names-in-file', '../config/find-file'].flatMap(
      (file) => packagesLoadedAtStart(join(repositoryRoot, 'dist/cli', `${file}.js`)),
    );
    assert.deepEqual([...new Set(loaded)].sort(), ['commander', 'picocolors', 'yaml']);
  });
});

test('a word of the command line is read without its quotes, and nothing in it is run', () => {
  for (const [word, text] of [
    [`'it'\\''s'`, "it's"],
    ['a\\ b', 'a b'],
    ['"a b', 'a b'],
    ['"\\$x \\"y\\""', '$x "y"'],
    ['$(touch x)', '$(touch x)'],
    ['', ''],
    ['plain', 'plain'],
  ] as const)
    assert.equal(unquote(word), text);
});

test('every command and every option of the table can be completed in every shell', () => {
  const { commands: known } = completionsOf(commands, []);
  for (const shell of ['bash', 'zsh', 'fish']) {
    const script = scriptFor(shell) ?? '';
    for (const { name, options } of known) {
      assert.ok(script.includes(name), `${shell}: ${name}`);
      for (const flag of options.flatMap(({ names }) => names))
        assert.ok(
          script.includes(shell === 'fish' ? `-l ${flag.slice(2)}` : flag),
          `${shell}: ${name} ${flag}`,
        );
    }
    assert.doesNotMatch(script, /\beval\b/);
    assert.ok(!script.includes("'complete'") && !script.includes('-a complete'), 'what is hidden stays so');
  }
});

test('another shell ends with 2', async () => {
  const { exit, notes } = await holdfast(['completion', 'tcsh']);
  assert.equal(exit, 2);
  assert.match(notes, /bash, zsh and fish/);
});
