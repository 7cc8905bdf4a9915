import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { repositoryRoot } from '../support/root.js';
import { holdfast } from './command-line.js';

const examples = join(repositoryRoot, 'config/examples');
const invalid = join(examples, 'invalid');
const yamlIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.yaml'));

describe('holdfast check', () => {
  for (const name of yamlIn(examples)) {
    test(`counts what ${name} holds and ends with 0`, async () => {
      const { out, exit } = await holdfast(['check', '--config', join(examples, name)]);
      assert.match(out, /^\d+ jobs?, \d+ resources?, \d+ stores?, \d+ hosts?; no mistakes$/m);
      assert.equal(exit, 0);
    });
  }

  for (const name of yamlIn(invalid)) {
    test(`names every mistake of invalid/${name} with its place and ends with 2`, async () => {
      const { out, notes, exit } = await holdfast(['check', '--config', join(invalid, name)]);
      const expected = readFileSync(join(invalid, name.replace('.yaml', '.expected')), 'utf8').trimEnd();
      const lines = out.split('\n').filter((line) => !line.endsWith('(warning)'));
      assert.equal(lines.join('\n').replaceAll(`${invalid}/`, ''), expected);
      assert.match(notes, /\d+ mistakes? in /);
      assert.equal(exit, 2);
    });
  }

  test('gives mistakes as JSON with file, line and key', async () => {
    const { out, exit } = await holdfast([
      'check',
      '--json',
      '--config',
      join(invalid, 'unknown-names.yaml'),
    ]);
    const { mistakes } = JSON.parse(out);
    assert.equal(mistakes[0].line, 5);
    assert.equal(mistakes[0].key, 'resources.photos.host');
    assert.equal(exit, 2);
  });
});
