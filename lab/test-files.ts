import { existsSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { repositoryRoot } from '../test/support/root.js';

export type Selection = 'default' | 'fast' | 'full';

const sourceOf = (compiled: string): string => join(repositoryRoot, 'test', compiled.replace(/\.js$/, '.ts'));

/** All compiled test files, relative to dist/test; what remains in dist of a test that was removed is left out. */
export function allTestFiles(): string[] {
  return readdirSync(join(repositoryRoot, 'dist/test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.js') && existsSync(sourceOf(path)))
    .sort();
}

const isFull = (path: string): boolean => path.endsWith('.full.test.js');
const needsServer = (path: string): boolean => path.endsWith('.server.test.js');
const isHard = (path: string): boolean => ['chaos', 'platform'].includes(path.split(sep)[0] ?? '');

/** What a run takes; the rest is what it must say that it left out. */
export function select(paths: readonly string[], selection: Selection): string[] {
  if (selection === 'full') return [...paths];
  if (selection === 'default') return paths.filter((path) => !isFull(path));
  return paths.filter((path) => !isFull(path) && !needsServer(path) && !isHard(path));
}

/** In the order in which test:full runs them: what breaks most is known first. */
export function byHardness(paths: readonly string[]): { hard: string[]; server: string[]; rest: string[] } {
  const hard = paths.filter((path) => isHard(path) || isFull(path));
  const server = paths.filter((path) => needsServer(path) && !hard.includes(path));
  return { hard, server, rest: paths.filter((path) => !hard.includes(path) && !server.includes(path)) };
}
