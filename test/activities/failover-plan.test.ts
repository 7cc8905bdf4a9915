import assert from 'node:assert/strict';
import { test } from 'node:test';
import { broughtBackBefore, type FailbackFacts, planFailback } from '../../activities/zfs/failback-plan.js';
import type { FailoverFacts } from '../../activities/zfs/failover-facts.js';
import { type OtherReplica, otherReplicasOf } from '../../activities/zfs/failover-others.js';
import { planFailover } from '../../activities/zfs/failover-plan.js';
import { planReplication } from '../../activities/zfs/plan-replication.js';
import type { ReplicationPolicy } from '../../activities/zfs/replicate-types.js';
import {
  refuseSecondSide,
  refuseStandby,
  roleOf,
  whyNotBack,
  whyNotForward,
} from '../../activities/zfs/role.js';
import type { SavedSharing } from '../../activities/zfs/sharing.js';
import type { Dataset, Listing } from '../../activities/zfs/types.js';
import type { Config } from '../../config/schema.js';
import type { ErrorCode, HoldfastError } from '../../contracts/errors.js';
import { dataset, listingOf, snapshot } from '../support/zfs-trees.js';

/** What a failover and a failback would do, and every reason not to, without any machine. */

const run = 'k8s-to-grogu.failover-2026-11-20T03:00:00Z';
const policy: ReplicationPolicy = {
  destination: 'grogu.k8s',
  snapshots: 'all',
  catchUp: 'every',
  encrypted: 'raw',
  excludes: (below) => below === 'scratch',
};
const roots = { sourceRoot: 'fast/k8s', targetRoot: 'backup/k8s' };
const sides = { job: 'k8s-to-grogu', sourceHost: 'din', targetHost: 'grogu' };
const one = snapshot('one', 10);
const two = snapshot('two', 20);

const replica = (name: string, snapshots = [one], more: Partial<Dataset> = {}): Dataset =>
  dataset(name, { readonly: 'on', canmount: 'noauto', mounted: false, ...more }, snapshots);

const source = (...more: Dataset[]): Listing =>
  listingOf([dataset('fast/k8s', {}, [one]), dataset('fast/k8s/a', {}, [one]), ...more]);
const target = (...more: Dataset[]): Listing =>
  listingOf([replica('backup/k8s'), replica('backup/k8s/a'), ...more]);

interface Given {
  here?: Listing;
  there?: Listing;
  state?: 'lost' | 'silent';
  settings?: Record<string, string>;
  saved?: SavedSharing;
  run?: string;
  occupied?: string[];
  others?: OtherReplica[];
  proof?: FailoverFacts['proof'];
}

const factsOf = ({
  here = source(),
  there = target(),
  state,
  settings = {},
  saved,
  ...more
}: Given = {}): FailoverFacts => ({
  run,
  resource: 'k8s',
  store: 'grogu',
  settings,
  sides,
  ...roots,
  source: state ? { state, words: `${state} in words` } : { state: 'answers', listing: here },
  target: there,
  ...(!state && { plans: planReplication({ ...roots, policy, source: here, target: there }) }),
  ...(saved && { saved }),
  hooks: { stop: ['stop-apps'], start: [] },
  occupied: [],
  others: [],
  ...more,
});

const refusal = (given: Given, code: ErrorCode, words: RegExp): void => {
  assert.throws(
    () => planFailover(factsOf(given)),
    (error: HoldfastError) => {
      assert.equal(error.code, code, error.message);
      assert.match(error.message, words);
      assert.match(error.message, /Nothing was changed$/);
      return true;
    },
  );
};

const promoted = (
  there: Listing,
  of = 'k8s-to-grogu.failover-2026-11-19T00:00:00Z',
  readonly = 'off',
): Listing =>
  new Map([...there].map(([name, one]) => [name, { ...one, readonly, role: `promoted ${of} grogu` }]));

test('a source that answers is never taken for dead, whatever is said of it', () => {
  for (const said of ['off', 'lost'])
    refusal({ settings: { source: said } }, 'HF_SOURCE_NOT_OFF', /din answers over ssh/);
});

