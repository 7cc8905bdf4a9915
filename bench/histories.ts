import { join } from 'node:path';
import type { Estate } from '../test/support/estate.js';
import { runIn } from '../test/support/run-watch.js';
import type { Figure } from './figures.js';
import type { Twin } from './twin.js';

/** What one run of each operation leaves in Temporal's database: it is kept for months. */
export async function measureHistories({ estate, takeStarts }: Twin): Promise<Figure[]> {
  const target = join(estate.folder, 'restores', 'bench');
  const commands: Record<string, string[]> = {
    backup: ['run', 'photos-offsite', '--follow'],
    prune: ['run', 'photos-offsite', '--only', 'prune', '--follow'],
    check: ['run', 'photos-offsite', '--only', 'check', '--follow'],
    restore: ['restore', 'photos-offsite', '--to', `nas:${target}`, '--yes'],
  };
  const figures: Figure[] = [];
  for (const [operation, command] of Object.entries(commands)) {
    takeStarts();
    const ended = await estate.holdfast(...command);
    if (ended.code !== 0) throw new Error(`${operation} ended with ${ended.code}: ${ended.stderr}`);
    const verbs = takeStarts();
    const { events, bytes } = await sizeOf(estate, runIn(ended.stdout));
    figures.push(
      { part: operation, what: 'events in the history', unit: 'events', values: [events], wantedAtMost: 60 },
      { part: operation, what: 'size of the history', unit: 'KB', values: [bytes / 1000] },
      {
        part: operation,
        what: 'restic starts',
        unit: 'starts',
        values: [verbs.length],
        note: verbs.join(', '),
      },
    );
  }
  return figures;
}

async function sizeOf({ client }: Estate, run: string): Promise<{ events: number; bytes: number }> {
  const { historyLength, historySize } = await client.workflow.getHandle(run).describe();
  return { events: historyLength, bytes: historySize ?? 0 };
}
