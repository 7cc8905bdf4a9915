/** Patterns of files that do not count. Pure. */

const escaped = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');

/** `*` stands for any part of a name, `**` for any depth. */
const formOf = (pattern: string): string =>
  pattern
    .split(/(\*\*\/|\*\*|\*)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      return part === '*' ? '[^/]*' : escaped(part);
    })
    .join('');

/** Whether a file, relative to its disk, is left out. Without a slash the pattern is of the name alone. */
export function ignoring(patterns: readonly string[]): (path: string) => boolean {
  const forms = patterns.map((pattern) => {
    const inner = formOf(pattern.replace(/^\//, ''));
    return new RegExp(pattern.includes('/') ? `^${inner}$` : `^(?:.*/)?${inner}$`, 's');
  });
  return (path) => forms.some((form) => form.test(path));
}
