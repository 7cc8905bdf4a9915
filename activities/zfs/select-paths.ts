import { meaningOf, patternOf } from '../../contracts/dataset-patterns.js';
import type { Selection } from './select.js';

/** Which datasets of a tree a replication means, by their names below the root. The root always travels. Pure. */

export interface PathSelector {
  /** Left out, with all below it. */
  excludes(below: string): boolean;
  /** Not meant itself: it travels only where something that is meant lies below it, because a replica hangs below its parent. */
  onlyLeads(below: string): boolean;
}

export function pathSelector(selection: Selection): PathSelector {
  const isMeant = meaningOf(selection);
  const isMeantWithoutInclude = meaningOf({ ...selection, include: [] });
  const leads = selection.include.map(leadOf);
  const onlyLeads = (below: string): boolean => below !== '' && !isMeant(below);
  return {
    onlyLeads,
    excludes(below) {
      if (!onlyLeads(below)) return false;
      return !isMeantWithoutInclude(below) || !leads.some((leadsTo) => leadsTo(below.split('/')));
    },
  };
}

/** Whether something that a pattern takes may lie below a name. What goes through any depth may lie anywhere. */
function leadOf(pattern: string): (names: readonly string[]) => boolean {
  const parts = pattern.split('/');
  const deep = parts.findIndex((part) => part.includes('**'));
  const forms = (deep === -1 ? parts : parts.slice(0, deep)).map(patternOf);
  return (names) =>
    names.slice(0, forms.length).every((name, at) => forms[at]?.test(name)) &&
    (deep !== -1 || names.length < parts.length);
}
