import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Estate } from '../test/support/estate.js';
import { repositoryRoot } from '../test/support/root.js';
import { waitFor } from '../test/support/wait.js';

export const folder = join(repositoryRoot, 'test/histories');

/** The history of a run that has ended or soon will, for the replay tests. */
export async function record(estate: Estate, type: string, cause: string, workflowId: string): Promise<void> {
  const handle = estate.client.workflow.getHandle(workflowId);
  await waitFor(async () => (await handle.describe()).status.name !== 'RUNNING', {
    timeoutMs: 120_000,
    what: `${workflowId} to end`,
  });
  const history = await handle.fetchHistory();
  mkdirSync(join(folder, type), { recursive: true });
  const text = `${JSON.stringify(JSON.parse(historyToJSON(history)), null, 1)}\n`;
  // Paths of this machine say nothing to a replay.
  writeFileSync(join(folder, type, `${cause}.json`), text.replaceAll(estate.folder, '/estate'));
  process.stdout.write(`${type}/${cause}: ${history.events?.length} events\n`);
}

/** The newest execution of a type that has no RUN of its own. */
export const firstOf = async (estate: Estate, type: string): Promise<string> => {
  for await (const { workflowId } of estate.client.workflow.list({ query: `WorkflowType = '${type}'` }))
    return workflowId;
  throw new Error(`no run of ${type}`);
};
