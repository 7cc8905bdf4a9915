import type { ErrorCode } from '../../contracts/errors.js';
import type { Copy } from '../../contracts/jobs.js';
import { judgeCounts, type Outcome, type Played, type Scene } from './drill-judge.js';
import { killDuringCopy, withNoise } from './drill-kill.js';
import type { Stage } from './drill-stage.js';
import { workerKilled } from './drill-worker.js';
import { codeOf, wordsOf } from './machine.js';

/** The mishaps of the failure drill, in the order in which they are played; the first is the copy that the others must not harm. */

export const scenes: readonly ((stage: Stage) => Scene)[] = [
  (stage) => ({
    mishap: 'none: the first copy',
    expected: 'ok',
    play: async () => {
      const run = stage.newRun();
      return judge(stage, run, await outcomeOf(stage.backUp(run)), { ofRun: 1, good: 1 });
    },
  }),
  (stage) => ({
    mishap: 'the password is wrong',
    expected: 'HF_WRONG_PASSWORD',
    play: async () => {
      const right = await stage.tools.host.readFile(stage.key);
      await stage.tools.host.writeFile(stage.key, 'not the password of this repository\n');
      const run = stage.newRun();
      const came = await outcomeOf(stage.backUp(run));
      await stage.tools.host.writeFile(stage.key, right);
      return judge(stage, run, came, { ofRun: 0, good: 1 });
    },
  }),
  (stage) => ({
    mishap: 'the source has vanished',
    expected: 'HF_SOURCE_MISSING',
    play: async () => {
      const run = stage.newRun();
      const came = await whileAside(stage, stage.source, () => outcomeOf(stage.backUp(run)));
      return judge(stage, run, came, { ofRun: 0, good: 1 });
    },
  }),
  (stage) => ({
    mishap: 'the source has been emptied',
    expected: emptied[stage.guardedBy],
    play: async () => {
      const { host } = stage.tools;
      const run = stage.newRun();
      const came = await whileAside(stage, stage.source, async () => {
        await host.makeFolder(stage.source);
        const outcome = await outcomeOf(stage.backUp(run));
        await host.removeTree(stage.source, stage.place.folder);
        return outcome;
      });
      // Without marker and least only the copy itself shows it: it stays in the store and is not counted.
      return judge(stage, run, came, { ofRun: stage.guardedBy === 'nothing' ? 1 : 0, good: 1 });
    },
  }),
  (stage) => ({
    mishap: 'restic is killed in the middle of the copy',
    expected: 'HF_TOOL_KILLED',
    play: () =>
      withNoise(stage, async () => {
        const run = stage.newRun();
        const came = await outcomeOf(killDuringCopy(stage, run));
        return again(stage, run, came, 2);
      }),
  }),
  (stage) => ({
    mishap: 'the repository is gone',
    expected: 'HF_STORE_MISSING',
    play: async () => {
      const run = stage.newRun();
      const came = await whileAside(stage, stage.repository, () => outcomeOf(stage.backUp(run)));
      return judge(stage, run, came, { ofRun: 0, good: 2 });
    },
  }),
  (stage) => ({
    mishap: 'the store does not answer',
    expected: 'HF_STORE_UNREACHABLE',
    play: async () => {
      const run = stage.newRun();
      const came = await outcomeOf(stage.backUp(run, { config: withDeadStore(stage) }));
      return again(stage, run, came, 3);
    },
  }),
  workerKilled,
];

const emptied = {
  marker: 'HF_SOURCE_MISSING',
  least: 'HF_SOURCE_TOO_SMALL',
  nothing: 'HF_COPY_IMPLAUSIBLE',
} as const;

const outcomeOf = (step: Promise<Copy>): Promise<Outcome> =>
  step.then(
    () => ({ came: 'ok', message: '' }),
    (error: unknown) => ({ came: codeOf(error) as ErrorCode, message: wordsOf(error) }),
  );

async function whileAside<R>({ tools: { host } }: Stage, path: string, body: () => Promise<R>): Promise<R> {
  await host.rename(path, `${path}.aside`);
  try {
    return await body();
  } finally {
    await host.rename(`${path}.aside`, path);
  }
}

/** The second attempt, as Temporal makes it after an outage. */
async function again(stage: Stage, run: string, came: Outcome, good: number): Promise<Played> {
  const second = await outcomeOf(stage.backUp(run, { attempt: 2 }));
  const judged = await judge(stage, run, came, { ofRun: 1, good });
  const words =
    second.came === 'ok' ? 'the second attempt ended well' : `the second attempt said ${second.came}`;
  return {
    ...judged,
    endState: `${words}; ${judged.endState}`,
    isRight: judged.isRight && second.came === 'ok',
  };
}

const judge = async (
  stage: Stage,
  run: string,
  outcome: Outcome,
  right: { ofRun: number; good: number },
): Promise<Played> => ({ ...outcome, ...judgeCounts(await stage.count(run), right) });

/** Nobody listens on port 1 of this machine. */
function withDeadStore({ tools: { config }, place: { store } }: Stage): Stage['tools']['config'] {
  const restic = config.stores[store]?.restic;
  if (!restic) return config;
  return {
    ...config,
    stores: { [store]: { restic: { ...restic, repository: 'rest:http://127.0.0.1:1/' } } },
  };
}
