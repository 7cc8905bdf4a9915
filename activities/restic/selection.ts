import { posix } from 'node:path';
import { HoldfastError } from '../../contracts/errors.js';

/** Which nodes of a copy a restore takes. Pure, and fed node by node: a listing may have millions. */

export interface Selection {
  /** Absolute in the copy; the root alone when everything is wanted. */
  wanted: readonly string[];
  whole: boolean;
  /** To be called for every node, in any order. */
  see(path: string): boolean;
  /** Throws for the first wanted path that no node had. */
  checkAllSeen(): void;
}

/** `paths` are relative to the resource, whose folder in the copy is `root`. */
export function selectPaths(root: string, paths: readonly string[], what: string): Selection {
  const wanted = paths.map((path) => absolutePath(root, path)).filter((path) => path !== root);
  const whole = wanted.length === 0 || wanted.length < paths.length;
  const roots = whole ? [root] : [...new Set(wanted)];
  const ancestors = new Set(roots.flatMap(ancestorsOf));
  // No listing names the root itself.
  const seen = new Set<string>(['/']);
  return {
    wanted: roots,
    whole,
    see(path) {
      if (ancestors.has(path)) seen.add(path);
      return roots.some((wish) => isWithin(path, wish));
    },
    checkAllSeen() {
      const missing = roots.find((wish) => !seen.has(wish));
      if (missing === undefined) return;
      const nearest = ancestorsOf(missing).findLast((path) => seen.has(path)) ?? root;
      const inResource = (path: string) => posix.relative(root, path) || '.';
      throw new HoldfastError(
        'HF_PATH_NOT_FOUND',
        `The copy of ${what} does not hold "${inResource(missing)}"; the nearest folder that it holds is "${inResource(nearest)}"`.slice(
          0,
          300,
        ),
      );
    },
  };
}

/** Whether a path is another one or lies below it. */
export const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);

function absolutePath(root: string, path: string): string {
  const joined = posix.join(root, path).replace(/(?<=.)\/+$/, '');
  if (!path.startsWith('/') && !path.includes('\0') && isWithin(joined, root)) return joined;
  throw new HoldfastError(
    'HF_PATH_NOT_FOUND',
    `"${path}" is not a path inside the resource: give it relative to the resource's folder, for example 2024/`,
  );
}

/** "/a/b" -> "/", "/a", "/a/b". */
function ancestorsOf(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)];
}
