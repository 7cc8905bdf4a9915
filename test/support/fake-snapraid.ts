import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SnapArray } from '../../activities/snapraid/array.js';
import { parseConf } from '../../activities/snapraid/conf.js';
import type { Config, SnapraidArrayConfig } from '../../config/schema.js';
import { SnapraidMaintenance } from '../../config/schema-snapraid.js';
import { localHost } from '../../system/local-host.js';
import { temporaryFolder } from './temp.js';

/** An array on plain folders and a snapraid that answers as it is told, one answer after the other: what real arrays do too rarely. */

export interface Answer {
  lines: readonly string[];
  code?: number;
  stderr?: string;
  /** Shell that runs before it ends. */
  does?: string;
}

export interface FakeArray {
  folder: string;
  array: SnapArray;
  /** The last of them is given again and again. */
  answer(verb: string, ...answers: Answer[]): void;
  /** The arguments of each call, but those that every call has. */
  calls(): string[];
}

export interface FakeOptions {
  job?: object;
  config?: Partial<SnapraidArrayConfig>;
  attempt?: number;
}

export function fakeArray({ job = {}, config = {}, attempt = 1 }: FakeOptions = {}): FakeArray {
  const folder = temporaryFolder();
  for (const name of ['d1', 'd2', 'p', 'c', 'answers']) mkdirSync(join(folder, name));
  // As long as the blocks of the status below want it.
  writeFileSync(join(folder, 'p/parity'), Buffer.alloc(4000));
  const file = join(folder, 'snapraid');
  writeFileSync(file, script(folder));
  chmodSync(file, 0o755);
  const conf = `parity ${folder}/p/parity\ncontent ${folder}/c/content\ndata d1 ${folder}/d1\ndata d2 ${folder}/d2\n`;
  writeFileSync(join(folder, 'snapraid.conf'), conf);
  const run = 'nightly-2026-11-27T01:00:00Z';
  const array: SnapArray = {
    tools: {
      host: localHost({ name: 'nas', stateFolder: join(folder, 'state') }),
      config: {} as Config,
      run,
      attempt,
      signal: new AbortController().signal,
      progress: () => undefined,
      log: () => undefined,
    },
    resource: 'media',
    config: { config: join(folder, 'snapraid.conf'), mounted: false, disks: {}, ...config },
    called: { file, config: join(folder, 'snapraid.conf') },
    smartctl: 'no-smartctl-here',
    conf: parseConf(conf),
    lock: join(folder, 'lock'),
    input: { job: 'nightly', run, resource: 'media', retryForMs: 0 },
    job: SnapraidMaintenance.parse({ kind: 'snapraid-maintenance', resources: ['media'], ...job }),
  };
  return {
    folder,
    array,
    answer(verb, ...answers) {
      answers.forEach(({ lines, code = 0, stderr = '', does = '' }, at) => {
        const text = ['version:12.4', `command:${verb}`, ...lines, ''].join('\n');
        const write = (kind: string, content: string) =>
          writeFileSync(join(folder, 'answers', `${verb}.${at + 1}.${kind}`), content);
        write('log', text);
        write('does', `${does}\necho '${stderr}' >&2\nexit ${code}\n`);
      });
      writeFileSync(join(folder, 'answers', `${verb}.asked`), '0');
    },
    calls: () =>
      existsSync(join(folder, 'calls')) ? linesOf(readFileSync(join(folder, 'calls'), 'utf8')) : [],
  };
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

const script = (folder: string): string => `#!/bin/sh
log=$5
shift 5
echo "$*" >> '${folder}/calls'
for verb in "$@"; do :; done
answers='${folder}/answers'
at=$(( $(cat "$answers/$verb.asked") + 1 ))
[ -e "$answers/$verb.$at.log" ] || at=$(( at - 1 ))
echo "$at" > "$answers/$verb.asked"
cat "$answers/$verb.$at.log" >> "$log"
. "$answers/$verb.$at.does"
`;

export interface StatusFacts {
  files?: number;
  unsynced?: number;
  bad?: number;
  blocks?: number;
}

/** 1000 files on each of two disks, unless said otherwise. */
export const status = ({ files = 1000, unsynced = 0, bad = 0, blocks = 4000 }: StatusFacts = {}): Answer => ({
  lines: [
    ...['d1', 'd2'].map((disk) => `summary:disk_file_count:${disk}:${files}`),
    `summary:file_count:${2 * files}`,
    'summary:zerosubsecond_file_count:0',
    'summary:block_size:1',
    `block_count:${blocks}`,
    `info_time:1795000000:${blocks}:0`,
    `summary:has_unsynced:${unsynced}`,
    'summary:has_unscrubbed:0',
    'summary:has_rehash:0',
    `summary:has_bad:${bad}:0:0`,
  ],
});

const kinds = ['added', 'removed', 'updated', 'moved', 'copied', 'restored'];
const words: Record<string, string> = { removed: 'remove', added: 'add' };

/** Of `removed 3` and the like, all on d1. */
export function diff(changes: Record<string, number> = {}): Answer {
  const names = Object.entries(changes).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, at) => `scan:${words[kind]}:d1:${kind} ${at}.mkv`),
  );
  const exit = names.length > 0 ? 'diff' : 'equal';
  return {
    lines: [
      ...names,
      ...kinds.map((kind) => `summary:${kind}:${changes[kind] ?? 0}`),
      'summary:equal:9',
      `summary:exit:${exit}`,
    ],
    code: names.length > 0 ? 2 : 0,
  };
}

/** How a sync or a scrub ends. */
export const worked = (exit: string, { files = 0, io = 0, data = 0 } = {}): Answer => ({
  lines: [
    'run:begin:0:4000:4000',
    `summary:error_file:${files}`,
    `summary:error_io:${io}`,
    `summary:error_data:${data}`,
    `summary:exit:${exit}`,
  ],
  code: exit === 'ok' ? 0 : 1,
});

/** How a repair or a check ends: `d2:Films/a.mkv` by what was found of it. */
export function fixed(exit: string, files: Record<string, string> = {}, code = 0): Answer {
  const errors = Object.keys(files).length;
  const lost = Object.values(files).filter((state) => state === 'unrecoverable').length;
  return {
    lines: [
      ...Object.entries(files).flatMap(([name, state]) => [
        `error:1:${name}: Data error at position 0`,
        `status:${state}:${name}`,
      ]),
      `summary:error:${errors}`,
      `summary:error_recovered:${errors - lost}`,
      `summary:error_unrecoverable:${lost}`,
      `summary:exit:${exit}`,
    ],
    code,
  };
}

/** Said again in the evidence, as an earlier run would have. */
export function note(array: SnapArray, fact: object): void {
  const folder = array.tools.host.stateFolder;
  mkdirSync(folder, { recursive: true });
  const entry = { v: 1, at: '2026-11-20T00:00:00Z', resource: 'media', ...fact };
  appendFileSync(join(folder, 'evidence.jsonl'), `${JSON.stringify(entry)}\n`);
}
