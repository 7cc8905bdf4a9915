/** Which datasets below its own a resource means, by its patterns. Pure. */

interface Patterns {
  recursive: boolean;
  include: readonly string[];
  exclude: readonly string[];
}

/** Whether a path below the root is meant. A pattern takes a dataset with all below it. The root itself is meant unless `include` names only some of what lies below. */
export function meaningOf({ recursive, ...patterns }: Patterns): (path: string) => boolean {
  const included = patterns.include.map(patternOf);
  const excluded = patterns.exclude.map(patternOf);
  return (path) => {
    if (path === '') return included.length === 0;
    if (!recursive || excluded.some((pattern) => pattern.test(path))) return false;
    return included.length === 0 || included.some((pattern) => pattern.test(path));
  };
}

/** `*` and `?` stay within one name, `**` goes through any depth; everything else stands for itself. */
export function patternOf(pattern: string): RegExp {
  const body = pattern.replace(/\*\*\/?|[*?]|[.+^${}()|[\]\\]/g, (part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : `\\${part}`;
  });
  return new RegExp(`^${body}(?:/.*)?$`, 's');
}
