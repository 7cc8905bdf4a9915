import { jobOf, resourceOf } from '../../config/lookup.js';
import type { Config, HostConfig, JobConfig } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { HookStepInput, HookTime } from '../../contracts/hooks.js';
import type { Command, Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { checkHostOf, checkRunOfJob } from '../restic/job.js';
import { markUndone, openUndos, recordFormerStateAgain, thingOf } from './undo.js';

/** Programs of the host's own configuration around a job's work: what is run is decided there, never by who starts the workflow. */

type Hook = NonNullable<HostConfig['hooks']>[string];

/** By it the journal of former states knows what to do when a run ended without its own clean-up. */
export const hookKind = 'hook';

/** Runs the job's hooks in their order. Each that can be undone is written down first: a crash in between undoes too much rather than too little. */
export async function runHooks(tools: Tools, input: HookStepInput): Promise<{ ran: string[] }> {
  const { host, run } = tools;
  const hooks = hooksOf(tools, input);
  for (const { name, owner, hook } of hooks) {
    if (hook.undo) await recordFormerStateAgain(host, run, `${hookKind}:${name}`, { host: owner });
    tools.progress({ phase: `hook ${name}` });
    tools.log(`hook ${name}`);
    await runHook(host, { name, argv: hook.run, timeoutMs: hook.timeout }, tools);
  }
  return { ran: hooks.map(({ name }) => name) };
}

/** Undoes what this run's hooks have changed, the last first. One that fails does not keep the others from being undone. */
export async function undoHooks(tools: Tools, input: HookStepInput): Promise<{ undone: string[] }> {
  const { host, run, config } = tools;
  hooksOf(tools, input);
  const open = (await openUndos(host, run)).filter(({ what }) => what.startsWith(`${hookKind}:`));
  let failed: unknown;
  for (const { what, former } of open) {
    try {
      await putBackHook(() => config)(host, what, former);
      await markUndone(host, run, what);
    } catch (error) {
      failed ??= error;
    }
  }
  if (failed !== undefined) throw failed;
  return { undone: open.map(({ what }) => what.slice(hookKind.length + 1)) };
}

/** What a hook changed, put back as the configuration of today says. */
export const putBackHook =
  (config: () => Config) =>
  async (host: Host, what: string, former: Record<string, unknown>): Promise<void> => {
    const name = thingOf(what).slice(hookKind.length + 1);
    const hook = hookNamed(config(), String(former.host), name);
    if (hook.undo) await runHook(host, { name: `undo of ${name}`, argv: hook.undo, timeoutMs: hook.timeout });
  };

interface Named {
  name: string;
  owner: string;
  hook: Hook;
}

function hooksOf({ config, host, run }: Tools, { job, when, resource }: HookStepInput): Named[] {
  const found = jobOf(config, job);
  checkRunOfJob(run, job);
  checkHostOf(config, resource, host.name);
  const names = namesOf(found, when);
  if (!found.resources.includes(resource) || names === undefined) {
    throw new HoldfastError('HF_NOT_IN_CONFIG', `The job "${job}" has no hooks for "${resource}"`);
  }
  const owner = resourceOf(config, resource).host;
  return names.map((name) => ({ name, owner, hook: hookNamed(config, owner, name) }));
}

/** undefined for a kind of job that has no hooks. */
function namesOf(job: JobConfig, when: HookTime): string[] | undefined {
  if (job.kind === 'zfs-snapshot') return job[when];
  if (job.kind === 'snapraid-maintenance') return when === 'before' ? job.pause.hooks : [];
  return undefined;
}

/** What the configuration means by a hook's name on a host. */
export function hookNamed(config: Config, host: string, name: string): Hook {
  const hooks = config.hosts[host]?.hooks ?? {};
  const hook = Object.hasOwn(hooks, name) ? hooks[name] : undefined;
  if (hook) return hook;
  throw new HoldfastError(
    'HF_NOT_IN_CONFIG',
    `hosts.${host}.hooks has no "${name}" in this host's holdfast.yaml`,
  );
}

interface Call {
  name: string;
  argv: readonly string[];
  timeoutMs: number;
}

/** Ends it after its time; anything but exit code 0 is a failure in our words. */
export async function runHook(host: Host, call: Call, tools?: Pick<Tools, 'signal' | 'log'>): Promise<void> {
  const why = await whyNotZero(host, call, tools);
  if (why === undefined) return;
  throw new HoldfastError(
    'HF_HOOK_FAILED',
    `The hook "${call.name}" on "${host.name}" failed: ${why}. Try its program there by hand`.slice(0, 300),
  );
}

/** How a program of the configuration ended, in words; undefined where it ended with 0, in its time. */
export async function whyNotZero(
  host: Host,
  { argv, timeoutMs }: Omit<Call, 'name'>,
  tools?: Pick<Tools, 'signal' | 'log'>,
): Promise<string | undefined> {
  const [file = '', ...args] = argv;
  const command: Command = { file, args };
  const tooLong = AbortSignal.timeout(timeoutMs);
  const signal = tools ? AbortSignal.any([tools.signal, tooLong]) : tooLong;
  const result = await host
    .run(command, { signal, ...(tools && { log: tools.log }) })
    .catch((error: unknown) => {
      if (tools?.signal.aborted || !tooLong.aborted) throw error;
      return undefined;
    });
  if (!result) return `it took longer than ${timeoutMs / 1000} s`;
  if (result.exitCode === 0) return undefined;
  const words = result.stderrTail.trim().split('\n').at(-1) ?? '';
  return `exit ${result.exitCode ?? result.signal}${words ? `: ${words.slice(0, 120)}` : ''}`;
}
