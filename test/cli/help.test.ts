import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { commands } from '../../cli/commands.js';
import { buildProgram } from '../../cli/program.js';
import { renderCommandReference } from '../../cli/reference.js';
import { repositoryRoot } from '../support/root.js';

/** The text that --help prints in a terminal of 80 columns. */
async function helpOf(...argv: string[]): Promise<string> {
  let text = '';
  const program = buildProgram(commands, '0.0.0', () => undefined);
  for (const parser of [program, ...program.commands])
    parser.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80 });
  await program.parseAsync(argv, { from: 'user' }).catch(() => undefined);
  return text;
}

const commonWords = new Set(['a', 'the', 'of', 'in', 'what', 'and', 'or', 'it', 'all', 'one', 'to']);
const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '' && !commonWords.has(word));

describe('help', () => {
  for (const command of commands) {
    test(`${command.name} --help shows its summary and every example`, async () => {
      const help = (await helpOf(command.name, '--help')).replace(/\s+/g, ' ');
      assert.ok(help.includes(command.summary), help);
      for (const { line, shows } of command.examples) {
        assert.ok(help.includes(line), `${line} is missing`);
        assert.ok(help.includes(shows), `${shows} is missing`);
        assert.match(line, new RegExp(`^holdfast ${command.name}( |$)`));
      }
    });

    test(`the summary of ${command.name} says more than its name`, () => {
      const own = wordsOf(command.name);
      const others = wordsOf(command.summary).filter((word) => !own.includes(word));
      assert.ok(others.length >= 4, command.summary);
      assert.doesNotMatch(command.summary, /\.$/, 'a summary is no sentence with a full stop');
    });

    test(`the examples of ${command.name} use only options that it has`, () => {
      const known = [
        ...(command.options ?? []).map(({ flags }) => flags.split(' ')[0]),
        '--json',
        '--config',
      ];
      const used = command.examples.flatMap(({ line }) => line.match(/ --[a-z-]+/g) ?? []);
      assert.deepEqual(
        used.map((flag) => flag.trim()).filter((flag) => !known.includes(flag)),
        [],
      );
      if (used.includes(' --json')) assert.equal(command.json, true);
    });
  }

  test('of the whole program is the golden page', async () => {
    const file = join(repositoryRoot, 'test/golden/cli/help.txt');
    const help = await helpOf('--help');
    if (process.env.HOLDFAST_UPDATE_GOLDEN) writeFileSync(file, help);
    assert.equal(help, readFileSync(file, 'utf8'), 'HOLDFAST_UPDATE_GOLDEN=1 writes it anew');
  });

  test('no two commands have one name', () => {
    assert.equal(new Set(commands.map(({ name }) => name)).size, commands.length);
  });
});

test('docs/reference/commands.md is what the table of commands makes of it', () => {
  const page = readFileSync(join(repositoryRoot, 'docs/reference/commands.md'), 'utf8');
  assert.equal(page, renderCommandReference(), 'run "node dist/cli/generate.js" and commit what it wrote');
});
