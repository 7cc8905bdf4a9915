import assert from 'node:assert/strict';
import { parseConfig } from '../../config/load.js';
import type { Config } from '../../config/schema.js';
import { compileSchedules } from '../../schedules/compile.js';
import { markOf } from '../../schedules/fingerprint.js';
import type { DesiredSchedule, ObservedSchedule, ScheduleSpec } from '../../schedules/types.js';

/** One job with all its operations, as a homelab has it. */
export const exampleText = `
temporal: { namespace: holdfast, embedded: { port: 7233, uiPort: 8233 } }
hosts:
  nas: {}
  din: { ssh: { address: 192.168.1.20, user: holdfast, via: nas } }
resources:
  photos: { host: nas, directory: /srv/photos, marker: .holdfast, least: { files: 1000, bytes: 1GiB } }
stores:
  b2-photos:
    restic:
      repository: s3:https://s3.eu-central-003.backblazeb2.com/lab-photos
      password: { file: /etc/holdfast/b2-photos.key }
      env:
        AWS_ACCESS_KEY_ID: { file: /etc/holdfast/b2.id }
        AWS_SECRET_ACCESS_KEY: { command: [pass, show, b2/key] }
      limits: { uploadKiBps: 20000, readConcurrency: 2 }
jobs:
  photos-offsite:
    kind: restic-backup
    resources: [photos]
    exclude: ["*.tmp", "@eaDir"]
    store: b2-photos
    schedule: { cron: "30 3 * * *", timezone: Europe/Berlin, jitter: 5m, catchup: 12h }
    keep: { daily: 7, weekly: 5, monthly: 12, yearly: 3 }
    prune: { cron: "0 6 * * 0", maxUnused: 5% }
    check: { cron: "0 7 * * *", parts: 30 }
    objective: { rpo: 26h, check: 35d }
`;

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
