import { jobOf } from '../../config/lookup.js';
import type { SnapraidJob } from '../../config/schema.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { WriterStepInput } from '../../contracts/hooks.js';
import type { Host } from '../../system/host.js';
import type { Tools } from '../door.js';
import { checkHostOf, checkRunOfJob } from '../restic/job.js';
import { markUndone, openUndos, recordFormerStateAgain, thingOf } from './undo.js';

/** Units and containers that write to a resource: kept away for a while, and given back as they were. */

/** By them the journal of former states knows what to do when a run ended without its own clean-up. */
export const writerKinds = { unit: 'unit', container: 'container' } as const;

interface Writer {
  what: string;
  stop: string[];
}

/** What did not run is not touched. Each is written down before it is stopped: a crash in between gives back too much rather than too little. */
export async function pauseWriters(tools: Tools, input: WriterStepInput): Promise<{ paused: string[] }> {
  const { host, run, log } = tools;
  const running = await runningWriters(host, pauseOf(tools, input));
  for (const { what, stop } of running) {
    await recordFormerStateAgain(host, run, what, { running: true });
    log(stop.join(' '));
    await must(host, stop, `keep ${what} away`);
  }
  return { paused: running.map(({ what }) => what) };
}

/** All are looked at before the first is touched: a name with a mistake in it stops nothing. */
async function runningWriters(
  host: Host,
  { units, containers, stop }: SnapraidJob['pause'],
): Promise<Writer[]> {
  const found: Writer[] = [];
  for (const name of units) {
    if (await isUnitActive(host, name))
      found.push({ what: `${writerKinds.unit}:${name}`, stop: ['systemctl', 'stop', name] });
  }
  for (const name of containers) {
    if ((await containerState(host, name)) === 'running')
      found.push({
        what: `${writerKinds.container}:${name}`,
        stop: ['docker', stop ? 'stop' : 'pause', name],
      });
  }
  return found;
}

/** Whatever this run has stopped, the last first. One that fails does not keep the others from coming back. */
export async function resumeWriters(tools: Tools, input: WriterStepInput): Promise<{ resumed: string[] }> {
  const { host, run, log } = tools;
  pauseOf(tools, input);
  const open = (await openUndos(host, run)).filter(({ what }) => kindOf(what) !== undefined);
  let failed: unknown;
  for (const { what } of open) {
    try {
      await putBackWriter(host, what);
      await markUndone(host, run, what);
      log(`${what} is back`);
    } catch (error) {
      failed ??= error;
    }
  }
  if (failed !== undefined) throw failed;
  return { resumed: open.map(({ what }) => what) };
}

/** Safe to do twice, and when it was never stopped. */
export async function putBackWriter(host: Host, what: string): Promise<void> {
  const name = thingOf(what).slice(what.indexOf(':') + 1);
  if (kindOf(what) === 'unit') return must(host, ['systemctl', 'start', name], `start ${what} again`);
  const state = await containerState(host, name);
  if (state === 'running') return;
  await must(host, ['docker', state === 'paused' ? 'unpause' : 'start', name], `give ${what} back`);
}

const kindOf = (what: string): keyof typeof writerKinds | undefined =>
  Object.values(writerKinds).find((kind) => what.startsWith(`${kind}:`));

function pauseOf({ config, host, run }: Tools, { job, resource }: WriterStepInput): SnapraidJob['pause'] {
  const found = jobOf(config, job);
  checkRunOfJob(run, job);
  checkHostOf(config, resource, host.name);
  if (found.kind === 'snapraid-maintenance' && found.resources.includes(resource)) return found.pause;
  throw new HoldfastError('HF_NOT_IN_CONFIG', `The job "${job}" keeps nothing away from "${resource}"`);
}

/** 3 is "not running", 4 "no such unit": a name with a mistake in it would keep nothing away. */
async function isUnitActive(host: Host, name: string): Promise<boolean> {
  const args = ['show', '--property=LoadState,ActiveState', '--', name];
  const { exitCode, stdout, stderrTail } = await host.run({ file: 'systemctl', args });
  if (exitCode !== 0) throw failed(host, `ask for the unit ${name}`, stderrTail);
  if (!/^LoadState=loaded$/m.test(stdout)) throw failed(host, `find the unit ${name}`, 'it is not loaded');
  return /^ActiveState=(active|activating|reloading)$/m.test(stdout);
}

async function containerState(host: Host, name: string): Promise<string> {
  const args = ['inspect', '--type', 'container', '--format', '{{.State.Status}}', name];
  const { exitCode, stdout, stderrTail } = await host.run({ file: 'docker', args });
  if (exitCode !== 0) throw failed(host, `find the container ${name}`, stderrTail);
  return stdout.trim();
}

async function must(host: Host, [file = '', ...args]: string[], doing: string): Promise<void> {
  const { exitCode, stderrTail } = await host.run({ file, args });
  if (exitCode !== 0) throw failed(host, doing, stderrTail);
}

const failed = (host: Host, doing: string, words: string): HoldfastError =>
  new HoldfastError(
    'HF_HOOK_FAILED',
    `Cannot ${doing} on "${host.name}": ${words.trim().split('\n').at(-1)?.slice(0, 150) || 'no reason given'}`,
  );
