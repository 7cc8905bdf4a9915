import { type Selection, selectDatasets } from './select.js';
import type { Dataset } from './types.js';

/**
 * Whether a dataset is left out of a replication, by its name below the root. What leads to a dataset that is meant travels with it:
 * a replica can only hang below its parent.
 */
export function pathSelector(selection: Selection): (below: string) => boolean {
  const root = selection.dataset;
  const isMeant = (below: string): boolean => {
    const name = below === '' ? root : `${root}/${below}`;
    const one = new Map([[name, { name } as Dataset]]);
    return selectDatasets(one, selection).datasets.length > 0;
  };
  const leads = selection.include.map((pattern) => pattern.split('/'));
  return (below) => {
    if (isMeant(below)) return false;
    if (below === '') return false;
    if (selection.include.length === 0 || !selection.recursive) return true;
    if (!isMeantWithout(selection, below)) return true;
    const depth = below.split('/').length;
    return !leads.some((parts) => parts.length > depth || parts.includes('**'));
  };
}

/** Not left out by `exclude`. */
const isMeantWithout = (selection: Selection, below: string): boolean => {
  const name = `${selection.dataset}/${below}`;
  const all = { ...selection, include: [] };
  return selectDatasets(new Map([[name, { name } as Dataset]]), all).datasets.length > 0;
};
