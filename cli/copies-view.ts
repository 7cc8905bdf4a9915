import type { KnownCopy, StoreCopies } from '../contracts/copies.js';
import type { Context } from './context.js';
import { shortId } from './plan-view.js';
import { printable } from './printable.js';
import { bytes, table } from './render.js';
import { age, localTime, localZone } from './time.js';

/** What a store answered, and the restore that keeps its retention waiting. */
export interface CopiesAnswer extends StoreCopies {
  heldBy?: string;
}

/** The copies of all stores, newest first, and below them what could not be asked or was left off. */
export function copiesLines(context: Context, stores: readonly CopiesAnswer[]): string[] {
  const rows = stores.flatMap(({ store, copies }) => copies.map((copy) => ({ store, copy })));
  rows.sort(
    (a, b) =>
      a.copy.resource.localeCompare(b.copy.resource) ||
      Date.parse(b.copy.restorePoint) - Date.parse(a.copy.restorePoint),
  );
  const unread = stores.flatMap(({ store, error }) =>
    error ? [printable(`store ${store} was not read: ${error.message}`)] : [],
  );
  const left = stores.flatMap(({ store, more }) =>
    more > 0 ? [`store ${store}: ${more} older copies are not shown (--limit)`] : [],
  );
  const held = stores.flatMap(({ store, heldBy }) =>
    heldBy ? [`store ${store}: retention waits for the restore ${heldBy}`] : [],
  );
  const all = rows.length > 0 ? [copiesTable(context, rows)] : ['No copies.'];
  return [...(rows.length === 0 && unread.length === stores.length ? [] : all), ...unread, ...held, ...left];
}

function copiesTable(context: Context, rows: readonly { store: string; copy: KnownCopy }[]): string {
  const now = context.now().getTime();
  return table(
    context,
    ['resource', 'store', 'snapshot', `of (${localZone()})`, 'age', 'files', 'size', 'proof', 'held', 'run'],
    rows.map(({ store, copy }) => [
      copy.resource,
      store,
      shortId(copy.snapshot),
      localTime(new Date(copy.restorePoint)),
      age(now - Date.parse(copy.restorePoint)),
      copy.files === undefined ? '?' : String(copy.files),
      copy.bytes === undefined ? '?' : bytes(copy.bytes),
      proofWords(context, copy, now),
      copy.held ? 'held' : '',
      copy.run,
    ]),
  );
}

/** Green only for what was proved. */
function proofWords(
  { colours }: Context,
  { isPart, proof, provedAt, provedBy, madeBy }: KnownCopy,
  now: number,
): string {
  if (madeBy !== undefined) return colours.yellow(`made by ${madeBy}, ${proof}`);
  if (isPart) return colours.yellow('part of the first upload');
  if (proof === 'refused') return colours.red('refused');
  if (proof !== 'proved' || provedAt === undefined) return colours.yellow(proof);
  const how = provedBy === 'restore' ? 'restored' : 'proved';
  return colours.green(`${how} ${age(now - Date.parse(provedAt))} ago`);
}
