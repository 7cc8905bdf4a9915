import { type Pool, ZfsError } from './pool.js';

/** The commands of zfs that our code gives, on a model pool. What it does not know is a mistake of the code under test. */
export function execute(pool: Pool, words: readonly string[], approved = false): void {
  const [verb, ...rest] = words;
  if (approved && verb === 'rollback' && rest.length === 1) {
    pool.rollbackToNewest(rest[0] ?? '');
    return;
  }
  // Those of others go with what they mark.
  if (approved && verb === 'destroy' && rest[0]?.includes('#')) {
    const [owner = '', name] = rest[0].split('#');
    const dataset = pool.dataset(owner);
    dataset.bookmarks = dataset.bookmarks.filter((one) => one.name !== name);
    return;
  }
  const forbidden = words.some((word) => /^-[a-zA-Z]*[FrR]/.test(word));
  if (forbidden || verb === 'rollback') throw new Error(`never without an approval: zfs ${words.join(' ')}`);
  const command = commands[verb ?? ''];
  if (!command) throw new Error(`the model knows no zfs ${words.join(' ')}`);
  command(pool, rest);
}

const commands: Record<string, (pool: Pool, rest: string[]) => void> = {
  bookmark(pool, [from = '', cursor = '']) {
    const [owner = '', name = ''] = cursor.split('#');
    const dataset = pool.dataset(owner);
    const origin = from.includes('@')
      ? pool.snapshot(from).snapshot
      : dataset.bookmarks.find((one) => `${owner}#${one.name}` === from);
    if (!origin) throw new ZfsError(`cannot create bookmark '${cursor}': bookmark '${from}' does not exist`);
    if (dataset.bookmarks.some((one) => one.name === name))
      throw new ZfsError(`cannot create bookmark '${cursor}': bookmark exists`);
    dataset.bookmarks.push({ name, guid: origin.guid, txg: origin.txg });
  },
  destroy(pool, [what = '']) {
    const [owner = '', name] = what.split('#');
    if (name === undefined)
      throw new Error(`replication destroys nothing but bookmarks: zfs destroy ${what}`);
    const dataset = pool.dataset(owner);
    const index = dataset.bookmarks.findIndex((one) => one.name === name);
    if (index === -1) throw new ZfsError(`bookmark '${what}' does not exist.`);
    if (!name.startsWith('holdfast_')) throw new Error(`not ours: zfs destroy ${what}`);
    dataset.bookmarks.splice(index, 1);
  },
  hold(pool, [tag = '', full = '']) {
    const { snapshot } = pool.snapshot(full);
    if (snapshot.holds.has(tag))
      throw new ZfsError(`cannot hold snapshot '${full}': tag already exists on this dataset`);
    snapshot.holds.add(tag);
  },
  release(pool, [tag = '', full = '']) {
    const { snapshot } = pool.snapshot(full);
    if (!tag.startsWith('holdfast_')) throw new Error(`not ours: zfs release ${tag} ${full}`);
    if (!snapshot.holds.delete(tag))
      throw new ZfsError(`cannot release hold from snapshot '${full}': no such tag on this dataset`);
  },
  rename: (pool, [from = '', to = '']) => pool.rename(from, to),
  receive(pool, [flag, name = '']) {
    if (flag !== '-A') throw new Error('a receive needs a stream');
    const dataset = pool.dataset(name);
    if (!dataset.partial) throw new ZfsError(`'${name}' does not have any resumable receive state to abort`);
    if (dataset.partial.initial) pool.datasets.delete(name);
    dataset.partial = undefined;
  },
};
