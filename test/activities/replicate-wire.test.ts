import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lackingPrograms } from '../../activities/doctor/zfs-programs.js';
import type { Tools } from '../../activities/door.js';
import { openReplication } from '../../activities/zfs/replicate-job.js';
import { wireBetween } from '../../activities/zfs/replicate-wire.js';
import { parseConfig } from '../../config/load.js';
import { HoldfastError } from '../../contracts/errors.js';
import type { Host } from '../../system/host.js';

/** What stands between sender and receiver, by what the two machines have. */

const machine = (name: string, ...programs: string[]): Host => {
  const findProgram = async (file: string) => (programs.includes(file) ? `/usr/bin/${file}` : undefined);
  return {
    name,
    findProgram,
    async requireProgram(file: string) {
      const found = await findProgram(file);
      if (found === undefined) throw new HoldfastError('HF_TOOL_MISSING', `no ${file} on ${name}`);
      return found;
    },
  } as unknown as Host;
};

const shown = async (
  options: { buffer?: number; compress?: boolean | 'auto'; limit?: number },
  source: Host,
  target: Host,
) => {
  const { onSource, onTarget } = await wireBetween({ compress: false, ...options }, source, target);
  const words = ({ file, args }: { file: string; args: readonly string[] }) =>
    [file.split('/').at(-1), ...args].join(' ');
  return [onSource.map(words), onTarget.map(words)];
};

test('a limit is kept by mbuffer or pv, on whichever host has one of them', async () => {
  const bare = machine('din');
  const limit = { limit: 1_048_576 };
  assert.deepEqual(await shown(limit, machine('din', 'pv', 'mbuffer'), machine('grogu')), [
    ['mbuffer -q -m 16M -r 1048576'],
    [],
  ]);
  assert.deepEqual(await shown(limit, machine('din', 'pv'), machine('grogu', 'mbuffer')), [
    ['pv -q -L 1048576'],
    [],
  ]);
  assert.deepEqual(await shown(limit, bare, machine('grogu', 'pv')), [[], ['pv -q -L 1048576']]);
  assert.deepEqual(await shown({}, bare, machine('grogu')), [[], []]);
});

test('what is limited is what goes over the wire: compressed before, unpacked after', async () => {
  const [both, limit] = [{ compress: true, limit: 1000 }, 'pv -q -L 1000'];
  const [packs, unpacks] = ['zstd -q -3 -c', 'zstd -q -d -c'];
  assert.deepEqual(await shown(both, machine('din', 'zstd', 'pv'), machine('grogu', 'zstd')), [
    [packs, limit],
    [unpacks],
  ]);
  assert.deepEqual(await shown(both, machine('din', 'zstd'), machine('grogu', 'zstd', 'pv')), [
    [packs],
    [limit, unpacks],
  ]);
});

test('compression by itself is done where both have zstd, and left out where one has not', async () => {
  const auto = { compress: 'auto' } as const;
  assert.deepEqual(await shown(auto, machine('din', 'zstd'), machine('grogu', 'zstd')), [
    ['zstd -q -3 -c'],
    ['zstd -q -d -c'],
  ]);
  assert.deepEqual(await shown(auto, machine('din', 'zstd'), machine('grogu')), [[], []]);
  assert.deepEqual(await shown(auto, machine('din'), machine('grogu', 'zstd')), [[], []]);
});

test('a buffer stands on either side of the wire, around nothing else, where both hosts have mbuffer', async () => {
  const [buffer, mbuffer] = [{ buffer: 2 ** 20 }, 'mbuffer -q -s 128k -m 1048576'];
  const both = [machine('din', 'mbuffer', 'zstd'), machine('grogu', 'mbuffer', 'zstd')] as const;
  assert.deepEqual(await shown(buffer, ...both), [[mbuffer], [mbuffer]]);
  assert.deepEqual(await shown({ ...buffer, compress: true }, ...both), [
    ['zstd -q -3 -c', mbuffer],
    [mbuffer, 'zstd -q -d -c'],
  ]);
  assert.deepEqual(await shown(buffer, machine('din', 'mbuffer'), machine('grogu', 'pv')), [[], []]);
  assert.deepEqual(await shown(buffer, machine('din'), machine('grogu', 'mbuffer')), [[], []]);
});

