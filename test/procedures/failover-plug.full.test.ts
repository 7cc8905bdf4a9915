import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { watchRun } from '../../contracts/names.js';
import type { Estate } from '../support/estate.js';
import {
  act,
  assertOneSide,
  fileIn,
  guids,
  jobName,
  makeTree,
  property,
  replicate,
  startFailoverEstate,
  treesOf,
  writeIn,
} from '../support/failover-estate.js';
import { needs } from '../support/needs.js';
import { runIn } from '../support/run-watch.js';
import { waitFor } from '../support/wait.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** din's plug is pulled: the replica takes over, din returns, and everything is brought back. Hosts boot under emulation: takes minutes. */

const lab = useZfsLab({ own: true });
const skip = lab.skip || needs('temporal', 'restic');
let estate: Estate | undefined;
after(() => estate?.stop());

const started = async (): Promise<Estate> => {
  estate ??= await startFailoverEstate(lab);
  return estate;
};

/** Empty snapshots that only din had when it went down stand in nobody's way and stay there. */
const guidsOnDin = async (source: string): Promise<string[]> =>
  (await guids(lab.din, source)).filter((row) => !row.includes('@not-replicated'));

test('the plug of din is pulled: no word, no failover; then grogu is used, din returns and stands by, and all is brought back', {
  skip,
}, async () => {
  const trees = treesOf(lab);
  const { source, target } = trees;
  await makeTree(lab, trees);
  const running = await started();
  const first = await replicate(running);
  assert.equal(first.code, 0, first.text);
  // What only din has when its plug is pulled.
  await lab.din.sh(`echo lost > '/${source}/pvc 1/lost'; zfs snapshot -r '${source}@not-replicated'; sync`);
  await lab.din.pullPlug();

  const silent = await act(running, 'failover');
  assert.equal(silent.code, 5, silent.text);
  assert.match(silent.text, /That proves nothing/);
  const over = await act(running, 'failover', '--set', 'source=off');
  assert.equal(over.code, 0, over.text);
  assert.equal(await fileIn(lab.grogu, `${target}/pvc 1`, 'data'), 'first');
  await writeIn(lab.grogu, `${target}/pvc 1`, 'data', 'second');
  const away = await replicate(running);
  assert.equal(away.code, 5, away.text);
  assert.match(away.text, /is the one in use since .*does not answer/);

  // No replication looks, as where somebody has paused a job that fails each hour; and the worker goes down meanwhile.
  await running.worker.stop('SIGKILL');
  await lab.din.boot();
  assert.equal(await property(lab.din, source, 'readonly'), 'off', 'it comes up as it was');
  await running.startWorker();
  await waitFor(async () => (await property(lab.din, `${source}/vol`, 'readonly')) === 'on', {
    timeoutMs: 180_000,
    what: 'what came back to be made readonly',
  });
  const watch = running.client.workflow.getHandle(watchRun(over.run));
  const { found } = (await watch.result()) as { found: string[] };
  assert.match(
    found.join(),
    /answers while .* two sides may have been written to.* made readonly just now.*end the sessions .* on din now: .*\/vol/,
  );
  await assertOneSide(lab, trees);

  // It says once more that it is in use: each replication looks, also one that is told that din is away.
  const comesBack = () =>
    lab.din.sh(`zfs inherit holdfast:role '${source}'; zfs set readonly=off '${source}'`);
  await comesBack();
  running.configure((config) => {
    config.hosts.din.away = { until: '2999-01-01', because: 'dead' };
  });
  const early = await replicate(running);
  assert.equal(early.code, 5, early.text);
  assert.match(early.text, /on din answers while .*was made readonly just now/);
  await assertOneSide(lab, trees);
  running.configure((config) => {
    delete config.hosts.din.away;
  });
  await comesBack();
  const seen = await replicate(running);
  assert.equal(seen.code, 5, seen.text);
  assert.match(seen.text, /was not standing by: two sides may have been written to/);
  assert.match(seen.text, /was made readonly just now/);
  await assertOneSide(lab, trees);
  const again = await replicate(running);
  assert.equal(again.code, 5, again.text);
  assert.doesNotMatch(again.text, /two sides/);

  const back = await act(running, 'failback');
  assert.equal(back.code, 0, back.text);
  await assertOneSide(lab, trees);
  assert.match(back.text, /pvc 1.*It is kept as .*parked-/);
  assert.equal(await fileIn(lab.din, `${source}/pvc 1`, 'data'), 'second');
  assert.deepEqual(await guids(lab.grogu, target), await guidsOnDin(source));
  const parked = await lab.din.sh(`zfs list -H -r -o name '${source}' | grep 'pvc 1.parked-' | head -1`);
  await lab.din.sh(`mkdir -p /var/tmp/look; mount -t zfs -o ro '${parked}@not-replicated' /var/tmp/look`);
  assert.equal(
    await lab.din.sh('cat /var/tmp/look/lost; umount /var/tmp/look'),
    'lost',
    'nothing is thrown away',
  );
  const log = (await running.holdfast('logs', back.run)).stdout;
  assert.doesNotMatch(log, /zfs send -vP -L -c [^|#]*@one \|/, 'nothing that is there is sent whole');

  await lab.din.sh(`zfs snapshot -r '${source}@after'`);
  const forward = await replicate(running);
  assert.equal(forward.code, 0, forward.text);
  assert.deepEqual(await guids(lab.grogu, target), await guidsOnDin(source));
});

test('the worker killed while the replica takes over: the run goes on, and never are both sides writable', {
  skip,
}, async () => {
  const running = await started();
  const trees = treesOf(lab);
  const { source, target } = trees;
  const { stdout } = await running.holdfast('do', jobName, 'failover', '--plan');
  assert.match(stdout, /becomes the one in use/);
  const child = running.start('do', jobName, 'failover', '--yes');
  await waitFor(
    async () =>
      /^(promoted|standby)/.test((await lab.din.ask(`zfs get -H -o value holdfast:role '${source}'`)).stdout),
    {
      timeoutMs: 240_000,
      what: 'the source to stand by',
    },
  );
  await running.worker.stop('SIGKILL');
  await assertOneSide(lab, trees);
  await running.startWorker();
  await waitFor(
    async () =>
      /^promoted/.test((await lab.grogu.ask(`zfs get -H -o value holdfast:role '${target}'`)).stdout),
    {
      timeoutMs: 240_000,
      what: 'the replica to be promoted',
    },
  );
  await running.worker.stop('SIGKILL');
  await assertOneSide(lab, trees);
  await running.startWorker();
  const { code, stdout: said, stderr } = await child.exit;
  assert.equal(code, 0, said + stderr);
  await assertOneSide(lab, trees);
  assert.deepEqual(await guids(lab.grogu, target), await guidsOnDin(source));
  assert.equal(await property(lab.grogu, `${target}/pvc 1`, 'readonly'), 'off');
});

test('the worker killed and the run terminated before the replica is touched: the source is made writable again', {
  skip,
}, async () => {
  const running = await started();
  const trees = treesOf(lab);
  const { source, target } = trees;
  const back = await act(running, 'failback');
  assert.equal(back.code, 0, back.text);
  const child = running.start('do', jobName, 'failover', '--yes');
  const run = runIn(await child.waitForLine('started', 120_000));
  await waitFor(
    async () => /^standby/.test((await lab.din.ask(`zfs get -H -o value holdfast:role '${source}'`)).stdout),
    {
      timeoutMs: 240_000,
      what: 'the source to stand by',
    },
  );
  await running.worker.stop('SIGKILL');
  await running.client.workflow.getHandle(run).terminate('a test');
  await running.startWorker();
  await waitFor(async () => (await property(lab.din, source, 'readonly')) === 'off', {
    timeoutMs: 240_000,
    what: 'the source to be writable again',
  });
  assert.notEqual(await property(lab.grogu, target, 'readonly'), 'off');
  await assertOneSide(lab, trees);
});