test('silence proves nothing: without a word of a human the replica does not take over', () => {
  refusal({ state: 'silent' }, 'HF_SOURCE_NOT_OFF', /--set source=off/);
  refusal({ state: 'silent', settings: { source: 'lost' } }, 'HF_SOURCE_NOT_OFF', /--set source=off/);
  refusal({ state: 'lost', settings: { source: 'off' } }, 'HF_SOURCE_NOT_OFF', /--set source=lost/);
  refusal(
    { state: 'silent', settings: { source: 'dead' } },
    'HF_FAILOVER_REFUSED',
    /"source=dead" means nothing/,
  );
  assert.equal(planFailover(factsOf({ state: 'silent', settings: { source: 'off' } })).plan.source, 'silent');
  assert.equal(planFailover(factsOf({ state: 'lost', settings: { source: 'lost' } })).plan.source, 'lost');
});

test('a proof that the source is off takes the place of a word, stands in the plan, and must hold until it is done', () => {
  const isOff = { isOff: true, words: 'hosts.din.proveOff on "nas" proves that it is off' };
  const notOff = {
    isOff: false,
    words: 'hosts.din.proveOff on "nas" does not prove it: exit 1: Power is on',
  };
  const { plan } = planFailover(factsOf({ state: 'silent', proof: isOff }));
  assert.match(
    plan.lines.join('\n'),
    /din does not answer, and hosts\.din\.proveOff on "nas" proves that it is off\./,
  );
  refusal({ state: 'silent', proof: notOff }, 'HF_SOURCE_NOT_OFF', /exit 1: Power is on.*--set source=off/);
  refusal(
    { state: 'silent', settings: { source: 'lost' }, proof: notOff },
    'HF_SOURCE_NOT_OFF',
    /source=off/,
  );
  // A management port may be dead as well: then a human decides, and sees what the program said.
  const said: Given = { state: 'silent', settings: { source: 'off' } };
  const word = planFailover(factsOf({ ...said, proof: notOff })).plan;
  assert.match(word.lines.join('\n'), /Only your word counts here: .*Power is on/);
  const digests = [undefined, isOff, notOff].map(
    (proof) => planFailover(factsOf({ ...said, ...(proof && { proof }) })).plan.digest,
  );
  assert.equal(new Set(digests).size, 3);
  // Nothing that is on the machine that is off is in use.
  const beside: OtherReplica = {
    store: 'offsite',
    host: 'din',
    root: 'tank/k8s',
    unseen: 'no route to host',
  };
  assert.equal(
    planFailover(factsOf({ state: 'silent', proof: isOff, others: [beside] })).plan.source,
    'silent',
  );
});

test('a replica that is in use already is no work, and nobody can take its plan for a yes', () => {
  const { plan, promotion } = planFailover(factsOf({ there: promoted(target()) }));
  assert.equal(plan.alreadyDone, true);
  assert.match(plan.lines.join(), /in use already, since k8s-to-grogu/);
  assert.deepEqual(promotion.live, []);
  const dead: Given = { state: 'silent', settings: { source: 'off' } };
  const yes = planFailover(factsOf(dead)).plan.digest;
  assert.notEqual(planFailover(factsOf({ ...dead, there: promoted(target()) })).plan.digest, yes);
  const half = promoted(target(), undefined, 'on');
  assert.equal(planFailover(factsOf({ state: 'silent', there: half })).plan.alreadyDone, undefined);
});

test('a resource that is back already is no work; one that a failover has touched is', () => {
  assert.match(
    broughtBackBefore(backFacts(source(), target()))?.lines.join() ?? '',
    /^backup\/k8s on grogu is not the one in use: there is nothing to bring back$/,
  );
  assert.equal(broughtBackBefore(backFacts(source())), undefined, 'the replica is in use');
  const standby = new Map([...source()].map(([name, one]) => [name, { ...one, role: 'standby r grogu' }]));
  assert.equal(broughtBackBefore(backFacts(standby, target())), undefined, 'the source stands by');
  assert.equal(broughtBackBefore(backFacts(new Map(), target())), undefined, 'the source is not there');
});

