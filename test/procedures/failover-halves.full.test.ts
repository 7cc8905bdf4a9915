import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Estate } from '../support/estate.js';
import { act, jobName, property, replicate, startFailoverEstate } from '../support/failover-estate.js';
import { needs } from '../support/needs.js';
import { waitFor } from '../support/wait.js';
import { useZfsLab } from '../support/zfs-lab.js';

/** A failover of two resources that is terminated between them: what was not taken over is put back, the programs with it, and it can be gone on with. */

const lab = useZfsLab({ own: true });
const skip = lab.skip || needs('temporal', 'restic');
let estate: Estate | undefined;
after(() => estate?.stop());

test('terminated after the first of two: the second is put back with the programs, and another failover and failback bring both there and back', {
  skip,
}, async () => {
  const { din, grogu } = lab;
  const [web, db] = [`${din.parents.fast}/k8s`, `${din.parents.fast}/my db`];
  const [webThere, dbThere] = [`${grogu.parents.backup}/k8s`, `${grogu.parents.backup}/db`];
  await din.sh(`set -e; rm -f /var/tmp/hooks
    for tree in '${web}' '${db}'; do zfs create "$tree"; zfs create "$tree/a b"; zfs snapshot -r "$tree@one"; done`);
  await grogu.sh('rm -f /var/tmp/hooks');
  const running = await startFailoverEstate(lab, (config) => {
    config.resources.db = { host: 'din', dataset: db };
    config.jobs[jobName].resources = ['k8s', 'db'];
  });
  estate = running;
  const first = await replicate(running);
  assert.equal(first.code, 0, first.text);

  const roleOn = async (host: typeof din, name: string): Promise<string> =>
    property(host, name, 'holdfast:role');
  const child = running.start('do', jobName, 'failover', '--yes');
  // Only the orchestrator knows what comes next: with the worker gone nothing is begun after this.
  await waitFor(async () => /^promoted/.test(await roleOn(grogu, webThere)), {
    timeoutMs: 240_000,
    what: 'the first replica to be in use',
  });
  await running.worker.stop('SIGKILL');
  const role = await roleOn(grogu, webThere);
  const run = role.split(' ')[1] ?? '';
  await running.client.workflow.getHandle(run).terminate('by the test');
  await child.exit;
  assert.equal(
    await roleOn(grogu, dbThere),
    '-',
    'the second was begun already: this test has come too late',
  );
  assert.equal(await din.sh('cat /var/tmp/hooks'), 'stop-apps');
  await running.startWorker();
  await waitFor(async () => (await roleOn(din, db)) === '-', {
    timeoutMs: 120_000,
    what: 'the second source to be put back',
  });
  await waitFor(async () => (await din.sh('cat /var/tmp/hooks')) === 'stop-apps\nundo-stop-apps', {
    timeoutMs: 60_000,
    what: 'the programs to be given back',
  });
  assert.equal(await property(din, `${db}/a b`, 'readonly'), 'off');
  assert.match(await roleOn(din, web), /^standby /, 'what is in use over there stays shut');

  const over = await act(running, 'failover');
  assert.equal(over.code, 0, over.text);
  for (const name of [webThere, dbThere]) {
    assert.match(await roleOn(grogu, name), /^promoted /);
    assert.equal(await property(grogu, `${name}/a b`, 'readonly'), 'off');
  }
  for (const name of [web, db]) assert.equal(await property(din, `${name}/a b`, 'readonly'), 'on');
  assert.equal(await din.sh('cat /var/tmp/hooks'), 'stop-apps\nundo-stop-apps\nstop-apps');
  assert.equal(await grogu.sh('cat /var/tmp/hooks'), 'start-apps');

  const back = await act(running, 'failback');
  assert.equal(back.code, 0, back.text);
  for (const name of [web, db]) assert.equal(await property(din, `${name}/a b`, 'readonly'), 'off');
  assert.match(await din.sh('cat /var/tmp/hooks'), /stop-apps\nundo-stop-apps$/);
  assert.equal(await grogu.sh('cat /var/tmp/hooks'), 'start-apps\nundo-start-apps');
});
