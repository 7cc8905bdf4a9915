import { type AwayFromJob, awayFromJob, awayWords } from '../config/away.js';
import type { Config } from '../config/schema.js';

/** For `plan`: which hosts are away now, and what is skipped meanwhile. Pure. */
export function awayLines(config: Config, now: Date): string[] {
  const hosts = new Map<string, { away: AwayFromJob; jobs: string[] }>();
  for (const [name, job] of Object.entries(config.jobs))
    for (const away of awayFromJob(config, job)) {
      if (away.untilMs <= now.getTime()) continue;
      const known = hosts.get(away.host) ?? { away, jobs: [] };
      known.jobs.push(`${name} (${[...new Set([...away.resources, ...away.stores])].join(', ')})`);
      hosts.set(away.host, known);
    }
  return [...hosts.values()].map(
    ({ away, jobs }) => `${awayWords(away)}. Skipped meanwhile: ${jobs.join(', ')}`,
  );
}