test('a replica that no longer fits its source or holds nothing does not take over', () => {
  const diverged = target(replica('backup/k8s/b', [one], { writtenBytes: 4096 }));
  refusal(
    { here: source(dataset('fast/k8s/b', {}, [one])), there: diverged },
    'HF_FAILOVER_REFUSED',
    /backup\/k8s\/b cannot be continued: someone wrote/,
  );
  refusal(
    { state: 'silent', settings: { source: 'off' }, there: listingOf([replica('backup/k8s', [])]) },
    'HF_FAILOVER_REFUSED',
    /has no snapshot/,
  );
  // A first copy that was cut: its children came, and the role of all of them stands on it.
  const cut = listingOf([replica('backup/k8s', [], { resumeToken: '1-abc' }), replica('backup/k8s/a')]);
  refusal(
    { state: 'silent', settings: { source: 'off' }, there: cut },
    'HF_FAILOVER_REFUSED',
    /backup\/k8s on grogu has no snapshot: it never arrived whole, only 1 datasets below it have, as backup\/k8s\/a/,
  );
  refusal({ occupied: ['/srv/a'] }, 'HF_FAILOVER_REFUSED', /\/srv\/a on grogu is not empty/);
  const odd = new Map([...target()].map(([name, one]) => [name, { ...one, role: 'boss' }]));
  refusal({ there: odd }, 'HF_FAILOVER_REFUSED', /says "boss", which nobody here wrote/);
});

test('while another replica of the same source is in use, this one does not take over', () => {
  const elsewhere = new Map(
    [...source()].map(([name, one]) => [name, { ...one, role: 'standby x-2026-11-19T00:00:00Z offsite' }]),
  );
  refusal({ here: elsewhere }, 'HF_FAILOVER_REFUSED', /stands by because of the store "offsite"/);
});

test('a replica does not take over beside another one that is in use, or of which nobody can say that it is not', () => {
  const dead: Given = { state: 'silent', settings: { source: 'off' } };
  const offsite: OtherReplica = { store: 'offsite', host: 'hut', root: 'tank/k8s' };
  const inUse: OtherReplica = { ...offsite, role: { kind: 'promoted', run: 'r', store: 'offsite' } };
  refusal(
    { ...dead, others: [inUse] },
    'HF_FAILOVER_REFUSED',
    /tank\/k8s on hut .*"offsite".* in use since r: bring that back first/,
  );
  refusal({ others: [inUse] }, 'HF_FAILOVER_REFUSED', /in use since r/);
  const unseen = { ...offsite, unseen: 'no route to host' };
  refusal({ ...dead, others: [unseen] }, 'HF_FAILOVER_REFUSED', /no route to host.*"--set unused=offsite"/);
  refusal(
    { ...dead, settings: { source: 'off', unused: 'ofsite' }, others: [unseen] },
    'HF_FAILOVER_REFUSED',
    /"unused=ofsite" names no other store/,
  );
  const said: Given = { ...dead, settings: { source: 'off', unused: 'offsite' } };
  assert.equal(planFailover(factsOf({ ...said, others: [unseen] })).plan.source, 'silent');
  refusal({ ...said, others: [inUse] }, 'HF_FAILOVER_REFUSED', /in use since r/);
  // On the machine that is off there is nothing in use.
  assert.equal(
    planFailover(factsOf({ ...dead, others: [{ ...unseen, host: 'din' }] })).plan.source,
    'silent',
  );
  refusal({ others: [{ ...unseen, host: 'din' }] }, 'HF_FAILOVER_REFUSED', /cannot be seen/);
  assert.equal(planFailover(factsOf({ others: [offsite] })).plan.source, 'answers');
});

test('a replica that shares datasets with one in use waits while the source lives; of a dead one a human is told', () => {
  const inner: OtherReplica = {
    ...{ shares: 'db', store: 'grogu', host: 'grogu', root: 'backup/db' },
    role: { kind: 'promoted', run: 'r', store: 'grogu' },
  };
  refusal(
    { others: [inner] },
    'HF_FAILOVER_REFUSED',
    /backup\/db on grogu .*some of the same datasets for "db", is the one in use since r: bring that back first/,
  );
  const { plan } = planFailover(factsOf({ state: 'silent', settings: { source: 'off' }, others: [inner] }));
  assert.match(plan.lines.join('\n'), /in use already, as backup\/db on grogu \(the resource "db"\) since r/);
  const own: OtherReplica = { ...inner, role: { kind: 'promoted', run, store: 'grogu' } };
  assert.equal(planFailover(factsOf({ others: [own] })).plan.source, 'answers');
  // A yes that was given before the other one was in use is none: what this run itself took over was in its question.
  const digest = (others: OtherReplica[]): string =>
    planFailover(factsOf({ state: 'silent', settings: { source: 'off' }, others })).plan.digest;
  const unused = { ...inner, role: undefined } as unknown as OtherReplica;
  assert.notEqual(digest([inner]), digest([unused]));
  assert.equal(digest([own]), digest([unused]));
});

