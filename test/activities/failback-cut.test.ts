import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tools } from '../../activities/door.js';
import { createHostQuestions } from '../../activities/host/questions.js';
import { openUndos } from '../../activities/host/undo.js';
import { finishFailback } from '../../activities/zfs/failback-finish.js';
import { planFailbackStep } from '../../activities/zfs/failback-look.js';
import {
  failbackKind,
  putBackFailback,
  resumeReplica,
  stopReplica,
} from '../../activities/zfs/failback-stop.js';
import { promoteReplica } from '../../activities/zfs/failover-promote.js';
import {
  failoverKind,
  planFailoverStep,
  putBackFailover,
  putSourceBack,
  stopSource,
} from '../../activities/zfs/failover-stop.js';
import { roleOf, whyNotForward } from '../../activities/zfs/role.js';
import { standBy } from '../../activities/zfs/stand-by.js';
import { zfsOn } from '../../activities/zfs/zfs-on.js';
import { parseConfig } from '../../config/load.js';
import { type FakeMachine, fakeMachine } from '../support/fake-trees.js';

/** Failovers and failbacks that are cut between their two sides, and what ends them. */

const job = 'vms-to-grogu';
const runOf = (what: string) => `${job}.${what}-2026-11-20T03:00:00Z`;
const [over, back, again] = [runOf('failover'), runOf('failback'), '2026-11-21T03:00:00Z'].map((one) =>
  one.startsWith(job) ? one : `${job}.failover-${one}`,
) as [string, string, string];

function scene() {
  const hook = (name: string) => ({ run: ['apps', name], undo: ['apps', `undo-${name}`] });
  const { config, mistakes } = parseConfig(
    JSON.stringify({
      hosts: {
        din: { ssh: { user: 'root', address: 'din.lan' }, hooks: { stop: hook('stop') } },
        grogu: { ssh: { user: 'root', address: 'grogu.lan' }, hooks: { start: hook('start') } },
      },
      resources: { web: { host: 'din', dataset: 'fast/web' } },
      stores: { grogu: { zfs: { host: 'grogu', dataset: 'backup' } } },
      jobs: {
        [job]: {
          ...{ kind: 'zfs-replication', resources: ['web'], store: 'grogu', snapshots: 'all' },
          failover: { stop: ['stop'], start: ['start'] },
        },
      },
    }),
    '/holdfast.yaml',
  );
  assert(config, JSON.stringify(mistakes));
  const din = fakeMachine('din', ['fast/web', 'fast/web/a']);
  const grogu = fakeMachine('grogu', ['backup/web', 'backup/web/a']);
  for (const [side, { trees }] of [din, grogu].entries())
    for (const [at, { properties, snapshots }] of [...trees.values()].entries()) {
      properties.guid = `${side + 1}0${at}`;
      snapshots.set('one', '4711');
    }
  const machine = (name: string) => (name === 'din' ? din : grogu).host;
  const toolsOf = (run: string) =>
    ({
      ...{ host: grogu.host, machine, config, run, attempt: 1 },
      ...{ signal: new AbortController().signal, progress: () => undefined, log: () => undefined },
    }) as unknown as Tools;
  const step = (run: string) => ({ job, run, resource: 'web', store: 'grogu', retryForMs: 0, settings: {} });
  const questions = createHostQuestions({
    host: grogu.host,
    answer: (body) => body(),
    putBack: {
      [failoverKind]: putBackFailover(() => config, machine),
      [failbackKind]: putBackFailback(() => config, machine),
    },
  });
  /** As `holdfast undo grogu` does it when no run is left, or only that one has ended. */
  const undo = async (ended?: string) => {
    for (const one of await questions.hostOpenUndos())
      if (ended === undefined || one.run === ended) await questions.hostPutBack(one);
  };
  return { config, din, grogu, toolsOf, step, undo };
}

type Scene = ReturnType<typeof scene>;

const properties = ({ trees }: FakeMachine, name: string) => trees.get(name)?.properties ?? {};
const roles = ({ din, grogu }: Scene) => [
  properties(din, 'fast/web')['holdfast:role'],
  properties(grogu, 'backup/web')['holdfast:role'],
];
const readonly = ({ trees }: FakeMachine) => [...trees.values()].map((one) => one.properties.readonly);

/** What streams would do: the newest snapshots of one side are on the other. */
function send(from: FakeMachine, to: FakeMachine): void {
  for (const [name, { snapshots }] of from.trees) {
    const other = to.trees.get(
      `${to.host.name === 'din' ? 'fast' : 'backup'}${name.slice(name.indexOf('/'))}`,
    );
    for (const [snapshot, guid] of snapshots) other?.snapshots.set(snapshot, guid);
  }
}

