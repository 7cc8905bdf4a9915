import { HoldfastError } from '../../contracts/errors.js';

/** What `zpool status` says of one pool, as far as scrubs and doctors ask. Pure. */

export interface Scan {
  kind: 'scrub' | 'resilver';
  state: 'running' | 'paused' | 'finished' | 'canceled';
  /** Seconds since 1970; 0 where it is not told. */
  startedS: number;
  /** 0 while it goes on. */
  endedS: number;
  /** How much has been read of how much; -1 where it is only told in rounded words. */
  bytesDone: number;
  bytesTotal: number;
  /** In bytes; rounded where zpool speaks in words. */
  repairedBytes: number;
  errors: number;
}

export interface PoolStatus {
  pool: string;
  /** ONLINE, DEGRADED, FAULTED, … */
  state: string;
  /** None: the pool was never scrubbed. */
  scan: Scan | undefined;
  /** Known errors in data that could not be repaired. */
  errorCount: number;
  /** The files with errors, or `dataset:<0x…>` where no path is known any more. */
  errorFiles: string[];
}

const odd = (what: string): HoldfastError =>
  new HoldfastError('HF_TOOL_FAILED', `zpool status cannot be understood: ${what}`.slice(0, 300));

const kinds: Record<string, Scan['kind']> = { SCRUB: 'scrub', RESILVER: 'resilver' };
const states: Record<string, Scan['state']> = {
  SCANNING: 'running',
  FINISHED: 'finished',
  CANCELED: 'canceled',
};

/** Of `zpool status -j -p -v`. Numbers come as text, or as numbers when somebody asks for it. */
export function parsePoolJson(text: string, pool: string): PoolStatus {
  let found: Record<string, unknown> | undefined;
  try {
    const { pools } = JSON.parse(text) as { pools?: Record<string, Record<string, unknown>> };
    found = pools?.[pool];
  } catch {
    throw odd('it is no JSON');
  }
  if (typeof found?.state !== 'string') throw odd(`it does not speak of "${pool}"`);
  const files = found.errlist;
  return {
    pool,
    state: found.state,
    scan: scanOf(found.scan_stats as Record<string, unknown> | undefined),
    errorCount: numberOf(found.error_count ?? 0, 'error_count'),
    errorFiles: Array.isArray(files) ? files.map(String) : [],
  };
}

function numberOf(value: unknown, what: string): number {
  const number = Number(value);
  if (!Number.isFinite(number) || value === '' || value === null) throw odd(`${what} is "${String(value)}"`);
  return number;
}

function scanOf(stats: Record<string, unknown> | undefined): Scan | undefined {
  const kind = kinds[String(stats?.function)];
  const state = states[String(stats?.state)];
  if (!stats || stats.function === 'NONE') return undefined;
  if (!kind || !state) throw odd(`a scan of the kind ${String(stats.function)} is ${String(stats.state)}`);
  const number = (name: string): number => numberOf(stats[name] ?? 0, name);
  return {
    kind,
    state: state === 'running' && number('scrub_pause') > 0 ? 'paused' : state,
    startedS: number('start_time'),
    endedS: number('end_time'),
    bytesDone: number('issued'),
    bytesTotal: number('to_examine'),
    repairedBytes: number('processed'),
    errors: number('errors'),
  };
}
