import type { Dataset, Listing } from './types.js';

/** Which datasets of a tree a resource means. Pure. */

export interface Selection {
  dataset: string;
  recursive: boolean;
  /** Relative to the dataset; none means everything below it. */
  include: readonly string[];
  exclude: readonly string[];
}

export interface Selected {
  /** Parents before children. */
  datasets: Dataset[];
  /** Nothing at or below the root was left out. */
  whole: boolean;
}

/** A pattern takes a dataset with all below it. The root itself is meant unless `include` names only some of what lies below. */
export function selectDatasets(listing: Listing, selection: Selection): Selected {
  const { dataset: root, recursive } = selection;
  const included = selection.include.map(patternOf);
  const excluded = selection.exclude.map(patternOf);
  const tree = [...listing.values()].filter(({ name }) => name === root || isBelow(name, root));
  const datasets = tree.filter(({ name }) => {
    const path = name.slice(root.length + 1);
    if (path === '') return included.length === 0;
    if (!recursive || excluded.some((pattern) => pattern.test(path))) return false;
    return included.length === 0 || included.some((pattern) => pattern.test(path));
  });
  return { datasets, whole: datasets.length === tree.length };
}

/** Whether a dataset lies below another one; not itself. */
export const isBelow = (name: string, root: string): boolean => name.startsWith(`${root}/`);

/** `*` and `?` stay within one name, `**` goes through any depth; everything else stands for itself. */
function patternOf(pattern: string): RegExp {
  const body = pattern.replace(/\*\*\/?|[*?]|[.+^${}()|[\]\\]/g, (part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : `\\${part}`;
  });
  return new RegExp(`^${body}(?:/.*)?$`, 's');
}
