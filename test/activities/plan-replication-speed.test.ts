import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { listColumns } from '../../activities/zfs/list-command.js';
import { listingReader } from '../../activities/zfs/parse-list.js';
import { planReplication } from '../../activities/zfs/plan-replication.js';
import { holdsToAsk, planUpkeep } from '../../activities/zfs/replicate-upkeep.js';
import type { Listing } from '../../activities/zfs/types.js';

/** The size that the planner is made for. */
const datasets = 10_000;
const snapshots = 50;

const line = (values: Record<string, string>): string =>
  listColumns.map((column) => values[column] ?? '-').join('\t');

/** What is really held, not what waits to be collected. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

/** `behind`: so many of the newest snapshots are missing. */
function tree(root: string, behind: (dataset: number) => number): Listing {
  const reader = listingReader();
  reader.read(line({ name: root, type: 'filesystem', guid: '1', createtxg: '1' }));
  for (let dataset = 0; dataset < datasets; dataset++) {
    const name = `${root}/pvc-${String(dataset).padStart(8, '0')}`;
    reader.read(line({ name, type: 'filesystem', guid: String(10 + dataset), createtxg: '2' }));
    for (let index = 0; index < snapshots - behind(dataset); index++) {
      reader.read(
        line({
          name: `${name}@holdfast_hourly_${index}`,
          type: 'snapshot',
          guid: `17${String(dataset).padStart(8, '0')}${String(index).padStart(8, '0')}`,
          createtxg: String(1000 + index * 10_000 + dataset),
          creation: String(1_795_000_000 + index),
          userrefs: '0',
          written: '1000',
          referenced: '100000',
          'holdfast:run': `hourly-${index}`,
        }),
      );
    }
  }
  return reader.finish();
}

test('a plan of 10,000 datasets with 50 snapshots each takes less than 2 s and 300 MB', () => {
  const before = heldBytes();
  const source = tree('fast/kubernetes', () => 0);
  const target = tree('backup/kubernetes', (dataset) => (dataset % 10 === 0 ? 3 : 0));
  const input = {
    source,
    sourceRoot: 'fast/kubernetes',
    target,
    targetRoot: 'backup/kubernetes',
    policy: {
      destination: 'grogu',
      snapshots: 'ours' as const,
      catchUp: 'every' as const,
      encrypted: 'raw' as const,
      excludes: () => false,
    },
  };
  const started = process.cpuUsage();
  const plans = planReplication(input);
  const asked = holdsToAsk(plans, input);
  const upkeep = planUpkeep(plans, input, new Map());
  const { user, system } = process.cpuUsage(started);
  const seconds = (user + system) / 1e6;
  const megabytes = (heldBytes() - before) / 2 ** 20;
  console.log(`planned in ${seconds.toFixed(2)} s of CPU, ${megabytes.toFixed(0)} MB with both listings`);
  assert.equal(plans.filter(({ kind }) => kind === 'incremental').length, datasets / 10);
  assert.equal(asked.source.length, 0);
  assert.equal(upkeep.source.bookmarks.length, datasets);
  assert(seconds < 2, `${seconds} s`);
  assert(megabytes < 300, `${megabytes} MB`);
});
