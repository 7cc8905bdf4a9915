import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { restoreInput } from '../../cli/restore-input.js';
import type { RestoreWords } from '../../cli/restore-words.js';
import { parseConfig } from '../../config/load.js';
import { repositoryRoot } from '../support/root.js';

const text = (name: string): string => readFileSync(join(repositoryRoot, 'config/examples', name), 'utf8');
const { config } = parseConfig(text('zfs-replication.yaml'), '/holdfast.yaml');
if (!config) throw new Error('the example is wrong');
const known = config;

const words = (what: string, more: Partial<RestoreWords> = {}): RestoreWords => ({
  what,
  paths: [],
  first: [],
  approved: false,
  inPlace: false,
  mapIds: [],
  compareAttributes: false,
  ...more,
});

test('what follows HOST: says what is meant: a path takes files, a dataset the whole replica', () => {
  const back = restoreInput(known, words('kubernetes-to-grogu', { to: 'din:fast/kubernetes' }));
  assert.deepEqual(
    { ...back, limits: undefined },
    {
      job: 'kubernetes-to-grogu',
      resource: 'kubernetes',
      how: 'send-back',
      host: 'din',
      target: 'fast/kubernetes',
      paths: [],
      snapshotJobs: ['kubernetes-hourly'],
      store: 'grogu',
      parallel: 4,
      limits: undefined,
    },
  );
  const files = restoreInput(known, words('kubernetes-hourly', { to: 'nas:/tmp/r', paths: ['pvc-1/a b'] }));
  assert('how' in files);
  assert.deepEqual([files.how, files.host, files.target, files.store], ['files', 'nas', '/tmp/r', undefined]);
});

test('what cannot be meant is refused before anything is started', () => {
  const cases: [string, Partial<RestoreWords>, RegExp][] = [
    ['kubernetes-to-grogu', {}, /Say where to: --to HOST:DIR for files, or --to HOST:DATASET/],
    ['kubernetes-to-grogu', { to: 'din:fast/k@s' }, /--to takes HOST:DIR/],
    ['kubernetes-to-grogu', { to: 'moon:fast/k' }, /no host "moon"/],
    ['kubernetes-to-grogu', { to: 'din:fast/k', paths: ['a'] }, /goes back whole/],
    ['kubernetes-to-grogu', { to: 'din:fast/k', at: '2026-11-19 12:00' }, /goes back whole/],
    ['kubernetes-to-grogu', { to: 'din:/tmp/r', paths: ['/etc'] }, /relative to the resource/],
    ['kubernetes-to-grogu', { to: 'din:/tmp/r', first: ['a'] }, /--first is for copies in a repository/],
    ['kubernetes-to-grogu', { to: 'din:/tmp/r', mapIds: ['0:1:2'] }, /--map-ids is for/],
    ['kubernetes-to-grogu', { to: 'din:/tmp/r', copy: 'a', at: '2026-01-01' }, /exclude each other/],
    ['kubernetes-to-grogu', { to: 'din:/tmp/r', store: 'usb' }, /no store "usb"; it has: grogu/],
    ['kubernetes-to-grogu', { inPlace: true, to: 'din:fast/k' }, /take neither --to nor --clone/],
    ['kubernetes-hourly', { to: 'din:fast/k' }, /lie on their own pool already/],
    ['kubernetes-to-grogu', { inPlace: true }, /send it back with --to/],
    ['kubernetes-hourly', { to: 'din:/tmp/x', clone: true }, /--clone takes --to HOST:DATASET/],
    ['kubernetes-hourly', { to: 'din:fast/k', clone: true, paths: ['a', 'b'] }, /takes one --path/],
  ];
  for (const [what, more, message] of cases)
    assert.throws(() => restoreInput(known, words(what, more)), { code: 'HF_USAGE', message }, what);
});

test('a roll-back waits for all that works on the resource, and only where the file allows it', () => {
  const asked = words('kubernetes-hourly', { inPlace: true });
  assert.throws(() => restoreInput(known, asked), { code: 'HF_TARGET_REFUSED', message: /does not say so/ });
  const { kubernetes } = known.resources;
  assert(kubernetes);
  const open = {
    ...known,
    resources: { ...known.resources, kubernetes: { ...kubernetes, restoreInPlace: true } },
  };
  const input = restoreInput(open, asked);
  assert('how' in input);
  assert.deepEqual(
    [input.how, input.host, input.snapshotJobs, input.replicatedTo],
    ['roll-back', 'din', ['kubernetes-hourly'], ['grogu']],
  );
  assert.throws(() => restoreInput(open, { ...asked, paths: ['a'] }), { code: 'HF_USAGE' });
  const undo = restoreInput(
    open,
    words('kubernetes-hourly', { undo: 'kubernetes-hourly.restore-2026-11-20T03:00:00Z' }),
  );
  assert('how' in undo);
  assert.equal(undo.undo, 'kubernetes-hourly.restore-2026-11-20T03:00:00Z');
  assert.throws(() => restoreInput(open, words('kubernetes-hourly', { undo: 'x' })), {
    code: 'HF_RUN_NOT_FOUND',
  });
});
