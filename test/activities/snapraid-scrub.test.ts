import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { workCommand } from '../../activities/snapraid/command.js';
import { scrubArray } from '../../activities/snapraid/scrub.js';
import { readSince } from '../../activities/snapraid/scrub-begun.js';
import { untilClosedMs } from '../../activities/zfs/scrub-window.js';
import { type Answer, fakeArray, fixed, status, worked } from '../support/fake-snapraid.js';

/** Scrubs of jobs with hours of their own, with a snapraid that answers as it is told. */

const hour = (from: number): string => new Date(Date.now() + from * 3_600_000).toISOString().slice(11, 16);
const open = { window: `${hour(-1)}-${hour(1)}` };
const closed = { window: `${hour(1)}-${hour(2)}` };

/** Of 4000 blocks: so many were read again after the time of the others. */
function statusWith(readAgain: number, bad = 0): Answer {
  const { lines } = status({ bad });
  const times = [`info_time:1795000000:${4000 - readAgain}:0`, `info_time:1795900000:${readAgain}:0`];
  return { lines: lines.flatMap((line) => (line.startsWith('info_time:') ? times : [line])) };
}

/** As `timeout` ends: with a code of its own, after snapraid has saved what it had read. */
const timeIsOver: Answer = {
  lines: ['run:begin:0:4000:4000', 'sigint:1000: SIGINT received', ...worked('ok').lines.slice(1)],
  code: 124,
};

describe('a scrub in the hours of its job', () => {
  test('that is told to stop at their end counts for what it has read', async () => {
    const { array, answer } = fakeArray({ job: open });
    answer('status', statusWith(0), statusWith(1000));
    answer('scrub', timeIsOver);
    const { state, percent, bad, warnings } = await scrubArray(array, array.input);
    assert.deepEqual([state, percent, bad, warnings], ['outside', 25, 0, []]);
  });

  test('has found what it has found until then', async () => {
    const { array, answer } = fakeArray({ job: open });
    answer('status', statusWith(0), statusWith(1000, 3));
    answer('scrub', timeIsOver);
    answer('check', fixed('recoverable', { 'd1:a.mkv': 'recoverable' }, 1));
    assert.equal((await scrubArray(array, array.input)).bad, 3);
  });

  test('counts blocks that were synced so shortly before that they have the time of the scrub already', () => {
    const before = { readAt: [{ seconds: 1_795_000_000, blocks: 4000 }], unscrubbed: 4000 };
    assert.equal(readSince(before, { ...before, unscrubbed: 2800 }), 1200);
    const later = [
      { seconds: 1_795_000_000, blocks: 3500 },
      { seconds: 1_795_000_008, blocks: 500 },
    ];
    assert.equal(readSince(before, { readAt: later, unscrubbed: 2800 }), 1200);
    assert.equal(readSince({ ...before, unscrubbed: 0 }, { readAt: later, unscrubbed: 0 }), 500);
  });

  test('that has read nothing until then is no scrub', async () => {
    const { array, answer } = fakeArray({ job: open });
    answer('status', statusWith(0));
    answer('scrub', timeIsOver);
    const { state, percent, warnings } = await scrubArray(array, array.input);
    assert.deepEqual([state, percent], ['outside', 0]);
    assert.match(warnings.join(), /nothing was scrubbed: the hours of the job were over/);
  });

  test('that met bad data which is not written down is not well', async () => {
    const { array, answer } = fakeArray({ job: open });
    answer('status', statusWith(0), statusWith(1000));
    answer('scrub', { ...worked('error', { data: 2 }), code: 124 });
    await assert.rejects(scrubArray(array, array.input), { code: 'HF_ARRAY_UNREADABLE' });
  });

  test('is not begun when they are over, and that is no scrub', async () => {
    const { array, answer, calls } = fakeArray({ job: closed });
    answer('status', status());
    const { state, percent, warnings } = await scrubArray(array, array.input);
    assert.deepEqual([state, percent], ['outside', 0]);
    assert.match(warnings.join(), /nothing was scrubbed: the hours of the job were over/);
    assert(!calls().some((call) => call.endsWith('scrub')));
  });

  describe('that goes on without its worker until they are over', () => {
    /** The first attempt ends without a word: its worker is killed while snapraid works. */
    async function killed(log: readonly string[]) {
      const first = fakeArray({ job: open });
      first.answer('status', statusWith(0));
      first.answer('scrub', { lines: [], code: 137 });
      await assert.rejects(scrubArray(first.array, first.array.input), { code: 'HF_TOOL_KILLED' });
      const { host } = first.array.tools;
      const { run, resource } = first.array.input;
      const file = join(host.stateFolder, 'snapraid', `${run}.${resource}.scrub.log`);
      writeFileSync(file, ['version:12.4', 'command:scrub', ...log, ''].join('\n'));
      const job = { ...first.array.job, window: closed.window };
      return { ...first, array: { ...first.array, job, tools: { ...first.array.tools, attempt: 2 } } };
    }

    test('counts for what was read meanwhile', async () => {
      const { array, answer } = await killed(timeIsOver.lines);
      answer('status', statusWith(3000));
      const { state, percent, warnings } = await scrubArray(array, array.input);
      assert.deepEqual([state, percent, warnings], ['outside', 75, []]);
    });

    test('has met the errors of disks that it met', async () => {
      const { array, answer } = await killed(worked('error', { io: 1 }).lines);
      answer('status', statusWith(3000));
      await assert.rejects(scrubArray(array, array.input), { code: 'HF_ARRAY_DISK_MISSING' });
    });

    test('is no scrub when nothing was read, and another run has its own beginning', async () => {
      const { array, answer } = await killed([]);
      answer('status', statusWith(0));
      assert.equal((await scrubArray(array, array.input)).percent, 0);
      answer('status', statusWith(3000));
      const other = { ...array, input: { ...array.input, run: 'nightly-2026-11-28T01:00:00Z' } };
      assert.equal((await scrubArray(other, other.input)).percent, 0);
    });
  });

  test('that met bad data which its status does not know is not well, also beside files that changed', async () => {
    const { array, answer } = fakeArray();
    answer('status', status());
    answer('scrub', worked('error', { data: 1, files: 1 }));
    await assert.rejects(scrubArray(array, array.input), { code: 'HF_ARRAY_UNREADABLE' });
  });

  test('reads bad blocks again after their repair whatever the hour is', async () => {
    const { array, answer } = fakeArray({ job: closed });
    answer('status', status());
    answer('scrub', worked('ok'));
    assert.equal((await scrubArray(array, { ...array.input, onlyBad: true })).state, 'finished');
  });

  test('without hours was stopped from outside, whatever its exit code is', async () => {
    const { array, answer } = fakeArray();
    answer('status', status());
    answer('scrub', timeIsOver);
    await assert.rejects(scrubArray(array, array.input), { code: 'HF_TOOL_KILLED' });
  });

  test('is ended by a program that outlives our worker; a sync never is', () => {
    const called = { file: '/usr/bin/snapraid', config: '/etc/snapraid.conf' };
    const scrub = { verb: 'scrub', plan: 8, olderThanDays: 10, withinSeconds: 90 } as const;
    assert.match(
      workCommand(called, scrub, '/log').args.join(' '),
      / timeout .*--signal=INT .* 90 \/usr\/bin\/snapraid /,
    );
    assert.doesNotMatch(
      workCommand(called, { verb: 'sync', prehash: true }, '/log').args.join(' '),
      /timeout/,
    );
  });

  test('says so when a block was not read as often as it was promised', async () => {
    const { array, answer } = fakeArray({ job: { scrub: { everyBlockWithin: '30d' } } });
    const { lines } = status();
    const old = Math.floor(Date.now() / 1000) - 40 * 86_400;
    answer('status', { lines: lines.map((line) => line.replace('1795000000', `${old}`)) });
    answer('scrub', worked('ok'));
    const { warnings } = await scrubArray(array, array.input);
    assert.match(warnings.join(), /a block was read 40 days ago, and "everyBlockWithin" promises 30 days/);
  });
});

