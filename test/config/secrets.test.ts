import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseConfig } from '../../config/load.js';
import { renderMistake } from '../../config/mistakes.js';
import { textWith } from './text.js';

const secret = 'Tr0ub4dor_KEY';

/** Everything that a reader of the configuration could print. */
const saidAbout = (stores: string): string => {
  const { mistakes, warnings } = parseConfig(textWith({ stores: `stores:\n${stores}` }), 'test.yaml');
  return [...mistakes, ...warnings]
    .map((mistake) => `${renderMistake(mistake)} ${JSON.stringify(mistake)}`)
    .join('\n');
};
const password = (value: string): string =>
  `  b2:\n    restic:\n      repository: /mnt/usb\n      password: ${value}\n`;
const environment = (value: string): string => `${password('{ file: /key }')}      env: ${value}\n`;

describe('a secret in the wrong place is refused without being shown', () => {
  const places: [string, string][] = [
    ['as text', password(secret)],
    ['in quotes', password(`"${secret}"`)],
    ['in quotes that are not closed', password(`"${secret}`)],
    ['over several lines', password(`|\n        ${secret}\n        ${secret}`)],
    ['in braces', password(`{ ${secret} }`)],
    ['twice in braces', password(`{ ${secret}, ${secret} }`)],
    ['in brackets', password(`[${secret}]`)],
    ['as an unknown form', password(`{ value: ${secret} }`)],
    ['as a key of an unknown form', password(`{ ${secret}: value }`)],
    ['as a relative file', password(`{ file: ${secret} }`)],
    ['as a command line', password(`{ command: echo ${secret} }`)],
    ['as a variable with its value', password(`{ env: "PASSWORD=${secret}" }`)],
    ['as an alias', password(`*${secret}`)],
    ['behind a tag', password(`!${secret} x`)],
    ['behind an at sign', password(`@${secret}`)],
    ['behind a percent sign', password(`%${secret}`)],
    ['with a colon', password(`a: ${secret}`)],
    ['with a bad escape', password(`"\\q${secret}"`)],
    ['after quotes', password(`"x" ${secret}`)],
    ['after a bar', password(`|${secret}\n        x`)],
    ['in the environment as a shell line', environment(`{ "KEY=${secret}": x }`)],
    ['in the environment as a list', environment(`[ "KEY=${secret}" ]`)],
    ['in the environment without a name', environment(`{ ${secret} }`)],
    ['in the environment twice without a name', environment(`{ ${secret}, ${secret} }`)],
    ['in the environment as an unknown form', environment(`{ KEY: { value: ${secret} } }`)],
    ['in the environment as a key of an unknown form', environment(`{ KEY: { ${secret} } }`)],
    ['in the environment as plain text', environment(`{ AWS_SECRET_ACCESS_KEY: ${secret} }`)],
    ['in the environment of restic itself', environment(`{ RESTIC_PASSWORD: ${secret} }`)],
    ['below a misspelt key', environment(`{ "KEY=${secret}": x }`).replace('env:', 'envs:')],
    ['as text of a misspelt key', password(secret).replace('password', 'pasword')],
    ['in the address', password('{ file: /key }').replace('/mnt/usb', `rest:https://me:${secret}@nas:8000/`)],
  ];
  for (const [place, stores] of places) {
    test(place, () => {
      const said = saidAbout(stores);
      assert.ok(said.length > 0, 'it was accepted without a word');
      assert.ok(!said.includes(secret), said);
    });
  }
});

test('a reference is accepted in each of its three forms', () => {
  for (const form of ['{ file: /etc/key }', '{ env: KEY }', '{ command: [pass, show, "b2 key"] }']) {
    assert.equal(
      parseConfig(textWith({ stores: `stores:\n${password(form)}` }), 'test.yaml').mistakes.length,
      0,
      form,
    );
  }
});

test('text that is no secret may stand in the environment', () => {
  assert.ok(!saidAbout(environment('{ AWS_DEFAULT_REGION: eu-central-1 }')).includes('AWS_DEFAULT_REGION'));
});
