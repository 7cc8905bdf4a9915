import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complains, zfsFailure } from '../../activities/zfs/classify.js';
import type { Ends } from '../../activities/zfs/replicate-ends.js';
import { settle } from '../../activities/zfs/replicate-survey.js';
import { run } from '../../system/run.js';

/** What zfs complains of has a name, and the name may be any words. */

const codeOf = (stderrTail: string): string =>
  zfsFailure({ exitCode: 1, signal: undefined, stderrTail }, 'look', 'din').code;

test('a dataset that is called like a complaint is none', () => {
  assert.equal(codeOf("cannot open 'fast/out of space': dataset does not exist"), 'HF_DATASET_MISSING');
  assert.equal(codeOf("cannot open 'fast/permission denied': dataset is busy"), 'HF_TOOL_FAILED');
  assert.equal(codeOf('cannot receive new filesystem stream: out of space'), 'HF_NO_SPACE');
  assert.equal(
    codeOf("cannot hold snapshot 'fast/dataset does not exist@s': permission denied"),
    'HF_ZFS_DENIED',
  );
  // Cut off in the middle of a name.
  assert.equal(codeOf("cannot hold: busy\ncannot open 'fast/permission denied and so"), 'HF_TOOL_FAILED');
  // An apostrophe opens no name.
  assert.equal(complains(/being held/, "cannot destroy snapshot fast@s: it's being held."), true);
  assert.equal(complains(/already exists/, "cannot hold 'a@s': tag already exists on this dataset"), true);
});

test('what zfs says of more snapshots than are kept is understood wherever it is cut', async () => {
  const line = (number: number) =>
    `cannot create snapshot 'fast/kubernetes/pvc-${1000 + number}@holdfast_hourly_2026-11-20T03:00:00Z_24': dataset already exists`;
  const said = `${Array.from({ length: 60 }, (_, number) => line(number)).join('\n')}\n`;
  for (let more = 0; more <= line(0).length; more += 10) {
    const end = `${'.'.repeat(more)}\n`;
    const args = ['-c', 'printf %s "$1" >&2; exit 1', 'sh', said + end];
    const { stderrTail } = await run({ file: 'sh', args });
    assert(complains(/does not exist|already exists/, stderrTail), `${more}: ${stderrTail.slice(0, 100)}`);
  }
});

test('of a dataset that is called "exists" no old cursor goes before the new one stands', async () => {
  const source = 'fast/k/exists';
  const asked: string[][] = [];
  const ends = {
    async change(_side: string, first: string[][], then: string[][] = []) {
      asked.push(...first, ...then);
      const failed = { ok: false, words: `cannot create bookmark '${source}#new': out of space` };
      return [...first.map(() => failed), ...then.map(() => undefined)];
    },
  } as unknown as Ends;
  const upkeep = {
    source: {
      bookmarks: [{ from: `${source}@two`, cursor: `${source}#new` }],
      destroy: [`${source}#old`],
      release: [],
    },
    target: { fence: [], release: [] },
  };
  const { troubles } = await settle(ends, { plans: [], upkeep } as never);
  assert.match(troubles.map(({ words }) => words).join(), /zfs bookmark failed: .*out of space/);
  assert.equal(
    asked.filter(([verb]) => verb === 'destroy').length,
    1,
    'it was asked for once, behind the other',
  );
});
