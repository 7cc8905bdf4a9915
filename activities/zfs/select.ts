import { meaningOf } from '../../contracts/dataset-patterns.js';
import { isAtOrBelow } from './dataset-names.js';
import type { Dataset, Listing } from './types.js';

/** Which datasets of a tree a resource means. Pure. */

export interface Selection {
  dataset: string;
  recursive: boolean;
  /** Relative to the dataset; none means everything below it. */
  include: readonly string[];
  exclude: readonly string[];
  /** With what leads to them: a replica can only hang below its parent. */
  onTheWay?: boolean;
}

export interface Selected {
  /** Parents before children. */
  datasets: Dataset[];
  /** Nothing at or below the root was left out. */
  whole: boolean;
}

export function selectDatasets(listing: Listing, selection: Selection): Selected {
  const { dataset: root, onTheWay } = selection;
  const isMeant = meaningOf(selection);
  const tree = [...listing.values()].filter(({ name }) => isAtOrBelow(name, root));
  const meant = tree.filter(({ name }) => isMeant(name.slice(root.length + 1)));
  const datasets = onTheWay ? withParents(meant, tree, root) : meant;
  return { datasets, whole: datasets.length === tree.length };
}

function withParents(meant: readonly Dataset[], tree: readonly Dataset[], root: string): Dataset[] {
  const names = leadingTo(
    meant.map(({ name }) => name),
    root,
  );
  const own = new Set(meant);
  return tree.filter((dataset) => own.has(dataset) || names.has(dataset.name));
}

/** Everything above some datasets, up to the root. */
export function leadingTo(names: readonly string[], root: string): ReadonlySet<string> {
  const above = new Set<string>();
  for (const name of names)
    for (let at = name; at.length > root.length; ) {
      at = at.slice(0, at.lastIndexOf('/'));
      if (above.has(at)) break;
      above.add(at);
    }
  return above;
}
