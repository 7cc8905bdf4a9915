import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { scriptFor } from '../../cli/completion/script.js';
import { onPath } from '../../lab/places.js';
import { oddName, writeOddNames } from '../support/odd-names.js';
import { repositoryRoot } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';
import { openTerminal } from '../support/terminal.js';

/** The scripts in real shells, with a real Tab where only that shows it. */

const folder = temporaryFolder('completion');
const programs = join(folder, 'bin');
mkdirSync(programs);
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const main = join(repositoryRoot, 'bin/holdfast.js');
writeFileSync(
  join(programs, 'holdfast'),
  `#!/bin/sh\nexec ${quoted(process.execPath)} ${quoted(main)} "$@"\n`,
  {
    mode: 0o755,
  },
);

const { trap } = writeOddNames(folder);

const env = {
  ...process.env,
  PATH: `${programs}:${process.env.PATH}`,
  HOME: folder,
  TERM: 'dumb',
  LC_ALL: 'C.UTF-8',
};
interface Asked {
  /** What stands before the cursor, the last word being the unfinished one. */
  words: string[];
  offers: string[];
}
const asked: Asked[] = [
  { words: ['resto'], offers: ['restore'] },
  { words: ['run', ''], offers: ['everything', 'photos-offsite'] },
  { words: ['run', 'pho'], offers: ['photos-offsite'] },
  { words: ['run', 'photos-offsite', '--fo'], offers: ['--follow'] },
  { words: ['--config', oddName, 'init-store', ''], offers: ['b2-photos', 'usb'] },
  { words: ['init-store', '--host', 'n'], offers: ['nas'] },
  { words: ['restore', 'everything/'], offers: ['everything/notes', 'everything/photos'] },
  { words: ['restore', 'everything', '--to', ''], offers: ['attic:', 'nas:'] },
  { words: ['explain', 'HF_WRONG'], offers: ['HF_WRONG_PASSWORD'] },
  { words: ['completion', ''], offers: ['bash', 'fish', 'zsh'] },
  { words: ['help', 'init-s'], offers: ['init-store'] },
  { words: ['--config', 'broken.yaml', 'run', ''], offers: [] },
  { words: ['run', '--only', ''], offers: [] },
];
const words = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .sort();
const script = (shell: string) => {
  const file = join(folder, `completion.${shell}`);
  writeFileSync(file, scriptFor(shell) ?? '');
  return file;
};
const sh = (file: string, args: string[]) =>
  spawnSync(file, args, { cwd: folder, env, encoding: 'utf8', timeout: 60_000 });
const shellNeeded = (shell: string) => (onPath(shell) ? false : `needs ${shell}: apt-get install ${shell}`);

describe('bash', { skip: shellNeeded('bash') }, () => {
  const file = script('bash');
  const ask = (typed: readonly string[]) =>
    sh('bash', [
      '--norc',
      '-c',
      `source ${quoted(file)}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _holdfast; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      'holdfast',
      ...typed,
    ]);

  for (const { words: typed, offers: expected } of asked)
    test(`offers ${expected.join(', ') || 'nothing'} for ${typed.join(' ')}`, () => {
      const escaped = typed.map((word) => (word === oddName ? quoted(word) : word));
      const { stdout, stderr } = ask(escaped);
      assert.deepEqual(words(stdout), expected);
      assert.equal(stderr, '');
    });

  test('takes nas:/tmp for one value, though bash takes it for three', () => {
    assert.deepEqual(words(ask(['restore', '--to', 'nas', ':', '/t']).stdout), []);
    assert.deepEqual(words(ask(['restore', '--to', 'nas', ':', '/tmp', 'photos']).stdout), [
      'photos-offsite',
    ]);
    assert.deepEqual(words(ask(['--config', '=', 'holdfast.yaml', 'run', 'e']).stdout), ['everything']);
  });

  test('offers files with odd names where a file is wanted', () => {
    assert.deepEqual(words(ask(['--config', 'it']).stdout), [oddName]);
  });

  test('completes at a real Tab', { skip: shellNeeded('script') }, async () => {
    const terminal = openTerminal('bash --norc -i', { cwd: folder, env });
    terminal.type(`source ${quoted(file)}; echo re""ady\n`);
    await terminal.until(/^ready$/m);
    terminal.type('holdfast run pho\t');
    await terminal.until(/run photos-offsite /);
    terminal.type('--fol\t');
    await terminal.until(/--follow /);
    terminal.end();
  });
});

describe('zsh', { skip: shellNeeded('zsh') || shellNeeded('script') }, () => {
  const file = script('zsh');
  for (const [typed, seen] of [
    ['holdfast rest\t', /restore /],
    ['holdfast run pho\t', /photos-offsite /],
    ['holdfast run photos-offsite --fol\t', /--follow /],
    [`holdfast --config ${quoted(oddName)} init-store u\t`, /init-store usb /],
    ['holdfast --config=holdfast.yaml restore --to=at\t', /--to=attic:/],
    ['holdfast explain HF_WRONG\t', /HF_WRONG_PASSWORD/],
  ] as const)
    test(`completes ${JSON.stringify(typed)} at a real Tab`, async () => {
      const terminal = openTerminal('zsh -f -i', { cwd: folder, env });
      terminal.type(`autoload -Uz compinit; compinit -u -D; source ${quoted(file)}; echo re""ady\n`);
      await terminal.until(/^ready$/m);
      terminal.type(typed);
      await terminal.until(seen);
      terminal.end();
      assert.doesNotMatch(terminal.screen(), /command not found|parse error|bad /);
    });

  test('offers nothing and says nothing when the configuration is broken', async () => {
    const terminal = openTerminal('zsh -f -i', { cwd: folder, env });
    terminal.type(`autoload -Uz compinit; compinit -u -D; source ${quoted(file)}; echo re""ady\n`);
    await terminal.until(/^ready$/m);
    terminal.type('holdfast --config broken.yaml run x\t\u0015echo do""ne\n');
    const shown = await terminal.until(/^done$/m);
    terminal.end();
    assert.doesNotMatch(shown, /rror|YAML|not found/);
  });
});

describe('fish', { skip: shellNeeded('fish') }, () => {
  const file = script('fish');
  const fishQuoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;
  for (const { words: typed, offers: expected } of asked)
    test(`offers ${expected.join(', ') || 'nothing'} for ${typed.join(' ')}`, () => {
      const line = ['holdfast', ...typed]
        .map((word) => (word === oddName ? fishQuoted(word) : word))
        .join(' ');
      const { stdout, stderr } = sh('fish', [
        '--no-config',
        '-c',
        `source ${fishQuoted(file)}; complete -C ${fishQuoted(line)}`,
      ]);
      const found = stdout.split('\n').map((offer) => offer.split('\t')[0] ?? '');
      assert.deepEqual(words(found.join('\n')), expected);
      assert.equal(stderr, '');
    });
});

test('no shell ran what stands in a configuration or in the name of one', () => {
  assert.ok(!existsSync(trap));
  assert.ok(!existsSync(join(folder, 'x')));
});