test('the other replicas of a resource are those of all jobs, and of resources that share datasets with it', () => {
  const replication = (resources: string[], stores: string[]) => ({
    kind: 'zfs-replication',
    resources,
    stores,
  });
  const tree = (dataset: string, more: object = {}) => ({
    ...{ host: 'din', dataset, recursive: true, include: [], exclude: [] },
    ...more,
  });
  const config = {
    resources: {
      k8s: tree('fast/k8s', { exclude: ['scratch'] }),
      same: tree('fast/k8s'),
      x: tree('fast/k8s2'),
      inner: tree('fast/k8s/db'),
      scratch: tree('fast/k8s/scratch'),
      outer: tree('fast'),
      elsewhere: tree('fast/k8s', { host: 'nas' }),
    },
    jobs: {
      a: replication(['k8s'], ['grogu', 'offsite']),
      b: replication(['k8s', 'x', 'same'], ['third']),
      c: replication(['x', 'inner', 'scratch', 'outer', 'elsewhere'], ['grogu']),
      d: replication(['inner'], ['grogu']),
    },
  } as unknown as Config;
  const others = (resource: string) =>
    otherReplicasOf(config, { resource, store: 'grogu' }).map((one) => `${one.resource} ${one.store}`);
  assert.deepEqual(others('k8s'), ['k8s offsite', 'k8s third', 'same third', 'inner grogu', 'outer grogu']);
  assert.deepEqual(others('x'), ['x third', 'outer grogu']);
  assert.deepEqual(others('scratch'), ['same third', 'outer grogu']);
});

test('a failover that was cut after its first command goes on without a second word', () => {
  const half = promoted(target(), 'k8s-to-grogu.failover-2026-11-19T00:00:00Z', 'on');
  assert.equal(planFailover(factsOf({ state: 'silent', there: half })).plan.goesOn, true);
  refusal(
    { there: half },
    'HF_FAILOVER_REFUSED',
    /does not stand by\. The next replication makes it stand by/,
  );
  const here = new Map([...source()].map(([name, one]) => [name, { ...one, role: `standby ${run} grogu` }]));
  assert.equal(planFailover(factsOf({ here, there: half })).plan.goesOn, true);
  assert.equal(planFailover(factsOf()).plan.goesOn, undefined);
});

test('replicas whose source has gone, what was parked and what never arrived whole are left as they are', () => {
  const there = target(
    replica('backup/k8s/old'),
    replica('backup/k8s/b.parked-2026-11-20T030000Z'),
    replica('backup/k8s/partial', [], { resumeToken: '1-abc', replicaOf: '77' }),
  );
  const { promotion, plan } = planFailover(factsOf({ there }));
  assert.deepEqual(
    promotion.live.map(({ name }) => name),
    ['backup/k8s', 'backup/k8s/a'],
  );
  assert.deepEqual(
    promotion.kept.map(({ name }) => name),
    ['backup/k8s/old', 'backup/k8s/partial'],
  );
  assert(plan.lines.some((line) => line.startsWith('Left as they are')));
});

test('a replica that the file leaves out since is left as it is: it would never get the last snapshot', () => {
  const { promotion } = planFailover(
    factsOf({
      here: source(dataset('fast/k8s/scratch', {}, [one, two])),
      there: target(replica('backup/k8s/scratch')),
    }),
  );
  assert.deepEqual(
    promotion.live.map(({ name }) => name),
    ['backup/k8s', 'backup/k8s/a'],
  );
  assert.deepEqual(
    promotion.kept.map(({ name }) => name),
    ['backup/k8s/scratch'],
  );
});

test('the yes is given for one state of things: with a dead source for the last byte of each replica', () => {
  const dead: Given = { state: 'silent', settings: { source: 'off' } };
  const digest = (given: Given): string => planFailover(factsOf(given)).plan.digest;
  const now = digest(dead);
  assert.equal(digest({ ...dead }), now);
  assert.notEqual(digest({ ...dead, there: target(replica('backup/k8s/b')) }), now);
  assert.notEqual(
    digest({ ...dead, there: listingOf([replica('backup/k8s'), replica('backup/k8s/a', [one, two])]) }),
    now,
  );
  assert.notEqual(
    digest({
      ...dead,
      there: listingOf([replica('backup/k8s'), replica('backup/k8s/a', [one], { writtenBytes: 1 })]),
    }),
    now,
  );
  assert.notEqual(digest({}), now, 'a source that came back meanwhile is another state');
  // Snapshots of a living source come and go until its writers are stopped.
  const later = listingOf([dataset('fast/k8s', {}, [one, two]), dataset('fast/k8s/a', {}, [one, two])]);
  assert.equal(digest({ here: later }), digest({}));
  assert.notEqual(digest({ here: source(dataset('fast/k8s/new', {}, [])) }), digest({}));
});

