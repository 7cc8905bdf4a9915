import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { pauseOwnScrub, scrubPool } from '../../activities/zfs/scrub.js';
import { parseConfig } from '../../config/load.js';
import type { Command, Host, RunResult } from '../../system/host.js';
import { filesIn } from '../support/files-in.js';

/** A pool in memory behind the words of zpool: for what a real one only does at the right moment. */

type Scan = Record<string, string>;

/** As zpool 2.3.9 says it of a pool on two files. */
const scanOf = (kind: 'SCRUB' | 'RESILVER', more: Scan = {}): Scan => ({
  function: kind,
  state: 'SCANNING',
  start_time: '1795874251',
  end_time: '0',
  to_examine: '42127360',
  examined: '42127360',
  skipped: '0',
  processed: '0',
  errors: '0',
  bytes_per_scan: '0',
  pass_start: '1795874251',
  scrub_pause: '0',
  scrub_spent_paused: '0',
  issued_bytes_per_scan: '0',
  issued: '21063680',
  ...more,
});
const finished = scanOf('SCRUB', { state: 'FINISHED', end_time: '1795874300' });

interface FakePool {
  scan: Scan | undefined;
  /** The words behind `zpool scrub`, of every call. */
  scrubs: string[];
  /** Before each look at the pool, the how manieth. */
  onLook: (look: number) => void;
  refusesPause: boolean;
  tools: Tools;
}

function fakePool(window?: string): FakePool {
  const files = new Map<string, string>();
  let looks = 0;
  const ended = (more: Partial<RunResult> = {}) => ({ exitCode: 0, stdout: '', stderrTail: '', ...more });
  const status = (): string =>
    JSON.stringify({
      pools: {
        fast: {
          name: 'fast',
          state: 'ONLINE',
          ...(pool.scan && { scan_stats: pool.scan }),
          error_count: '0',
        },
      },
    });
  const scrub = (rest: readonly string[]) => {
    pool.scrubs.push(rest.join(' '));
    if (rest[0] !== '-p') {
      pool.scan = pool.scan?.state === 'SCANNING' ? { ...pool.scan, scrub_pause: '0' } : scanOf('SCRUB');
    } else if (pool.refusesPause) {
      return ended({ exitCode: 1, stderrTail: 'cannot pause scrubbing fast: permission denied\n' });
    } else pool.scan = { ...pool.scan, scrub_pause: '1795874262' };
    return ended();
  };
  const host = {
    name: 'din',
    stateFolder: '/state',
    async run({ args: [verb, ...rest] }: Command) {
      if (verb === 'scrub') return scrub(rest);
      assert.equal(verb, 'status');
      looks += 1;
      pool.onLook(looks);
      return ended({ stdout: status() });
    },
    ...filesIn(files),
  } as unknown as Host;
  Object.assign(host, { driver: host });
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: { din: {} },
      resources: { whole: { host: 'din', pool: 'fast' } },
      jobs: { weekly: { kind: 'zfs-scrub', resources: ['whole'], ...(window && { window }) } },
    }),
    '/holdfast.yaml',
  );
  if (!config) throw new Error(JSON.stringify(mistakes));
  const tools = {
    ...{ host, config, run: input.run, attempt: 1, signal: new AbortController().signal },
    ...{ progress: () => undefined, log: () => undefined },
  };
  const pool: FakePool = {
    scan: undefined,
    scrubs: [],
    onLook: () => undefined,
    refusesPause: false,
    tools,
  };
  return pool;
}

const input = { job: 'weekly', resource: 'whole', run: 'weekly-2026-11-20T03:00:00Z', retryForMs: 60_000 };
const clock = (time: string): void => mock.timers.setTime(Date.parse(`2026-11-20T${time}Z`));
const startClock = (time: string): void => {
  mock.timers.enable({ apis: ['Date'], now: Date.parse(`2026-11-20T${time}Z`) });
};
afterEach(() => mock.timers.reset());

test('while a pool is resilvered no scrub is begun, and the run hears why', async () => {
  const pool = fakePool();
  pool.scan = scanOf('RESILVER');
  await assert.rejects(scrubPool(pool.tools, input), {
    code: 'HF_POOL_BUSY',
    message: /^The pool fast is being resilvered \(50 %\)/,
  });
  assert.deepEqual(pool.scrubs, []);
});

