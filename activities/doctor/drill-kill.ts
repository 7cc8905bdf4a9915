import { HoldfastError } from '../../contracts/errors.js';
import type { Copy } from '../../contracts/jobs.js';
import { ticks } from '../../system/clock.js';
import type { Host } from '../../system/host.js';
import { locksIn, type Stage } from './drill-stage.js';

/** Kills the restic that the drill itself started, and no other, while it copies. */

const noiseMiB = 8;
/** So the copy takes about eight seconds, however quick the disk is. */
const uploadKiBps = 1024;
const waitMs = 30_000;
const lookEveryMs = 50;

/** The source holds something that takes time to store, as long as `body` runs. */
export async function withNoise<R>({ tools, source }: Stage, body: () => Promise<R>): Promise<R> {
  const file = `${source}/noise`;
  const args = ['if=/dev/urandom', `of=${file}`, 'bs=1M', `count=${noiseMiB}`];
  await tools.host.run({ file: 'dd', args }, { signal: tools.signal });
  try {
    return await body();
  } finally {
    await tools.host.removeTree(file, source);
  }
}

/** The shell writes its own number down and becomes restic: no other process can ever have that number meanwhile. */
const script = 'echo $$ > "$0.new" && mv -- "$0.new" "$0" && exec "$@"';

/** Starts the copy and kills it once it holds a lock in the repository. */
export async function killDuringCopy(stage: Stage, run: string): Promise<Copy> {
  const { tools, place, repository } = stage;
  const pidFile = `${place.folder}/pid`;
  const host: Host = {
    ...tools.host,
    run: (command, options) =>
      tools.host.run(
        command.args.includes('backup')
          ? { ...command, file: 'sh', args: ['-c', script, pidFile, command.file, ...command.args] }
          : command,
        options,
      ),
  };
  const ended = new AbortController();
  const copying = stage
    .backUp(run, { host, config: slowed(stage) })
    .finally(() => ended.abort(new HoldfastError('HF_INTERNAL', 'restic ended before it could be killed')));
  const killing = kill(host, { pidFile, repository, folder: place.folder, signal: ended.signal });
  const [copied, killed] = await Promise.allSettled([copying, killing]);
  if (killed.status === 'rejected') throw killed.reason;
  if (copied.status === 'rejected') throw copied.reason;
  return copied.value;
}

interface Victim {
  pidFile: string;
  repository: string;
  folder: string;
  signal: AbortSignal;
}

async function kill(host: Host, { pidFile, repository, folder, signal }: Victim): Promise<void> {
  const endsAt = ticks() + waitMs;
  while (!(await host.exists(pidFile)) || (await locksIn(host, repository)).length === 0) {
    signal.throwIfAborted();
    if (ticks() > endsAt) throw new HoldfastError('HF_INTERNAL', 'restic did not begin its copy in 30 s');
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  const pid = (await host.readFile(pidFile)).trim();
  const words = await host.readFile(`/proc/${pid}/cmdline`);
  if (!/^\d+$/.test(pid) || !words.includes(folder))
    throw new HoldfastError('HF_INTERNAL', `Process ${pid} is not the restic of the drill`);
  await host.run({ file: 'sh', args: ['-c', 'kill -KILL "$1"', 'sh', pid] });
}

function slowed({ tools: { config }, place: { store } }: Stage): Stage['tools']['config'] {
  const restic = config.stores[store]?.restic;
  if (!restic) return config;
  return { ...config, stores: { [store]: { restic: { ...restic, limits: { uploadKiBps } } } } };
}
