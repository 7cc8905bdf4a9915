import { patched } from '@temporalio/workflow';
import { each, sideBySide } from './each.js';

/** Stores are worked on at the same time, as far as the host has slots: one that is away for hours does not keep the others waiting. */
export const eachStore = <R>(stores: string[], body: (store: string) => Promise<R>): Promise<R[]> =>
  areSideBySide(stores) ? sideBySide(stores, body) : each(stores, body);

/** Runs that began before this was so go on as they began. */
export const areSideBySide = (stores: string[]): boolean =>
  stores.length > 1 && patched('stores-side-by-side');
