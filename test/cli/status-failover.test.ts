import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failedOver, stillOver } from '../../cli/status-failover.js';
import type { RunRow } from '../../cli/visibility.js';
import { actionsOf } from '../../config/actions.js';
import { readConfig } from '../../config/load.js';
import { compileAction } from '../../schedules/compile-action.js';

const row = (operation: string, hour: number): RunRow => ({
  run: `a.${operation}-2026-11-20T0${hour}:00:00Z`,
  job: 'a',
  operation,
  state: 'ok',
  startedAt: new Date(Date.UTC(2026, 10, 20, hour)),
  closedAt: new Date(Date.UTC(2026, 10, 20, hour, 30)),
  covers: 'grogu',
});
const of = (...rows: RunRow[]) => new Map(rows.map((one) => [one.job, one]));

test('a failover counts until a failback of the job has ended after it', () => {
  assert.equal(failedOver(of(row('failover', 3)), of()).get('a')?.store, 'grogu');
  assert.equal(failedOver(of(row('failover', 3)), of(row('failback', 5))).size, 0);
  assert.equal(
    failedOver(of(row('failover', 7)), of(row('failback', 5))).get('a')?.run,
    row('failover', 7).run,
  );
});

test('what was replicated since shows that the replica was put back without a failback', () => {
  const over = failedOver(of(row('failover', 3)), of()).get('a');
  assert.equal(stillOver(over, row('replicate', 2)), over);
  assert.equal(stillOver(over, undefined), over);
  assert.equal(stillOver(over, row('replicate', 5)), undefined);
});

test('only what was done says which replica it was about, and both know the host of the replica', () => {
  const { config } = readConfig('config/examples/zfs-replication.yaml');
  assert(config);
  const job = 'kubernetes-to-grogu';
  const failover = actionsOf(config, job).find(({ name }) => name === 'failover');
  assert(failover);
  const done = compileAction(config, job, failover, { settings: { source: 'off' } });
  const planned = compileAction(config, job, failover, { settings: {}, planOnly: true });
  assert.equal(done.searchAttributes.HfCovers, 'grogu');
  assert.equal(planned.searchAttributes.HfCovers, undefined);
  assert.deepEqual(done.args[0].storeHosts, { grogu: 'grogu' });
  assert.deepEqual(done.args[0].settings, { source: 'off' });
});
