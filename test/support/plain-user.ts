import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './temp.js';

/** root reads every file: what a user may not read needs a user. */

export const isRoot = process.getuid?.() === 0;

/** restic as nobody, from a place that everybody can read. */
export function asPlainUser(restic: string): string {
  if (!isRoot) return restic;
  const folder = temporaryFolder('nobody');
  chmodSync(folder, 0o755);
  copyFileSync(restic, join(folder, 'real-restic'));
  const script = `#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups '${folder}/real-restic' "$@"\n`;
  writeFileSync(join(folder, 'restic'), script);
  for (const name of ['real-restic', 'restic']) chmodSync(join(folder, name), 0o755);
  return join(folder, 'restic');
}

/** All below it becomes nobody's. */
export function giveAway(folder: string): void {
  if (isRoot) execFileSync('chown', ['-R', '65534:65534', '--', folder]);
}