test('a resilver that takes the place of the scrub while it is watched is no end of that scrub', async () => {
  const pool = fakePool();
  pool.onLook = (look) => {
    if (look === 2) pool.scan = scanOf('RESILVER');
  };
  await assert.rejects(scrubPool(pool.tools, input), { code: 'HF_POOL_BUSY' });
  // The next attempt finds it over: that was a resilver, and the pool is still to be scrubbed.
  pool.scan = scanOf('RESILVER', { state: 'FINISHED', end_time: '1795874290' });
  pool.onLook = (look) => {
    if (look === 4) pool.scan = finished;
  };
  const done = await scrubPool(pool.tools, input);
  assert.deepEqual([done.state, pool.scrubs], ['finished', ['fast', 'fast']]);
});

test('a scrub at work when its hours end is paused, and goes on from there when they come again', async () => {
  startClock('05:58:00');
  const pool = fakePool('22:00-06:00');
  pool.onLook = (look) => {
    if (look === 2) clock('06:00:00');
  };
  const outside = await scrubPool(pool.tools, input);
  assert.deepEqual([outside.state, outside.waitMs], ['outside', 16 * 3_600_000]);
  assert.deepEqual(pool.scrubs, ['fast', '-p fast']);
  const again = await scrubPool(pool.tools, input);
  assert.equal(again.state, 'outside');
  assert.deepEqual(pool.scrubs, ['fast', '-p fast'], 'what is paused is left alone');
  clock('22:00:00');
  pool.onLook = (look) => {
    if (look === 5) pool.scan = finished;
  };
  const done = await scrubPool(pool.tools, input);
  assert.deepEqual([done.state, pool.scrubs], ['finished', ['fast', '-p fast', 'fast']]);
});

test('a pause at the end of the hours that is refused is no pause', async () => {
  startClock('05:58:00');
  const pool = fakePool('22:00-06:00');
  pool.refusesPause = true;
  pool.onLook = (look) => {
    if (look === 2) clock('06:00:00');
  };
  await assert.rejects(scrubPool(pool.tools, input), /pause the scrub of fast/);
});

/** A run that is ended from outside while its scrub is watched. */
async function endWhileScrubbing(pool: FakePool): Promise<void> {
  const stop = new Error('the worker is gone');
  pool.onLook = (look) => {
    if (look === 2) throw stop;
  };
  await assert.rejects(scrubPool(pool.tools, input), stop);
  pool.onLook = () => undefined;
}

test('a run that is cancelled pauses the scrub that it has started', async () => {
  const pool = fakePool();
  await endWhileScrubbing(pool);
  assert.deepEqual(await pauseOwnScrub(pool.tools, input), { paused: true });
  assert.deepEqual(pool.scrubs, ['fast', '-p fast']);
  assert.deepEqual(await pauseOwnScrub(pool.tools, input), { paused: false });
  assert.equal(pool.scrubs.length, 2);
});

test('a run that is cancelled says of a pause that was refused that nothing is paused', async () => {
  const pool = fakePool();
  await endWhileScrubbing(pool);
  pool.refusesPause = true;
  assert.deepEqual(await pauseOwnScrub(pool.tools, input), { paused: false });
});

test("a run that is cancelled leaves alone what it has only joined, another run's scrub and a resilver", async () => {
  const pool = fakePool();
  pool.scan = scanOf('SCRUB');
  await endWhileScrubbing(pool);
  assert.deepEqual(await pauseOwnScrub(pool.tools, input), { paused: false });
  const other = { ...input, run: 'weekly-2026-11-27T03:00:00Z' };
  assert.deepEqual(await pauseOwnScrub(pool.tools, other), { paused: false });
  assert.deepEqual(pool.scrubs, []);
  const own = fakePool();
  await endWhileScrubbing(own);
  own.scan = scanOf('RESILVER');
  assert.deepEqual(await pauseOwnScrub(own.tools, input), { paused: false });
  assert.deepEqual(own.scrubs, ['fast']);
});
