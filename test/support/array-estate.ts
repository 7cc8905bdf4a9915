import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { TestArray } from './array.js';
import { type Estate, startEstate } from './estate.js';
import type { PlainConfig } from './plain-config.js';
import { runIn } from './run-watch.js';
import { waitFor } from './wait.js';

/** A small estate whose host holds a SnapRAID array, with a nightly job by hand. */
export const startArrayEstate = (
  array: Pick<TestArray, 'binary' | 'config'>,
  change: (config: PlainConfig) => void = () => undefined,
): Promise<Estate> =>
  startEstate({
    change(config) {
      if (isAbsolute(array.binary)) config.hosts.nas.tools.snapraid = array.binary;
      config.resources.media = {
        host: 'nas',
        snapraid: { config: array.config, marker: '.holdfast', leastFiles: 1 },
      };
      config.jobs.nightly = {
        kind: 'snapraid-maintenance',
        resources: ['media'],
        thresholds: { removed: { files: 5 }, perDisk: {} },
        scrub: { percent: 100, olderThan: '0s' },
        objective: { rpo: '26h' },
        retryFor: '2m',
      };
      change(config);
    },
  });

/** Starts the job and waits until a human is asked; answers its RUN. */
export async function startUntilAsked(estate: Estate, ...args: string[]): Promise<string> {
  const run = runIn((await estate.holdfast('run', 'nightly', ...args)).stdout);
  await untilAsked(estate, run);
  return run;
}

export const untilAsked = (estate: Estate, run: string, unlike?: string): Promise<string> =>
  waitFor(
    async () => {
      const { asks } = await estate.client.workflow.getHandle(run).query<{ asks?: string }>('report');
      return asks !== undefined && asks !== unlike ? asks : undefined;
    },
    { timeoutMs: 90_000, what: `${run} to ask` },
  );

/** How a run ended, as our own command says it. */
export async function endOf(estate: Estate, run: string): Promise<{ code: number; words: string }> {
  const { code, stdout, stderr } = await estate.holdfast('show', run, '--follow');
  return { code: code ?? -1, words: `${stdout}${stderr}` };
}

export interface FakeMachine {
  folder: string;
  /** unit or container → its state. */
  state(): Record<string, string>;
  set(states: Record<string, string>): void;
  /** What was called, in order. */
  calls(): string[];
}

/** A systemctl and a docker that keep their states in a file: neither is to be had on a machine of the tests. */
export function fakeMachine(folder: string): FakeMachine {
  const bin = join(folder, 'bin');
  const file = join(folder, 'states');
  const calls = join(folder, 'calls');
  mkdirSync(bin, { recursive: true });
  writeFileSync(file, '');
  writeFileSync(calls, '');
  const common = `#!/bin/sh
echo "$(basename "$0") $*" >> '${calls}'
for name in "$@"; do :; done
get() { sed -n "s/^$1=//p" '${file}'; }
put() { sed -i "s/^$1=.*/$1=$2/" '${file}'; }
[ -n "$(get "$name")" ] || { [ "$1" = show ] && { echo LoadState=not-found; exit 0; }; echo "no such $name" >&2; exit 1; }
`;
  const programs: Record<string, string> = {
    systemctl: `case "$1" in
show) echo LoadState=loaded; echo "ActiveState=$(get "$name")";;
stop) put "$name" inactive;; start) put "$name" active;; *) exit 9;; esac`,
    docker: `case "$1" in
inspect) get "$name";; pause) put "$name" paused;; unpause|start) put "$name" running;; stop) put "$name" exited;; *) exit 9;; esac`,
  };
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `${common}${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  process.env.PATH = `${bin}${delimiter}${process.env.PATH}`;
  return {
    folder,
    state: () =>
      Object.fromEntries(
        readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => line.split('=') as [string, string]),
      ),
    set: (states) =>
      writeFileSync(
        file,
        Object.entries(states)
          .map((entry) => `${entry.join('=')}\n`)
          .join(''),
      ),
    calls: () =>
      readFileSync(calls, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
  };
}