test('a buffer of no size, or beside a limit, is refused by the file', () => {
  const mistakesOf = (more: object): string => {
    const job = { kind: 'zfs-replication', resources: ['k'], store: 'grogu', ...more };
    const text = JSON.stringify({
      hosts: { din: {} },
      resources: { k: { host: 'din', dataset: 'fast/k' } },
      stores: { grogu: { zfs: { host: 'din', dataset: 'backup' } } },
      jobs: { a: job },
    });
    return JSON.stringify(parseConfig(text, '/holdfast.yaml').mistakes);
  };
  assert.equal(mistakesOf({ buffer: '128MiB' }), '[]');
  assert.match(mistakesOf({ buffer: '1KiB' }), /must be between 1MiB and 4GiB/);
  assert.match(mistakesOf({ buffer: '8GiB' }), /must be between 1MiB and 4GiB/);
  assert.match(mistakesOf({ buffer: '128MiB', limit: '10MiB' }), /helps nothing beside .*limit/);
});

test('a limit that nobody can keep is refused before anything is sent, never left out', async () => {
  await assert.rejects(shown({ limit: 1000 }, machine('din', 'zstd'), machine('grogu')), {
    code: 'HF_TOOL_MISSING',
    message: /"limit" of the job needs mbuffer or pv on "din" or "grogu": install one/,
  });
  await assert.rejects(
    shown({ compress: true }, machine('din', 'zstd'), machine('grogu')),
    /no zstd on grogu/,
  );
});

/** One job with a limit, one that compresses. */
const { config, mistakes } = parseConfig(
  JSON.stringify({
    hosts: { din: {}, other: {}, grogu: { ssh: { address: '10.0.0.2', user: 'root', via: 'din' } } },
    resources: { k: { host: 'din', dataset: 'fast/k' }, v: { host: 'din', dataset: 'fast/v' } },
    stores: { grogu: { zfs: { host: 'grogu', dataset: 'backup' } } },
    jobs: {
      a: { kind: 'zfs-replication', resources: ['k'], store: 'grogu', limit: '10MiB' },
      b: { kind: 'zfs-replication', resources: ['v'], store: 'grogu', compress: true },
    },
  }),
  '/holdfast.yaml',
);

test('a replication that only looks asks neither host what it has', async () => {
  assert(config, JSON.stringify(mistakes));
  const asked: string[] = [];
  const findProgram = async (file: string) => {
    asked.push(file);
    return undefined;
  };
  const host = { ...machine('din'), findProgram } as unknown as Host;
  const signal = new AbortController().signal;
  const tools = { host, machine: () => host, config, signal, log: () => undefined } as unknown as Tools;
  const run = 'a-2026-01-01T00:00:00Z';
  const step = { job: 'a', run, resource: 'k', store: 'grogu', round: 1, retryForMs: 0 };
  const { wire } = await openReplication(tools, step);
  assert.deepEqual(asked, []);
  await assert.rejects(wire(), { code: 'HF_TOOL_MISSING' });
  assert.deepEqual(new Set(asked), new Set(['mbuffer', 'pv']));
});

test('doctor finds beforehand what a host lacks for the jobs that work there, and asks the other end for what one of both must have', async () => {
  assert(config, JSON.stringify(mistakes));
  const [limit, compress] = [
    { job: 'a', program: 'mbuffer or pv', other: 'grogu' },
    { job: 'b', program: 'zstd' },
  ];
  const bare = machine('din', 'zstd');
  assert.deepEqual(await lackingPrograms(machine('din'), config), [limit, compress]);
  const asked: string[] = [];
  const grogu =
    (...programs: string[]) =>
    (name: string) => {
      asked.push(name);
      return machine(name, ...programs);
    };
  assert.deepEqual(await lackingPrograms(bare, config, grogu()), [{ ...limit, neither: true }]);
  assert.deepEqual(await lackingPrograms(bare, config, grogu('mbuffer')), []);
  assert.deepEqual(asked, ['grogu', 'grogu']);
  assert.deepEqual(await lackingPrograms(machine('din', 'pv', 'zstd'), config, grogu()), []);
  assert.equal(asked.length, 2, 'one at either end is enough');
  const away = () => {
    throw new HoldfastError('HF_SSH_UNREACHABLE', 'grogu does not answer');
  };
  assert.deepEqual(await lackingPrograms(bare, config, away), [limit]);
  assert.deepEqual(await lackingPrograms(machine('din', 'pv', 'zstd'), config), []);
  assert.deepEqual(await lackingPrograms(machine('grogu'), config), [compress]);
  assert.deepEqual(await lackingPrograms(machine('other'), config), []);
});