/** The replica was in use, has stopped, and all that it had last is on the side that returned. */
async function readyToGiveBack(): Promise<Scene> {
  const made = scene();
  const { din, grogu, toolsOf, step } = made;
  properties(din, 'fast/web').sharenfs = 'rw';
  properties(din, 'fast/web/a').sharenfs = 'ro';
  const role = { kind: 'standby', run: over, store: 'grogu' } as const;
  await standBy(zfsOn(toolsOf(over), 'din'), 'fast/web', role, () => undefined);
  properties(grogu, 'backup/web')['holdfast:role'] = `promoted ${over} grogu`;
  await stopReplica(toolsOf(back), { ...step(back), withHooks: true });
  send(grogu, din);
  return made;
}

const finish = ({ toolsOf, step }: Scene) =>
  finishFailback(toolsOf(back), { ...step(back), withHooks: true as const });

const refusing = (words?: RegExp) => (asked: readonly string[]) =>
  words?.test(asked.join(' ')) ? 'cannot do it' : undefined;

/** One dataset is not shared again until patience is over; somebody has written to what is writable by then. */
async function cut(
  refuses: { din?: RegExp; grogu?: RegExp } = { din: /^set .*sharenfs=ro/ },
): Promise<Scene> {
  const made = await readyToGiveBack();
  const { din, grogu, toolsOf, step } = made;
  din.refuse = refusing(refuses.din);
  grogu.refuse = refusing(refuses.grogu);
  await assert.rejects(finish(made), /cannot do it\. "holdfast undo grogu" ends what .*failback/);
  assert.equal(properties(din, 'fast/web').readonly, 'off');
  properties(din, 'fast/web').written = '512';
  assert.deepEqual(await resumeReplica(toolsOf(back), step(back)), { resumed: false });
  [din, grogu].forEach((one) => {
    one.refuse = refusing();
  });
  return made;
}

function isGivenBack(made: Scene): void {
  const { din, grogu } = made;
  assert.deepEqual(roles(made), [undefined, undefined]);
  assert.deepEqual(
    [readonly(din), readonly(grogu)],
    [
      ['off', 'off'],
      ['on', 'on'],
    ],
  );
  assert.deepEqual(
    [properties(din, 'fast/web').sharenfs, properties(din, 'fast/web/a').sharenfs],
    ['rw', 'ro'],
  );
  assert.deepEqual(din.ran, ['apps undo-stop']);
}

test('a failback that was cut while it gave back goes on with the next attempt, whatever was written meanwhile', async () => {
  const made = await cut();
  await finish(made);
  isGivenBack(made);
  assert.deepEqual(await openUndos(made.grogu.host), []);
  // One whose end nobody heard of is done once more.
  await finish(made);
});

test('when its run is over, what puts back what runs have left ends it, and the replica is never writable again', async () => {
  const made = await cut();
  assert.equal((await openUndos(made.grogu.host, back)).length, 1);
  made.grogu.changes.length = 0;
  await made.undo();
  isGivenBack(made);
  const { changes } = made.grogu;
  assert(
    changes.includes('set readonly=on backup/web') &&
      !changes.some((words) => /readonly=off|promoted/.test(words)),
  );
  assert.deepEqual(await openUndos(made.grogu.host), []);
});

test('the same where the returned side is in use already and only the replica is left', async () => {
  const made = await cut({ grogu: /^set canmount/ });
  const [returned, replica] = roles(made);
  assert.deepEqual([returned, replica], [undefined, `standby ${back} grogu`]);
  await assert.rejects(
    planFailbackStep(made.toolsOf(again), made.step(again)),
    /"holdfast undo grogu" ends what/,
  );
  await made.undo();
  isGivenBack(made);
});

test('cut before its first command, the replica is put back as the one in use', async () => {
  const made = await readyToGiveBack();
  const { grogu } = made;
  const append = grogu.host.driver.appendLine;
  grogu.host.driver.appendLine = async (path, line) => {
    if (line.includes('"undo-done"')) throw new Error('killed');
    await append(path, line);
  };
  await assert.rejects(finish(made), /killed/);
  grogu.host.driver.appendLine = append;
  await made.undo();
  assert.deepEqual(roles(made), [`standby ${over} grogu`, `promoted ${over} grogu`]);
  assert.deepEqual(
    [readonly(made.din), readonly(grogu)],
    [
      ['on', 'on'],
      ['off', 'off'],
    ],
  );
  assert.deepEqual(await openUndos(grogu.host), []);
});

