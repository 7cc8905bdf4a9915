import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { startRun } from '../cli/start.js';
import { loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { workflowQueue } from '../contracts/names.js';
import { compileRun } from '../schedules/compile.js';
import { mapBounded } from '../schedules/pool.js';
import { createLog } from '../system/log.js';
import { type Ended, runHoldfast } from '../test/support/children.js';
import { temporaryFolder } from '../test/support/temp.js';
import { startTestServer, type TestServer } from '../test/support/temporal-server.js';
import { waitFor } from '../test/support/wait.js';
import { bundle } from '../workers/bundle.js';
import { installRuntime } from '../workers/runtime.js';
import type { Figure } from './figures.js';
import { timed } from './measure.js';

/** An estate far larger than any home: what the commands take that look at all of it. */

export interface Crowd {
  jobs: number;
  /** Of each job: one check, the rest backups. */
  runsOfJob: number;
  repetitions: number;
}

export async function measureManyJobs({ jobs, runsOfJob, repetitions }: Crowd): Promise<Figure[]> {
  const folder = temporaryFolder('bench');
  const server = await startTestServer({ databaseFile: join(folder, 'temporal.db') });
  const file = join(folder, 'holdfast.yaml');
  writeFileSync(file, configFor(server, jobs));
  const ask = async (...args: string[]): Promise<Ended> => {
    const ended = await runHoldfast(args, { HOLDFAST_CONFIG: file, HOLDFAST_STATE: folder });
    if (ended.code !== 0)
      throw new Error(`holdfast ${args.join(' ')} ended with ${ended.code}: ${ended.stderr}`);
    return ended;
  };
  const seconds = async (times: number, ...args: string[]): Promise<number[]> => {
    const all: number[] = [];
    for (let index = 0; index < times; index += 1) all.push((await timed(() => ask(...args))).seconds);
    return all;
  };
  try {
    const part = `${jobs * 2} schedules`;
    const figures: Figure[] = [
      { part, what: 'check (the file alone)', unit: 's', values: await seconds(repetitions, 'check') },
      { part, what: 'first plan', unit: 's', values: await seconds(1, 'plan') },
      { part, what: 'first apply', unit: 's', values: await seconds(1, 'apply') },
      { part, what: 'plan when nothing has changed', unit: 's', values: await seconds(repetitions, 'plan') },
      {
        part,
        what: 'apply when nothing has changed',
        unit: 's',
        values: await seconds(repetitions, 'apply'),
      },
    ];
    const { seconds: made } = await timed(() => makeRuns(server, loadConfig(file), folder, runsOfJob));
    process.stderr.write(`bench: ${jobs * runsOfJob} runs made in ${made.toFixed(0)} s\n`);
    const listed = `${jobs} jobs, ${jobs * runsOfJob} runs`;
    const status = await seconds(repetitions, 'status');
    const one = await seconds(repetitions, 'status', 'job-7');
    const runs = await seconds(repetitions, 'runs');
    return [
      ...figures,
      { part: listed, what: 'status', unit: 's', values: status, wantedAtMost: 1 },
      { part: listed, what: 'status of one job', unit: 's', values: one },
      { part: listed, what: 'runs', unit: 's', values: runs },
    ];
  } finally {
    await server.stop();
  }
}

/** Two schedules a job, which never come while this lasts. */
const configFor = ({ address, namespace }: TestServer, jobs: number): string =>
  [
    `temporal: { address: "${address}", namespace: ${namespace} }`,
    'hosts: { nas: {} }',
    'resources: { photos: { host: nas, directory: /srv/photos } }',
    'stores: { vault: { restic: { repository: /srv/vault, password: { file: /k } } } }',
    'jobs:',
    ...Array.from(
      { length: jobs },
      (_, index) =>
        `  job-${index}: { kind: restic-backup, resources: [photos], store: vault, schedule: { cron: "${index % 60} 3 1 1 *" }, check: { cron: "${index % 60} 4 1 1 *" }, objective: { rpo: 26h, check: 35d } }`,
    ),
    '',
  ].join('\n');

const startsAtOnce = 40;

/** Started as the command line starts them, so that they carry the same attributes; all of them ended. */
async function makeRuns(
  { address, namespace }: TestServer,
  config: Config,
  folder: string,
  runsOfJob: number,
) {
  const codePath = join(folder, 'procedures.js');
  await bundle(fileURLToPath(new URL('./fake-procedures.js', import.meta.url)), codePath);
  // Not before a worker is needed: an unused runtime would keep this process alive.
  installRuntime(createLog('bench', 'error'));
  const native = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue: workflowQueue,
    workflowBundle: { codePath },
    maxConcurrentWorkflowTaskExecutions: startsAtOnce,
  });
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace });
  const temporal = { client, connection, address, namespace };
  // Night after night, as schedules would: the newest run of each job stands before the second newest of any.
  const wanted = Array.from({ length: runsOfJob }).flatMap((_, index) =>
    Object.keys(config.jobs).map((job) => ({ job, index })),
  );
  const begin = Date.now() - 86_400_000;
  await worker.runUntil(async () => {
    await mapBounded(wanted, startsAtOnce, ({ job, index }) => {
      const compiled = compileRun(config, job, index === 0 ? 'check' : 'backup');
      return startRun(temporal, compiled, new Date(begin + index * 60_000), { exclusive: false });
    });
    const query = `ExecutionStatus = 'Completed' AND HfOutcome = 'ok'`;
    await waitFor(async () => (await client.workflow.count(query)).count >= wanted.length, {
      timeoutMs: 300_000,
      everyMs: 500,
      what: `${wanted.length} runs to be listed as ended`,
    });
  });
  await connection.close();
  await native.close();
}