test('hours end at their minute, also after midnight, and some never do', () => {
  const left = (window: string | undefined, at: string) =>
    untilClosedMs(window, 'UTC', new Date(`2026-11-27T${at}Z`));
  assert.equal(left('01:00-08:00', '07:59:30.000'), 30_000);
  assert.equal(left('01:00-08:00', '08:00:00.000'), 0);
  assert.equal(left('01:00-08:00', '00:59:59.999'), 0);
  assert.equal(left('22:00-06:00', '23:00:00.000'), 7 * 3_600_000);
  assert.equal(left('22:00-06:00', '05:00:00.000'), 3_600_000);
  assert.equal(left('02:00-02:00', '05:00:00.000'), undefined);
  assert.equal(left(undefined, '05:00:00.000'), undefined);
});

test('hours end when the clock on the wall says so, also in the nights in which it is changed', () => {
  const left = (window: string, at: string) => untilClosedMs(window, 'Europe/Berlin', new Date(at));
  const hourMs = 3_600_000;
  // 22:00 in winter to 06:00 in summer time, and back.
  assert.equal(left('22:00-06:00', '2027-03-27T21:00:00Z'), 7 * hourMs);
  assert.equal(left('22:00-06:00', '2026-10-24T20:00:00Z'), 9 * hourMs);
  assert.equal(left('22:00-06:00', '2026-10-25T20:59:00Z'), 0);
  // 02:30 is skipped.
  assert.equal(left('01:00-02:30', '2027-03-28T00:45:00Z'), 0.75 * hourMs);
});