test('each refusal of the circle says what ends it, and without the journal the longer way is open', async () => {
  const made = await cut();
  const { din, grogu, toolsOf, step } = made;
  const words =
    /"holdfast undo grogu" ends what .*failback-.* should it find nothing, "holdfast do vms-to-grogu failover" and then "failback" do/;
  await assert.rejects(planFailbackStep(toolsOf(again), step(again)), words);
  const root = (one: FakeMachine, name: string) => ({
    name,
    ...{ role: properties(one, name)['holdfast:role'] },
  });
  const both = { source: root(din, 'fast/web'), target: root(grogu, 'backup/web') } as never;
  assert.match(whyNotForward(both, again, { job, sourceHost: 'din', targetHost: 'grogu' }) ?? '', words);
  // Nothing is known of it here any more.
  await grogu.host.driver.writeFile('/state/evidence.jsonl', '');
  await made.undo();
  const { digest } = await planFailoverStep(toolsOf(again), step(again));
  const input = { ...step(again), digest, source: 'answers' as const };
  await stopSource(toolsOf(again), input);
  properties(din, 'fast/web').written = '0';
  send(din, grogu);
  await promoteReplica(toolsOf(again), input);
  assert.deepEqual(
    [readonly(din), readonly(grogu)],
    [
      ['on', 'on'],
      ['off', 'off'],
    ],
  );
  assert.deepEqual(
    roles(made).map((role) => roleOf({ role })?.kind),
    ['standby', 'promoted'],
  );
  const plan = await planFailbackStep(toolsOf(runOf('failback')), step(runOf('failback')));
  assert.equal(plan.alreadyDone, undefined);
});

test('what was left of a failback is left alone where a later failover has one of the sides, and where the dataset is another one', async () => {
  const made = await cut();
  const { din, grogu, undo } = made;
  properties(din, 'fast/web').guid = '300';
  await assert.rejects(undo(), /is not the dataset that .* has brought back: look at it/);
  assert.equal((await openUndos(grogu.host)).length, 1);
  properties(din, 'fast/web').guid = '100';
  properties(din, 'fast/web')['holdfast:role'] = `standby ${again} grogu`;
  const before = JSON.stringify([[...din.trees], [...grogu.trees]]);
  await undo();
  assert.equal(JSON.stringify([[...din.trees], [...grogu.trees]]), before);
});

/** The source is stopped, its last snapshot is there, and the replica cannot be touched until patience is over. */
async function cutTakingOver(refuses: RegExp): Promise<Scene> {
  const made = scene();
  const { din, grogu, toolsOf, step } = made;
  for (const one of grogu.trees.values()) one.properties.readonly = 'on';
  const { digest } = await planFailoverStep(toolsOf(over), step(over));
  const input = { ...step(over), digest, source: 'answers' as const, withHooks: true as const };
  await stopSource(toolsOf(over), input);
  send(din, grogu);
  grogu.refuse = refusing(refuses);
  await assert.rejects(
    promoteReplica(toolsOf(over), input),
    /cannot do it\. "holdfast do vms-to-grogu failover" goes on/,
  );
  grogu.refuse = refusing();
  // A command of a given up attempt may still arrive over there: the run itself puts nothing back any more.
  assert.deepEqual(await putSourceBack(toolsOf(over), step(over)), { putBack: false });
  assert.deepEqual(readonly(din), ['on', 'on']);
  return made;
}

test('a failover whose replica could not be touched at all is taken back once its run is over', async () => {
  const made = await cutTakingOver(/holdfast:role/);
  await assert.rejects(
    planFailbackStep(made.toolsOf(back), made.step(back)),
    /has not taken over: "holdfast do vms-to-grogu failover" goes on .* "holdfast undo grogu" takes it back/,
  );
  await made.undo();
  assert.deepEqual(roles(made), [undefined, undefined]);
  assert.deepEqual(
    [readonly(made.din), readonly(made.grogu)],
    [
      ['off', 'off'],
      ['on', 'on'],
    ],
  );
  assert.deepEqual(made.din.ran, ['apps stop', 'apps undo-stop']);
});

test('or gone on with by the next one', async () => {
  const made = await cutTakingOver(/holdfast:role/);
  const { digest } = await planFailoverStep(made.toolsOf(again), made.step(again));
  const input = { ...made.step(again), digest, source: 'answers' as const };
  await stopSource(made.toolsOf(again), input);
  await made.undo(over);
  send(made.din, made.grogu);
  await promoteReplica(made.toolsOf(again), input);
  await made.undo();
  assert.deepEqual(
    [readonly(made.din), readonly(made.grogu)],
    [
      ['on', 'on'],
      ['off', 'off'],
    ],
  );
  assert.deepEqual(made.din.ran, ['apps stop'], 'what is in use over there keeps the programs shut here');
});

test('once the replica was touched nothing makes the source writable but a failback, not even in the middle of one', async () => {
  const made = await cutTakingOver(/^set readonly=off/);
  const { din, grogu } = made;
  assert.deepEqual(roles(made), [`standby ${over} grogu`, `promoted ${over} grogu`]);
  const [left] = await openUndos(grogu.host, over);
  assert(left);
  const putBack = putBackFailover(
    () => made.config,
    (name) => (name === 'din' ? din : grogu).host,
  );
  await putBack(grogu.host, left.what, left.former, over);
  properties(grogu, 'backup/web')['holdfast:role'] = `standby ${back} grogu`;
  await putBack(grogu.host, left.what, left.former, over);
  assert.deepEqual([readonly(din), din.ran], [['on', 'on'], ['apps stop']]);
});
