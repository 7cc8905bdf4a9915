import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../config/load.js';
import type { Config } from '../../config/schema.js';
import { compileSchedules } from '../../schedules/compile.js';
import { markOf } from '../../schedules/fingerprint.js';
import type { DesiredSchedule, ObservedSchedule, ScheduleSpec } from '../../schedules/types.js';
import { repositoryRoot } from '../support/root.js';

/** One job with all its operations, as a homelab has it: the file that operators read, without its comments. */
export const exampleText = readFileSync(join(repositoryRoot, 'config/examples/photos-offsite.yaml'), 'utf8')
  .replace(/^#.*\n/gm, '')
  .replace(/ +# .*$/gm, '');

export function configOf(text: string): Config {
  const { config, mistakes } = parseConfig(text, 'test.yaml');
  assert.ok(config, mistakes.map(({ key, message }) => `${key}: ${message}`).join('\n'));
  return config;
}

/** The example with some of its text replaced; each piece must be there. */
export function exampleWith(...replacements: [string, string][]): Config {
  let text = exampleText;
  for (const [from, to] of replacements) {
    assert.ok(text.includes(from), `the example holds no ${from}`);
    text = text.replace(from, () => to);
  }
  return configOf(text);
}

export const example = (): Config => configOf(exampleText);

export function scheduleIn(config: Config, id = 'hf-photos-offsite'): DesiredSchedule {
  const schedule = compileSchedules(config).find((candidate) => candidate.id === id);
  assert.ok(schedule, `there is no schedule ${id}`);
  return schedule;
}

/** As the server would show it right after it was applied. */
export function asApplied(desired: DesiredSchedule): ObservedSchedule {
  return {
    ...structuredClone(desired),
    mark: markOf(desired),
    paused: false,
    note: '',
    nextActionTimes: ['2026-11-21T02:30:00.000Z'],
    recentActions: [],
    runningRuns: [],
    numActionsSkippedOverlap: 0,
    numActionsMissed: 0,
  };
}

/** As the server would show it after somebody changed it and left our mark where it was. */
export const editedTo = (observed: ObservedSchedule, changes: Partial<ScheduleSpec>): ObservedSchedule => ({
  ...observed,
  ...changes,
});
