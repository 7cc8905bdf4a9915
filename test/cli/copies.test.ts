import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { askAll } from '../../cli/copies.js';
import type { ListCopiesInput, StoreCopies } from '../../contracts/copies.js';
import { HoldfastError } from '../../contracts/errors.js';

const question = (host: string, store: string): ListCopiesInput => ({
  host,
  stores: [{ store, resources: ['photos'] }],
  limit: 20,
});
const nas = question('nas', 'usb');
const grogu: ListCopiesInput = {
  ...question('grogu', 'vault'),
  datasets: [
    { job: 'hourly', resource: 'vms' },
    { job: 'copy', resource: 'vms', store: 'far' },
  ],
};
const answers = ({ stores }: ListCopiesInput): StoreCopies[] =>
  stores.map(({ store }) => ({ store, copies: [], more: 0 }));
const away = (host: string): HoldfastError =>
  new HoldfastError('HF_HOST_UNREACHABLE', `No worker of host ${host} answers`);

describe('copies that several hosts know', () => {
  test('are shown for those that answer, beside each store of the one that is away', async () => {
    const found = await askAll([grogu, nas], async (asked) => {
      if (asked.host === 'grogu') throw away('grogu');
      return answers(asked);
    });
    assert.deepEqual(
      found.map(({ store, error }) => [store, error?.code]),
      [
        ['vault', 'HF_HOST_UNREACHABLE'],
        ['snapshots of vms', 'HF_HOST_UNREACHABLE'],
        ['far', 'HF_HOST_UNREACHABLE'],
        ['usb', undefined],
      ],
    );
    assert.match(found[0]?.error?.message ?? '', /host grogu/);
  });

  test('are an error when no host answers, and when Temporal itself does not', async () => {
    const nobody = askAll([grogu, nas], ({ host }) => Promise.reject(away(host)));
    await assert.rejects(nobody, /host grogu/);
    const cut = askAll([grogu, nas], async (asked) => {
      if (asked.host === 'nas') throw Object.assign(new Error('gone'), { code: 14 });
      return answers(asked);
    });
    await assert.rejects(cut, /gone/);
  });
});
