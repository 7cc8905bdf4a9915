import { type ErrorCode, HoldfastError } from '../../contracts/errors.js';
import { ticks, wait } from '../../system/clock.js';
import { signalRecorded } from '../../system/recorded.js';
import { type Engine, openEngine } from './drill-engine.js';
import { judgeWorkerKilled, type Outcome, type Played, type Scene } from './drill-judge.js';
import { withNoise } from './drill-kill.js';
import { locksIn, type Stage } from './drill-stage.js';

/** A real run in an engine of its own, whose worker is killed in the middle of the copy: what Temporal makes of it, and what is said meanwhile. */

const mishap = 'the worker is killed in the middle of the copy';
const patienceMs = 90_000;
const lookEveryMs = 50;

/** The last scene: an engine leaves more behind than a restic does. */
export const workerKilled = (stage: Stage): Scene => ({
  mishap,
  expected: 'ok',
  play: async () => {
    const engine = await openEngine(stage);
    if ('skipped' in engine) return engine;
    try {
      return await withNoise(stage, () => play(stage, engine));
    } finally {
      await engine.end();
    }
  },
});

async function play(stage: Stage, engine: Engine): Promise<Played> {
  const good = (await stage.count('')).good + 1;
  engine.startWorker();
  const { run } = await asked<{ run: string }>(engine, 'run', stage.place.job);
  await killWhileCopying(stage, engine);
  const said = await whatIsSaid(stage, engine, run);
  stage.tools.log(`drill: ${run}: ${said}`);
  engine.startWorker();
  const end = await endOf(engine, run);
  stage.tools.log(`drill: ${run}: ${end.came}`);
  const tools = await engine.running('restic-backup');
  const counts = await stage.count(run);
  const left = [...tools, ...(await engine.leave())].map(({ name }) => name);
  return judgeWorkerKilled({ end, said, counts, left }, good);
}

/** Its restic is not killed with it: it goes on alone, as it does where nothing ends it with its worker. */
async function killWhileCopying(stage: Stage, engine: Engine): Promise<void> {
  const { tools, repository } = stage;
  await until(stage, 'restic did not begin its copy', async () => {
    const copying = (await engine.running('restic-backup')).length > 0;
    return copying && (await locksIn(tools.host, repository)).length > 0;
  });
  const workers = await engine.running('holdfast-worker');
  tools.log(`drill: worker ${workers.map(({ pid }) => pid).join(', ')} is killed`);
  signalRecorded(workers, 'SIGKILL');
  await until(stage, 'the worker could not be killed', async () => {
    return (await engine.running('holdfast-worker')).length === 0;
  });
  if ((await engine.running('restic-backup')).length > 0) return;
  throw new HoldfastError('HF_INTERNAL', 'restic ended before its worker could be killed');
}

interface Shown {
  pending?: { attempt: number }[];
  waitingFor?: string;
}

/** Asked of Temporal's own state until it has noticed that nobody works on the step; what an operator reads then. */
async function whatIsSaid(stage: Stage, engine: Engine, run: string): Promise<string> {
  const noticed = async (): Promise<boolean> => {
    const { pending = [], waitingFor } = await asked<Shown>(engine, 'show', run);
    return waitingFor !== undefined && pending.some(({ attempt }) => attempt > 1);
  };
  await until(stage, 'nobody noticed that the worker is dead', noticed);
  const rows = await asked<{ running?: string; waiting?: string }[]>(engine, 'status', stage.place.job);
  return rows.find(({ running }) => running === run)?.waiting ?? '';
}

/** The exit code and the machine output of the command that follows a run. */
async function endOf(engine: Engine, run: string): Promise<Outcome> {
  const { exitCode, stdout, stderrTail } = await engine.holdfast('show', run, '--follow', '--json');
  const said = parsed<{ outcome?: string; error?: { code: ErrorCode; message: string } }>(stdout);
  if (exitCode === 0 && said?.outcome === 'ok') return { came: 'ok', message: '' };
  const message =
    said?.error?.message ?? (said?.outcome ? `it ended with ${said.outcome}` : stderrTail.trim());
  return { came: said?.error?.code ?? 'HF_INTERNAL', message };
}

/** What a command answers with --json. */
async function asked<T>(engine: Engine, ...args: string[]): Promise<T> {
  const { exitCode, stdout, stderrTail } = await engine.holdfast(...args, '--json');
  const answer = parsed<T & { error?: { message?: string } }>(stdout);
  if (exitCode === 0 && answer !== undefined) return answer;
  const words = answer?.error?.message ?? stderrTail.trim();
  throw new HoldfastError('HF_INTERNAL', `"holdfast ${args[0]}" of the drill failed: ${words.slice(0, 200)}`);
}

function parsed<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

async function until(
  { tools: { signal } }: Stage,
  failure: string,
  isSo: () => Promise<boolean>,
): Promise<void> {
  const endsAt = ticks() + patienceMs;
  while (!(await isSo())) {
    if (ticks() > endsAt) throw new HoldfastError('HF_INTERNAL', `${failure} in ${patienceMs / 1000} s`);
    await wait(lookEveryMs, signal);
  }
}
