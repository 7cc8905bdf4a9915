import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Done, Side, StreamEnd, TokenAnswer } from '../../activities/zfs/replicate-ends.js';
import { aheadOf } from '../../activities/zfs/replicate-group.js';
import { holdTag } from '../../activities/zfs/replicate-names.js';
import { replicate } from '../../activities/zfs/replicate-rounds.js';
import type { Stream } from '../../activities/zfs/replicate-streams.js';
import { settle, survey, travels } from '../../activities/zfs/replicate-survey.js';
import { wholePolicy } from '../support/zfs-trees.js';
import { ModelEnds } from './ends.js';
import { snapshotTree } from './foreign.js';
import { Pool, World } from './pool.js';
import { openSend, receivePart } from './streams.js';

/** What has arrived of a stream that was cut stays, as long as nobody knows that it is of no use. */

const [sourceRoot, targetRoot] = ['fast/vms', 'backup/vms'];
const [from, to] = [`${sourceRoot}/disk`, `${targetRoot}/disk`];
const request = { sourceRoot, targetRoot, policy: wholePolicy };

/** As OpenZFS 2.3.9 says it. */
const busy = `cannot receive resume stream: destination ${to} contains partially-complete state from "zfs receive -s".`;
const killed: TokenAnswer = { exitCode: 137, text: '' };

class OddEnds extends ModelEnds {
  /** The receiver of an earlier connection still lives. */
  isBusy = false;
  token: TokenAnswer | undefined;
  /** What zfs says to `receive -A`. */
  refuses: string | undefined;

  override async readTokens(tokens: readonly string[]): Promise<TokenAnswer[]> {
    const { token } = this;
    return token ? tokens.map(() => token) : super.readTokens(tokens);
  }

  override async transfer(streams: readonly Stream[]): Promise<StreamEnd[]> {
    const at = this.isBusy ? streams.findIndex(({ target }) => target === to) : -1;
    if (at === -1) return super.transfer(streams);
    const ends = await super.transfer(streams.slice(0, at));
    return [...ends, { sent: { ok: true, words: '' }, received: { ok: false, words: busy } }];
  }

  override async change(
    side: Side,
    commands: readonly (readonly string[])[],
    then: readonly (readonly string[])[] = [],
  ): Promise<(Done | undefined)[]> {
    const { refuses } = this;
    const at = commands.findIndex(([verb, flag]) => verb === 'receive' && flag === '-A');
    if (refuses === undefined || at === -1) return super.change(side, commands, then);
    const others = await super.change(side, commands.toSpliced(at, 1), then);
    return others.toSpliced(at, 0, { ok: false, words: refuses });
  }
}

async function estate() {
  const world = new World();
  const [source, target] = [new Pool(world, 'fast'), new Pool(world, 'backup')];
  for (const name of [sourceRoot, from, `${sourceRoot}/other`]) source.create(name).written = 100;
  snapshotTree(source, sourceRoot, 'hourly-2026-11-20T02:00:00Z');
  const ends = () => new OddEnds(source, sourceRoot, target, targetRoot);
  await copyWith(ends());
  snapshotTree(source, sourceRoot, 'hourly-2026-11-20T03:00:00Z');
  const newest = `${from}@${source.dataset(from).snapshots.at(-1)?.name}`;
  const base = `${from}@${source.dataset(from).snapshots.at(-2)?.name}`;
  const stream = openSend(source, target, ['send', '-i', base, newest]);
  assert.throws(() => receivePart(target, ['receive', to], stream, 0, 0.9, newest), /incomplete stream/);
  return { source, target, ends, newest, token: target.dataset(to).partial?.token };
}

const copyWith = (ends: OddEnds, run = 'copy-2026-11-20T03:00:00Z') =>
  replicate(ends, request, { destination: wholePolicy.destination, run, parallel: 2 });

const newestOf = (pool: Pool, name: string): string | undefined => pool.dataset(name).snapshots.at(-1)?.guid;

for (const { what, odd } of [
  { what: 'whose receiver has outlived its connection', odd: { isBusy: true } },
  { what: 'whose token zfs was killed over', odd: { token: killed } },
])
  test(`a stream ${what} keeps all that has arrived, the rest of the tree goes on, and a later run resumes it`, async () => {
    const { source, target, ends, newest, token } = await estate();
    for (const run of ['copy-2026-11-20T03:10:00Z', 'copy-2026-11-20T03:20:00Z']) {
      const first = Object.assign(ends(), odd);
      await copyWith(first, run);
      assert(!first.log.join('\n').includes('receive -A'), first.log.join('\n'));
      assert.equal(target.dataset(to).partial?.token, token);
      assert.equal(newestOf(target, `${targetRoot}/other`), newestOf(source, `${sourceRoot}/other`));
    }
    // What the state needs of the source is still there, whoever wanted to destroy it.
    if (odd.isBusy) assert.throws(() => source.destroySnapshot(newest), /busy/);
    const later = ends();
    await copyWith(later, 'copy-2026-11-20T03:30:00Z');
    assert.deepEqual(
      later.sent.map(({ words }) => words.includes('-t')),
      [true],
    );
    assert.equal(newestOf(target, to), newestOf(source, from));
  });

test('a hold of the run that was cut stays as long as the token could not be read, and goes when all has arrived', async () => {
  const { source, ends, newest } = await estate();
  const tag = holdTag(wholePolicy.destination, 'copy-2026-11-20T03:00:00Z');
  const first = Object.assign(ends(), { token: killed });
  source.snapshot(newest).snapshot.holds.add(tag);
  await copyWith(first);
  assert(source.snapshot(newest).snapshot.holds.has(tag));
  await copyWith(ends(), 'copy-2026-11-20T03:30:00Z');
  assert.deepEqual([...source.snapshot(newest).snapshot.holds], []);
});

test('where the right to give up old state is missing, that is what is said of the dataset, and nothing is sent into it', async () => {
  const { source, target, ends, newest } = await estate();
  const held = source.snapshot(newest).snapshot.holds;
  held.clear();
  source.destroySnapshot(newest);
  snapshotTree(source, sourceRoot, 'hourly-2026-11-20T04:00:00Z');
  const odd = Object.assign(ends(), { refuses: `cannot destroy '${to}/%recv': permission denied` });
  const now = await survey(odd, request);
  const due = now.plans.filter(travels);
  assert(due.some((plan) => plan.target === to && plan.abandon !== undefined));
  const { troubles, unprepared } = await settle(
    odd,
    now,
    aheadOf(due, { destination: 'grogu', run: 'copy' }),
  );
  assert.match(unprepared.get(to) ?? '', /^zfs receive -A .*permission denied/);
  assert.deepEqual(troubles, []);
  assert(!odd.log.some((line) => line.startsWith('source') && line.includes(`${from}@`)), odd.log.join('\n'));
  await copyWith(odd);
  assert.deepEqual(
    odd.sent.filter(({ words }) => words.some((word) => word.startsWith(from))),
    [],
  );
  assert.equal(newestOf(target, `${targetRoot}/other`), newestOf(source, `${sourceRoot}/other`));
});
