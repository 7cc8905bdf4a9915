import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { onPath } from '../../lab/places.js';
import { needs } from '../support/needs.js';
import { repositoryRoot } from '../support/root.js';
import { endChild, hasEnded, spawnTied } from '../support/spawn.js';
import { temporaryFolder } from '../support/temp.js';
import { startTestServer } from '../support/temporal-server.js';
import { waitFor } from '../support/wait.js';
import { read } from './compose.js';
import { makeHouse } from './house.js';

/** systemd's own lists: "@name", then indented names, of which some are lists again. */
function systemCallSets(): Map<string, string[]> {
  const text = execFileSync('systemd-analyze', ['syscall-filter', '--no-pager'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const sets = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split('\n')) {
    const word = line.trim();
    if (line.startsWith('@')) {
      current = [];
      sets.set(word, current);
    } else if (line.startsWith('    ') && !word.startsWith('#')) current.push(word);
  }
  return sets;
}

function members(sets: Map<string, string[]>, name: string): string[] {
  if (!name.startsWith('@')) return [name];
  return (sets.get(name) ?? []).flatMap((one) => members(sets, one));
}

const missing = ['strace', 'systemd-analyze'].filter((name) => onPath(name) === undefined);
const unit = read('deploy/systemd/holdfast-orchestrator.service');

test('the orchestrator calls nothing of the kernel that its unit forbids', {
  skip: missing.length > 0 ? `needs ${missing.join(' and ')}` : needs('temporal'),
}, async () => {
  const sets = systemCallSets();
  const names = /^SystemCallFilter=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
  const allowed = new Set(names.flatMap((name) => members(sets, name)));
  assert.ok(allowed.size > 100, `${allowed.size} calls in ${names.join(', ')}`);
  const server = await startTestServer();
  const house = makeHouse(server.address, {});
  const trace = join(temporaryFolder('trace'), 'calls');
  const words = ['-f', '-qq', '-o', trace, process.execPath, join(repositoryRoot, 'bin/holdfast.js')];
  const child = spawnTied('strace', [...words, 'orchestrator'], {
    env: { ...process.env, ...house.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  const orchestrator = (): number => Number(/"pid":(\d+)/.exec(said)?.[1]);
  child.stderr?.on('data', (data: Buffer) => (said += data.toString()));
  try {
    await waitFor(() => said.includes('orchestrator runs'), { timeoutMs: 120_000, what: 'the orchestrator' });
    // strace passes no signal on; it ends with what it watches.
    process.kill(orchestrator(), 'SIGTERM');
    await waitFor(() => hasEnded(child), { timeoutMs: 90_000, what: 'the orchestrator to end' });
    const used = readFileSync(trace, 'utf8').matchAll(/^\d+ +([a-z_0-9]+)\(/gm);
    const forbidden = [...new Set([...used].map(([, name = '']) => name))].filter(
      (name) => !allowed.has(name),
    );
    assert.deepEqual(forbidden, []);
  } finally {
    if (!hasEnded(child) && orchestrator()) process.kill(orchestrator(), 'SIGKILL');
    await endChild(child, 'SIGKILL');
    await server.stop();
  }
});
