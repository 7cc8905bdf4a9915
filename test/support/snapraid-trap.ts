import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './temp.js';
import { waitFor } from './wait.js';

/** A snapraid that is caught in the middle of a sync: something is killed or looked at just then. */
export interface SnapraidTrap {
  /** To be called instead of snapraid. */
  binary: string;
  /** Commands of the shell for the middle of the next sync, once; `$snapraid` is its process. */
  set(commands: string): void;
  untilReached(): Promise<boolean>;
  /** Syncs that were begun since it was set. */
  syncs(): number;
}

/** Around a real one of any version. */
export function snapraidTrap(real: string): SnapraidTrap {
  const folder = temporaryFolder('trap');
  const file = (name: string): string => join(folder, name);
  const binary = file('snapraid');
  const catching = hasTestRun(real) ? byTestRun(real, folder) : byItsLog(real, folder);
  const script = `#!/bin/sh
echo "$*" >> '${file('calls')}'
case "$*" in *' sync') if [ -e '${file('commands')}' ]; then
mv '${file('commands')}' '${file('caught')}'
${catching}
fi;; esac
exec '${real}' "$@"
`;
  writeFileSync(binary, script);
  chmodSync(binary, 0o755);
  writeFileSync(file('calls'), '');
  return {
    binary,
    set(commands) {
      rmSync(file('reached'), { force: true });
      writeFileSync(file('calls'), '');
      writeFileSync(file('commands'), commands);
    },
    untilReached: () =>
      waitFor(() => existsSync(file('reached')), { timeoutMs: 60_000, what: 'the middle of a sync' }),
    syncs: () =>
      readFileSync(file('calls'), 'utf8')
        .split('\n')
        .filter((line) => / sync$/.test(line)).length,
  };
}

const hasTestRun = (real: string): boolean =>
  spawnSync(real, ['--test-run', 'true', '--version']).status === 0;

/** Versions before 13 run a program in the middle themselves, and wait for it. */
const byTestRun = (real: string, folder: string): string =>
  `exec '${real}' --test-run "snapraid=\\$PPID; touch '${folder}/reached'; . '${folder}/caught'" "$@"`;

/** Later ones are told to be slow instead, and go on meanwhile; a sync of 6 MB takes seconds then. */
const byItsLog = (real: string, folder: string): string => `log= before=
for word in "$@"; do [ "$before" != --log ] || log=$word; before=$word; done
snapraid=$$
( until grep -a -q -s '^run:pos:' "$log"; do kill -0 "$snapraid" || exit; sleep 0.05; done
touch '${folder}/reached'; . '${folder}/caught' ) >/dev/null 2>&1 &
exec '${real}' --bw-limit 1M "$@"`;
