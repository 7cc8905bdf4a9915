import { Runtime } from '@temporalio/worker';
import type { Log } from '../system/log.js';

type Meta = Record<string, unknown>;

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** Workers of ours run either workflows or activities; the SDK warns of each at every start. */
const expected = /^No (activities|workflows) registered/;

/** Temporal's own words go into our log; its signal handling is switched off, because it would kill a worker that owns children. */
export function installRuntime(log: Log): void {
  const write = (level: keyof typeof levels, message: string, meta: Meta = {}): void => {
    if (expected.test(message)) return;
    const { error, ...fields } = meta;
    // A stack of ours is of no use to an operator, and an error may carry what a tool said: its message is redacted, it stays.
    const cause = error instanceof Error ? { reason: error.message } : {};
    log[levels[level]]({ ...fields, ...cause }, message);
  };
  Runtime.install({
    shutdownSignals: [],
    logger: {
      log: write,
      trace: (message, meta) => write('TRACE', message, meta),
      debug: (message, meta) => write('DEBUG', message, meta),
      info: (message, meta) => write('INFO', message, meta),
      warn: (message, meta) => write('WARN', message, meta),
      error: (message, meta) => write('ERROR', message, meta),
    },
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
  });
}
