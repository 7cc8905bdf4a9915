import { HoldfastError } from '../../contracts/errors.js';
import type { Tools } from '../door.js';
import type { Verdict } from './retention.js';
import { digestOf, planLines } from './retention-guard.js';

/** A plan that waits for a human lies on the host: hours later just that is removed, and nothing that has become old since. */

/** `of` tells several plans of one run apart. */
const fileOf = ({ host, run }: Tools, of: string): string =>
  `${host.driver.stateFolder}/zfs/${run}${of}.retention`;

/** Written before anybody is asked; the run's log shows the same. */
export async function keepPlan(
  tools: Tools,
  of: string,
  digest: string,
  doomed: readonly Verdict[],
): Promise<void> {
  const lines = planLines(doomed);
  for (const line of lines) tools.log(`would remove ${line}`);
  tools.log(`${lines.length} in all, digest ${digest}`);
  await tools.host.driver.makeFolder(`${tools.host.driver.stateFolder}/zfs`);
  await tools.host.driver.writeFile(fileOf(tools, of), lines.join('\n'));
}

/** What was approved and would still go. */
export async function approvedOf(
  tools: Tools,
  of: string,
  digest: string,
  doomed: readonly Verdict[],
): Promise<Verdict[]> {
  const file = fileOf(tools, of);
  const text = (await tools.host.driver.exists(file)) ? await tools.host.driver.readFile(file) : '';
  if (text === '' || digestOf(text.split('\n')) !== digest) {
    const message = `The plan that was approved for ${tools.run} is not the one on this host. Nothing was removed; start it again`;
    throw new HoldfastError('HF_NOT_APPROVED', message);
  }
  const approved = new Set(text.split('\n'));
  return doomed.filter((verdict) => approved.has(planLines([verdict])[0] ?? ''));
}
