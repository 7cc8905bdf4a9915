import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The locks of a repository on disk, seen without restic, which would take one itself. A restic that is killed while it writes its lock
 * leaves a temporary file beside them, which is no lock to anybody.
 */
export const locksOnDisk = (repository: string): string[] =>
  readdirSync(join(repository, 'locks')).filter((name) => /^[0-9a-f]{64}$/.test(name));
