import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { boundedNote, sparsenessOf } from '../../activities/restic/sparse-handed.js';
import type { HandedSparseNote, SparseNote } from '../../contracts/sparseness.js';
import { localHost } from '../../system/local-host.js';
import { temporaryFolder } from '../support/temp.js';

const host = localHost({ name: 'attic', stateFolder: join(temporaryFolder('sparse'), 'state') });
const note: SparseNote = {
  run: 'vm-2026-11-20T03:30:00Z',
  files: [{ path: 'a disk.img', size: 2 ** 24, mtimeNs: '1', allocated: 0 }],
};
const told = (sparse: unknown) => sparsenessOf(host, { resource: 'vm', sparse: sparse as HandedSparseNote });

describe('a note of sparse files from the host of the source', () => {
  test('is compared with as if it had been made here, also with names that are no UTF-8', async () => {
    const odd = { ...note, files: [{ ...note.files[0], path: 'caf\udce9\n\u001b[31m/disk' }] };
    const wire = JSON.parse(JSON.stringify({ host: 'nas', answered: true, note: odd }));
    assert.deepEqual((await told(wire)).note, odd);
  });

  test('is missing in words that say why', async () => {
    const words = async (sparse: unknown): Promise<string> => {
      const { note: read, without } = await told(sparse);
      assert.equal(read, undefined);
      return without;
    };
    assert.equal(await words(undefined), 'this host noted no sparse files for this copy');
    assert.equal(await words({ host: 'nas', answered: false }), 'host nas does not answer');
    assert.equal(await words({ host: 'nas', answered: true }), 'host nas noted no sparse files');
    assert.equal(
      await words({ host: '\u001b[2J', answered: false }),
      'the host of the source does not answer',
    );
  });

  test('read from beside the copies is compared with, or missing in words of its own', async () => {
    const beside = { host: 'nas', isBeside: true };
    const read = await told({ ...beside, answered: true, note });
    assert.deepEqual(read, { note, without: 'the note beside the copies is of another copy' });
    const words = async (sparse: object): Promise<string> => {
      const answer = await told({ ...beside, ...sparse });
      assert.equal(answer.note, undefined);
      return answer.without;
    };
    assert.equal(await words({ answered: true }), 'no note of sparse files lies beside the copies');
    for (const broken of [{ answered: false }, { answered: true, note: null }, { answered: true, note: [] }])
      assert.equal(await words(broken), 'the note beside the copies cannot be read');
  });

  const [file] = note.files;
  const inventions: Record<string, unknown> = {
    'a text': 'rm -rf /',
    'a list': [],
    'no run': { files: [] },
    'more files than are ever noted': { ...note, files: Array(1001).fill(file) },
    'a size that is none': { ...note, files: [{ ...file, size: -1 }] },
    'allocated bytes that are a text': { ...note, files: [{ ...file, allocated: '0' }] },
    'a path that is none': { ...note, files: [{ ...file, path: null }] },
    'a file that is none': { ...note, files: [null] },
    'words without end': { ...note, gap: 'x'.repeat(401) },
  };
  for (const [what, invented] of Object.entries(inventions))
    test(`that is ${what} is not used, and the restore goes on`, async () => {
      const { note: read, without } = await told({ host: 'nas', answered: true, note: invented });
      assert.equal(read, undefined);
      assert.equal(without, 'host nas told what cannot be read');
    });

  test('brings no control characters along in its words', async () => {
    const { note: read } = await told({ host: 'nas', answered: true, note: { ...note, gap: 'a\u001b[2Jb' } });
    assert.equal(read?.gap, 'a?[2Jb');
  });

  test('that is larger than may travel loses the smallest holes, and says so', () => {
    const files = Array.from({ length: 1000 }, (_, at) => ({
      path: `${'ü'.repeat(1000)}${at}`,
      size: 2 ** 30,
      mtimeNs: '1700000000000000000',
      allocated: at,
    }));
    const bounded = boundedNote({ ...note, files, gap: 'some of the source could not be looked at' });
    assert(bounded.files.length > 200 && bounded.files.length < 250, `${bounded.files.length}`);
    assert(Buffer.byteLength(JSON.stringify(bounded)) <= 500_500);
    assert.equal(bounded.files.at(-1)?.allocated, bounded.files.length - 1, 'the first are kept');
    assert.match(
      bounded.gap ?? '',
      /could not be looked at; only the 2\d\d with the largest holes of 1000 that were noted fit/,
    );
    assert.equal(boundedNote(note), note);
  });
});
