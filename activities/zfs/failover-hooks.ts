import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { hookNamed, runHook } from '../host/hooks.js';
import { openUndos } from '../host/undo.js';
import type { Zfs } from './listing.js';

/** The hooks of a failover: what stops the writers on one side, what starts them on the other; each by the configuration of its own host. */

type Asks = Pick<Tools, 'config' | 'log' | 'signal' | 'progress'>;

/** In their order. A retry runs them again. */
export async function runFailoverHooks(
  { config, log, signal, progress }: Asks,
  { host }: Zfs,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    const { run: argv, timeout: timeoutMs } = hookNamed(config, host.name, name);
    progress({ phase: `hook ${name} on ${host.name}` });
    log(`hook ${name} on ${host.name}`);
    await runHook(host, { name, argv, timeoutMs }, { signal, log });
  }
}

/** The last one first; what cannot be undone is told, because then a human does it. */
export async function undoFailoverHooks(
  { config, log, signal, progress }: Asks,
  { host }: Zfs,
  names: readonly string[],
): Promise<string[]> {
  const left: string[] = [];
  for (const name of [...names].reverse()) {
    const { undo: argv, timeout: timeoutMs } = hookNamed(config, host.name, name);
    if (!argv) {
      left.push(`The hook "${name}" on "${host.name}" has no undo: do by hand what it takes`);
      continue;
    }
    progress({ phase: `undo of the hook ${name} on ${host.name}` });
    log(`undo of the hook ${name} on ${host.name}`);
    await runHook(host, { name: `undo of ${name}`, argv, timeoutMs }, { signal, log });
  }
  return left;
}

/**
 * The hooks run once for all resources of a job, and belong to each of them: the first may be past all undo when the second is put back.
 * Another part of the same run that still waits to be put back, and will take them back.
 */
export const othersWithHooks = async (
  host: Host,
  run: string,
  { kind, what }: { kind: string; what: string },
): Promise<boolean> =>
  (await openUndos(host, run)).some(
    (open) => open.what !== what && open.what.startsWith(`${kind}:`) && open.former.hooks === true,
  );
