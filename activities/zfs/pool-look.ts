import { mustSucceed } from './classify.js';
import type { Zfs } from './listing.js';
import { statusCommand } from './pool-command.js';
import { type PoolStatus, parsePoolJson } from './pool-status.js';
import { parsePoolText } from './pool-status-text.js';

/** The state of a pool: as JSON where its zpool speaks that, else in the words of older ones. */
export async function lookAtPool({ host, signal, zpool }: Zfs, pool: string): Promise<PoolStatus> {
  const doing = `ask for the state of the pool ${pool}`;
  const asJson = await host.run(statusCommand(zpool, pool, 'json'), { signal });
  if (asJson.exitCode === 0) return parsePoolJson(asJson.stdout, pool);
  if (!/invalid option|unrecognized/.test(asJson.stderrTail)) mustSucceed(asJson, doing, host.name);
  const asText = await host.run(statusCommand(zpool, pool, 'text'), { signal });
  mustSucceed(asText, doing, host.name);
  return parsePoolText(asText.stdout, pool);
}
