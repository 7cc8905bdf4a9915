import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Zfs } from '../../activities/zfs/listing.js';
import { standUp } from '../../activities/zfs/stand-by.js';
import type { Command, RunResult } from '../../system/host.js';

/** The way back from standing by, by what it has zfs do. */

async function changesOf(role?: Parameters<typeof standUp>[3]): Promise<string[]> {
  const changes: string[] = [];
  const host = {
    name: 'grogu',
    async run({ file }: Command): Promise<RunResult> {
      const stdout = file === 'sh' ? '0\t0\t\n1\t0\t\n' : '';
      return { exitCode: 0, signal: undefined, stdout, stderrTail: '', durationMs: 1 };
    },
  };
  const zfs = { host, signal: new AbortController().signal, zfs: 'zfs', zpool: 'zpool' } as unknown as Zfs;
  await standUp(zfs, 'backup/k8s', (line) => changes.push(line), role);
  return changes;
}

test('a replica that is in use again says so by one command: there is no moment in which it has no role', async () => {
  assert.deepEqual(await changesOf({ kind: 'promoted', run: 'r', store: 'grogu' }), [
    'grogu: zfs set holdfast:role=promoted r grogu backup/k8s',
  ]);
  assert.deepEqual(await changesOf(), ['grogu: zfs inherit holdfast:role backup/k8s']);
});
