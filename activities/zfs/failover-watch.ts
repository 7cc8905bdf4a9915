import { HoldfastError } from '../../contracts/errors.js';
import type { WatchReport, WatchStepInput } from '../../contracts/failover.js';
import { ticks, wait } from '../../system/clock.js';
import type { Tools } from '../door.js';
import { lookForReturned, type Returned } from './failover-fence.js';
import { replicates } from './failover-job.js';

/** After a failover whose source did not answer: it is asked again and again, so that it is made readonly seconds after it is back. */

export interface Pace {
  everyMs: number;
  /** Then the step is begun anew, with the holdfast.yaml of that day. */
  anewAfterMs: number;
}

const pace: Pace = { everyMs: 20_000, anewAfterMs: 15 * 60_000 };

type State = Returned['state'] | 'in trouble';
type States = Map<string, State>;

/** Ends when a source answered, or when nothing is left to wait for. Trouble of any kind is waited out: giving up would leave a second side. */
export async function watchReturned(
  tools: Tools,
  input: WatchStepInput,
  { everyMs, anewAfterMs } = pace,
): Promise<WatchReport> {
  const beganMs = ticks();
  const states: States = new Map();
  for (;;) {
    const found = await lookAtAll(tools, input, states);
    const isOver = input.resources.every((resource) => isSettled(states.get(resource)));
    const open = input.resources.filter((resource) => states.get(resource) === 'open');
    if (isOver || found.length > 0) return { found, open, isOver };
    tools.progress({ phase: `waiting for the return of ${input.resources.join(', ')}` });
    if (ticks() - beganMs > anewAfterMs)
      throw new HoldfastError('HF_SSH_UNREACHABLE', 'Nothing has come back yet: it is asked again');
    await wait(everyMs, tools.signal);
  }
}

/** What is to be told; how each is stands in `states`. */
async function lookAtAll(tools: Tools, input: WatchStepInput, states: States): Promise<string[]> {
  const found: string[] = [];
  for (const resource of input.resources) {
    const before = states.get(resource);
    if (before === 'stands by' || before === 'fenced') continue;
    const { state, words } = await lookOnce(tools, input, resource);
    if (state !== before) tools.log([resource, state, ...(words === '' ? [] : [words])].join(': '));
    states.set(resource, state);
    if (state === 'fenced' || (state === 'open' && !input.told.includes(resource))) found.push(words);
  }
  return found;
}

/** A replica that is not in use yet may be so soon, while others of the run are: it is settled only with all the rest. */
const isSettled = (state: State | undefined): boolean =>
  state === 'not in use' || state === 'stands by' || state === 'fenced';

async function lookOnce(
  tools: Tools,
  { job, run, store, retryForMs }: WatchStepInput,
  resource: string,
): Promise<{ state: State; words: string }> {
  const step = { job, run, resource, store, retryForMs, settings: {} };
  if (!replicates(tools.config, step)) return { state: 'not in use', words: 'the file has no such replica' };
  try {
    return { words: '', ...(await lookForReturned(tools, step)) };
  } catch (error) {
    if (tools.signal.aborted || !(error instanceof HoldfastError)) throw error;
    return { state: 'in trouble', words: error.message };
  }
}
