import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backupResource } from '../../activities/restic/backup.js';
import { noise } from '../support/content.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';
import { type Bench, makeBench, runAt } from './restic-bench.js';

/** restic that leaves its process id behind, one file a verb. */
function watched(restic: string): { path: string; pid(verb: string): number | undefined } {
  const folder = temporaryFolder('watched');
  const path = join(folder, 'restic');
  writeFileSync(path, `#!/bin/sh\necho $$ > '${folder}'/"$1"\nexec '${restic}' "$@"\n`);
  chmodSync(path, 0o755);
  return {
    path,
    pid: (verb) =>
      existsSync(join(folder, verb)) ? Number(readFileSync(join(folder, verb), 'utf8')) : undefined,
  };
}

const slow = { limits: { uploadKiBps: 300 } };

/** Starts a backup that takes seconds, and waits until restic holds its lock and reads. */
export async function startBackup(restic: string, signal?: AbortSignal) {
  const tool = watched(restic);
  const bench = makeBench({ restic: tool.path, store: slow, job: { check: { cron: '0 7 * * *' } } });
  writeFileSync(join(bench.source, 'big'), noise(4 * 2 ** 20, 1));
  const attempt = (number: number) =>
    backupResource(
      bench.tools({ attempt: number, ...(number === 1 && signal ? { signal } : {}) }),
      bench.step(runAt(1)),
    );
  const first: Promise<unknown> = attempt(1).catch((error: unknown) => error);
  await waitFor(() => tool.pid('backup') !== undefined && bench.locks().length > 0 && isMoving(bench), {
    timeoutMs: 60_000,
    what: 'a backup that is on its way',
  });
  return { bench, tool, attempt, first };
}

const isMoving = ({ progress }: Bench): boolean => progress.some(({ filesTotal }) => (filesTotal ?? 0) > 0);