test('the plan says what is lost, what becomes readonly with the rest, and what a human must do', () => {
  const saved: SavedSharing = {
    v: 1,
    resource: 'k8s',
    at: '2026-11-20T02:00:00Z',
    properties: { 'fast/k8s/a': { mountpoint: '/srv/a' } },
    mountpoints: { 'fast/k8s/a': '/srv/a' },
    exports: ['/srv/a *(rw)'],
    problems: [],
  };
  const there = listingOf([replica('backup/k8s', [one, two]), replica('backup/k8s/a')]);
  const dead = planFailover(
    factsOf({ state: 'silent', settings: { source: 'off' }, there, saved }),
  ).plan.lines.join('\n');
  assert.match(dead, /What it wrote after these snapshots is not on grogu/);
  assert.match(dead, /Older than the rest: backup\/k8s\/a is of 2026-/);
  assert.match(dead, /- NFS export of \/srv\/a \(was \/srv\/a\) for \*\(rw\)/);
  const here = source(dataset('fast/k8s/scratch', {}, []));
  const living = planFailover(factsOf({ here })).plan.lines.join('\n');
  assert.match(living, /Not on the replica, and readonly with the rest: fast\/k8s\/scratch/);
  assert.match(living, /What din shares was never saved/);
});

test('roles: only the side that is in use sends, and an unknown word stops everything', () => {
  const root = (role?: string): Dataset => dataset('x', { role });
  const mine = 'k8s-to-grogu-2026-11-20T05:00:00Z';
  const forward = (here?: string, there?: string) =>
    whyNotForward({ source: root(here), target: root(there) }, mine, sides);
  assert.equal(forward(), undefined);
  assert.match(forward(undefined, 'promoted r s') ?? '', /two sides may have been written to/);
  assert.match(forward('standby r s', 'promoted r s') ?? '', /in use since r\. Nothing was sent/);
  assert.match(forward('standby r s') ?? '', /stands by since r/);
  assert.equal(forward(`standby ${mine} s`), undefined, 'the last catch-up of a failover is its own');
  assert.match(forward('what', undefined) ?? '', /nobody here wrote/);
  const back = (here?: string, there?: string) =>
    whyNotBack({ source: root(here), target: root(there) }, mine, sides);
  assert.equal(back('standby r s', 'promoted r s'), undefined);
  assert.match(back('standby r s', undefined) ?? '', /nothing to bring back/);
  assert.match(back(undefined, 'promoted r s') ?? '', /could be written to while it receives/);
  assert.equal(roleOf(root('-')), undefined);
  assert.throws(() => refuseStandby([root('standby r s')], 'din'), /What would be taken here is old/);
  assert.doesNotThrow(() => refuseStandby([root('promoted r s'), root()], 'grogu'));
});

test('a replica that is in use is not sent back to where the resource lives: a failback does that', () => {
  const replicaOf = (role?: string) => ({ name: 'backup/k8s', role });
  for (const role of ['promoted r grogu', 'standby r grogu'])
    assert.throws(
      () => refuseSecondSide(replicaOf(role), 'k8s-to-grogu'),
      /^HoldfastError: backup\/k8s .* since r: .*Use "holdfast do k8s-to-grogu failback"/,
    );
  assert.throws(() => refuseSecondSide(replicaOf('boss'), 'k8s-to-grogu'), /"boss", which nobody here wrote/);
  assert.doesNotThrow(() => refuseSecondSide(replicaOf(), 'k8s-to-grogu'));
  assert.doesNotThrow(() => refuseSecondSide(undefined, 'k8s-to-grogu'));
});

const backFacts = (returned: Listing, there = promoted(target())): FailbackFacts => {
  const input = { source: there, target: returned, sourceRoot: 'backup/k8s', targetRoot: 'fast/k8s', policy };
  return {
    run,
    resource: 'k8s',
    store: 'grogu',
    sides,
    input,
    plans: planReplication(input),
    hooks: { stop: [], start: [] },
  };
};

