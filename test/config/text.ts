import assert from 'node:assert/strict';
import { parseConfig } from '../../config/load.js';
import { renderMistake } from '../../config/mistakes.js';
import type { Config } from '../../config/schema.js';

/** A small right configuration, section by section, for tests that change one thing in it. */
export const parts = {
  hosts: 'hosts:\n  nas: {}\n',
  resources: 'resources:\n  photos: { host: nas, directory: /srv/photos }\n',
  stores:
    'stores:\n  b2: { restic: { repository: "s3:https://s3.example.com/photos", password: { file: /etc/holdfast/b2.key } } }\n',
  jobs: 'jobs:\n  photos:\n    kind: restic-backup\n    resources: [photos]\n    store: b2\n',
};

/** The text of it, with sections replaced and lines added to the job at its end. */
export const textWith = (changes: Partial<typeof parts> = {}, jobLines: readonly string[] = []): string =>
  Object.values({ ...parts, ...changes }).join('') + jobLines.map((line) => `    ${line}\n`).join('');

export const mistakesIn = (text: string): string[] =>
  parseConfig(text, 'test.yaml').mistakes.map(renderMistake);

/** Fails when there are mistakes, so that a test for warnings is not one for nonsense. */
export function warningsIn(text: string): string[] {
  const { mistakes, warnings } = parseConfig(text, 'test.yaml');
  assert.deepEqual(mistakes.map(renderMistake), []);
  return warnings.map(renderMistake);
}

export function configOf(text: string): Config {
  const { config, mistakes } = parseConfig(text, 'test.yaml');
  assert.ok(config, mistakes.map(renderMistake).join('\n'));
  return config;
}
