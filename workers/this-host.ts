import { hostname } from 'node:os';
import type { Config } from '../config/schema.js';
import { HoldfastError } from '../contracts/errors.js';

/** Which host of the configuration this machine is: the one that was named, else the one of our host name, else the only one that has a worker. */
export function thisHost({ hosts }: Config, named?: string): string {
  const withWorker = Object.keys(hosts).filter((name) => !hosts[name]?.ssh?.via);
  const own = hostname().split('.')[0] ?? '';
  const chosen =
    named ?? (withWorker.includes(own) ? own : withWorker.length === 1 ? withWorker[0] : undefined);
  if (chosen !== undefined && withWorker.includes(chosen)) return chosen;
  const list = withWorker.join(', ') || 'none';
  if (chosen === undefined) {
    throw new HoldfastError(
      'HF_CONFIG_INVALID',
      `Which host is this machine? Say --host NAME; hosts with a worker of their own: ${list}`,
    );
  }
  throw new HoldfastError(
    'HF_CONFIG_INVALID',
    `"${chosen}" is not a host with a worker of its own; there are: ${list}`,
  );
}
