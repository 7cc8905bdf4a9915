import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Temporal } from '../../cli/context.js';
import { listRuns, type RunRow } from '../../cli/visibility.js';

const encoded = (value: unknown) => ({ data: Buffer.from(JSON.stringify(value)) });

/** A server's page, as the wire has it. */
const listing = (executions: object[]): Temporal =>
  ({
    namespace: 'holdfast',
    client: { workflowService: { listWorkflowExecutions: async () => ({ executions }) } },
  }) as unknown as Temporal;

test('a run without an operation in its name is of the operation that its search attributes tell', async () => {
  const rows: RunRow[] = [];
  const indexedFields = {
    HfOperation: encoded('scrub'),
    HfOutcome: encoded(['ok']),
    HfRestorePoint: encoded('2026-11-20T03:00:00Z'),
    HfBytes: encoded(5),
  };
  const execution = { workflowId: 'weekly-2026-11-20T03:00:00Z' };
  const times = { startTime: { seconds: 1_800_000_000 }, closeTime: { seconds: 1_800_000_060 } };
  for await (const row of listRuns(
    listing([{ execution, status: 2, ...times, searchAttributes: { indexedFields } }]),
    {},
  ))
    rows.push(row);
  assert.deepEqual(
    rows.map(({ job, operation, state, restorePoint, bytes }) => ({
      job,
      operation,
      state,
      restorePoint: restorePoint?.toISOString(),
      bytes,
    })),
    [{ job: 'weekly', operation: 'scrub', state: 'ok', restorePoint: '2026-11-20T03:00:00.000Z', bytes: 5 }],
  );
});