test('what the returned side wrote by itself is put aside and kept, and goes on from the last common snapshot', () => {
  const returned = source(dataset('fast/k8s/a/below', {}, [one]));
  const wrote = new Map(
    [...returned].map(([name, one]) => [name, name === 'fast/k8s/a' ? { ...one, writtenBytes: 512 } : one]),
  );
  const there = promoted(target(replica('backup/k8s/a/below')));
  const { apart, plan } = planFailback(backFacts(wrote, there));
  assert.deepEqual(
    apart.map(({ dataset, aside, common, children }) => ({ dataset, aside, common, children })),
    [
      {
        dataset: 'fast/k8s/a',
        aside: 'fast/k8s/a.parked-2026-11-20T030000Z',
        common: 'one',
        children: ['below'],
      },
    ],
  );
  assert(
    plan.lines.some((line) =>
      line.includes('It is kept as fast/k8s/a.parked-2026-11-20T030000Z and goes on from @one'),
    ),
  );
  const more = new Map(
    [...wrote].map(([name, one]) => [name, { ...one, writtenBytes: one.writtenBytes * 2 }]),
  );
  assert.notEqual(
    planFailback(backFacts(more, there)).plan.digest,
    plan.digest,
    'the yes is for just that much',
  );
});

test('a dataset without anything in common is put aside whole with what is below it, and copied anew', () => {
  const strange = listingOf([
    dataset('fast/k8s', {}, [one]),
    dataset('fast/k8s/a', {}, [snapshot('x', 5)]),
    dataset('fast/k8s/a/b', {}, [snapshot('y', 6)]),
  ]);
  const there = promoted(target(replica('backup/k8s/a/b')));
  const { apart } = planFailback(backFacts(strange, there));
  assert.deepEqual(
    apart.map(({ dataset, common }) => [dataset, common]),
    [['fast/k8s/a', undefined]],
  );
});

test('volumes that readonly does not stop are named before the yes, in both directions', () => {
  const volume = (name: string) => dataset(name, { type: 'volume' }, [one]);
  const over = planFailover(factsOf({ here: source(volume('fast/k8s/vol')) })).plan.lines;
  assert(over.some((line) => /Readonly does not stop .* on din first: fast\/k8s\/vol$/.test(line)));
  const there = promoted(target(volume('backup/k8s/vol')));
  const back = planFailback(backFacts(source(volume('fast/k8s/vol')), there)).plan.lines;
  assert(back.some((line) => /Readonly does not stop .* on grogu first: backup\/k8s\/vol$/.test(line)));
  // Those of the side that returned, too: clients may have opened them while it came up, and they go aside with what is put aside.
  assert(back.some((line) => /Readonly does not stop .* on din first: fast\/k8s\/vol$/.test(line)));
  const parked = dataset('fast/k8s/vol.parked-2026-11-20T030000Z', { type: 'volume' }, [one]);
  const without = planFailback(backFacts(source(parked), promoted(target()))).plan.lines.join();
  assert(!without.includes('Readonly does not stop'), "what was put aside long ago is nobody's");
  assert(!planFailover(factsOf()).plan.lines.join().includes('Readonly does not stop'));
});

test('what is excluded and was made on the side in use is named before the yes', () => {
  const there = promoted(target(replica('backup/k8s/scratch')));
  const { plan } = planFailback(backFacts(source(), there));
  assert(
    plan.lines.some((line) => /NOT brought back: .*backup\/k8s\/scratch$/.test(line)),
    plan.lines.join('\n'),
  );
  assert(!planFailback(backFacts(source())).plan.lines.join().includes('NOT brought back'));
});

test('the side that stands by because of one store is not brought back from another', () => {
  const standby = (store: string) =>
    new Map([...source()].map(([name, one]) => [name, { ...one, role: `standby r ${store}` }]));
  assert.throws(
    () => planFailback(backFacts(standby('offsite'))),
    /fast\/k8s stands by because of the store "offsite".*--set store=offsite/,
  );
  assert.doesNotThrow(() => planFailback(backFacts(standby('grogu'))));
});

test('nothing is brought back from a replica that is not in use, or whose failover has not ended', () => {
  assert.throws(
    () => planFailback(backFacts(source(), target())),
    /is not the one in use: there is nothing to bring back\. Nothing was changed/,
  );
  const half = promoted(target(), run, 'on');
  assert.throws(() => planFailback(backFacts(source(), half)), /the failover has not ended/);
});
