import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** What is loaded before a command runs: the static imports of the compiled entry, and theirs. */
export function loadedAtStart(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (!file.startsWith('/')) return seen;
  assert.ok(existsSync(file), `${file} is not built`);
  for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export)\b[^;=]*?['"]([^'"]+)['"];/gm,
  ))
    loadedAtStart(target.startsWith('.') ? resolve(dirname(file), target) : target, seen);
  return seen;
}

/** Of these, what is neither ours nor node's. */
export const packagesLoadedAtStart = (file: string): string[] =>
  [...loadedAtStart(file)].filter((name) => !name.startsWith('/') && !name.startsWith('node:'));
