import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HoldfastError } from '../../contracts/errors.js';
import { localHost } from '../../system/local-host.js';
import { redact } from '../../system/redact.js';
import { resolvePassword, resolveSecret } from '../../system/secrets.js';
import { temporaryFolder } from '../support/temp.js';

const host = () => localHost({ name: 'nas', stateFolder: temporaryFolder() });

const unavailable = (words: RegExp, never: RegExp) => (error: unknown) => {
  assert(error instanceof HoldfastError);
  assert.equal(error.code, 'HF_SECRET_UNAVAILABLE');
  assert.match(error.message, words);
  assert.doesNotMatch(error.message, never);
  return true;
};

test('a secret is what a file holds or a program prints, without the last line break', async () => {
  const file = join(temporaryFolder(), 'a key');
  writeFileSync(file, ' two words \n\n');
  assert.equal(await resolveSecret(host(), { file }), ' two words \n');
  assert.equal(await resolveSecret(host(), { command: ['printf', 'from a program\\n'] }), 'from a program');
});

test('a password is read as restic reads it: without blanks and line breaks around it, and is blanked out so', async () => {
  const file = join(temporaryFolder(), 'a key');
  writeFileSync(file, '\t two words of it \r\n\n');
  assert.equal(await resolvePassword(host(), { file }), 'two words of it');
  assert.equal(redact('so: "two words of it".'), 'so: "***".');
  assert.equal(await resolvePassword(host(), { command: ['printf', ' x y\n\n'] }), 'x y');
  process.env.HOLDFAST_TEST_PASSWORD = ' with blanks ';
  assert.equal(await resolvePassword(host(), { env: 'HOLDFAST_TEST_PASSWORD' }), ' with blanks ');
  writeFileSync(file, ' \n\n');
  await assert.rejects(resolvePassword(host(), { file }), unavailable(/nothing but blanks/, /x y/));
});

test('a program that waits for somebody is ended and told, without its arguments', async () => {
  const command = ['sh', '-c', 'sleep 60 # a hidden word'];
  await assert.rejects(
    resolveSecret(host(), { command }, 200),
    unavailable(/The command "sh".*no answer within 0.2 s/, /hidden/),
  );
});

test('a program that prints half a secret and fails shows neither it nor its arguments', async () => {
  const script = 'echo the-secret-itself; echo "cannot open the-secret-itself" >&2; exit 2';
  await assert.rejects(
    resolveSecret(host(), { command: ['sh', '-c', script] }),
    unavailable(/failed with 2: cannot open \*\*\*/, /secret-itself/),
  );
});
