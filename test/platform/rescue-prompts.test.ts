import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { backupResource } from '../../activities/restic/backup.js';
import { onPath, resticPath } from '../../lab/places.js';
import { needs } from '../support/needs.js';
import { repositoryRoot } from '../support/root.js';
import { openTerminal, type Terminal } from '../support/terminal.js';
import { type Bench, makeBench, runAt } from './restic-bench.js';

/** What a person types into the rescue shell, at a real terminal. */

const skip = needs('restic') || (onPath('script') ? false : 'needs script(1): apt-get install bsdutils');
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const password = 'a secret of the test';

describe('the questions of rescue', { skip }, () => {
  let bench: Bench;
  let number = 0;
  const opened: Terminal[] = [];

  before(async () => {
    bench = makeBench({ restic: resticPath() ?? 'restic' });
    await backupResource(bench.tools(), bench.step(runAt(1)));
  });

  after(() => {
    for (const terminal of opened) terminal.end();
  });

  /** A restore to a place of its own, without a password in the environment. */
  const begin = (): { terminal: Terminal; target: string } => {
    const target = join(bench.folder, `it's restored ${++number}`);
    const words = [process.execPath, join(repositoryRoot, 'bin/holdfast.js'), 'rescue', 'restic', 'restore'];
    const terminal = openTerminal([...words, '--to', target].map(quoted).join(' '), {
      cwd: bench.folder,
      env: {
        PATH: process.env.PATH,
        TERM: 'dumb',
        HOLDFAST_CONFIG: '/nowhere/holdfast.yaml',
        HOLDFAST_STATE: '/nowhere/state',
        RESTIC_REPOSITORY: bench.repository,
      },
    });
    opened.push(terminal);
    return { terminal, target };
  };
  /** Answers the question for the password; the digest that the plan then shows. */
  const untilPlan = async (terminal: Terminal): Promise<string> => {
    await terminal.until(/Password of the repository: /);
    terminal.type(`${password}\r`);
    const shown = await terminal.until(/characters of the digest to restore: /);
    return /digest\s+([0-9a-f]{64})/.exec(shown)?.[1] ?? assert.fail(shown);
  };

  test('the beginning of the digest restores, and the password is never shown', async () => {
    const { terminal, target } = begin();
    const digest = await untilPlan(terminal);
    terminal.type(`  ${digest.slice(0, 8).toUpperCase()} \r`);
    assert.equal(await terminal.ended(), 0, terminal.screen());
    assert.match(terminal.screen(), /files restored to .* and verified/);
    assert.ok(existsSync(join(target, 'photo 1.txt')));
    assert.ok(!terminal.screen().includes(password));
  });

  for (const [name, answer] of [
    ['yes', () => 'yes'],
    ['no', () => 'no'],
    ['nothing', () => ''],
    ['a digest that is too short', (digest: string) => digest.slice(0, 7)],
    [
      'the digest of another plan',
      (digest: string) => `${digest.startsWith('0') ? '1' : '0'}${digest.slice(1, 8)}`,
    ],
  ] as const)
    test(`${name} restores nothing`, async () => {
      const { terminal, target } = begin();
      const digest = await untilPlan(terminal);
      terminal.type(`${answer(digest)}\r`);
      assert.equal(await terminal.ended(), 5, terminal.screen());
      assert.match(terminal.screen(), /Nothing was restored: that is not the digest of this plan/);
      assert.ok(!existsSync(target));
    });

  test('a wrong password is told as such', async () => {
    const { terminal, target } = begin();
    await terminal.until(/Password of the repository: /);
    terminal.type('not the right one\r');
    assert.equal(await terminal.ended(), 1, terminal.screen());
    assert.match(terminal.screen(), /password of the store "rescue" is wrong/);
    assert.ok(!existsSync(target));
  });

  for (const [key, name, exit] of [
    ['\u0003', 'Ctrl-C', 130],
    ['\u0004', 'Ctrl-D', 5],
  ] as const) {
    test(`${name} at the digest restores nothing and ends with ${exit}`, async () => {
      const { terminal, target } = begin();
      await untilPlan(terminal);
      terminal.type(key);
      assert.equal(await terminal.ended(), exit, terminal.screen());
      assert.ok(!existsSync(target));
    });

    test(`${name} at the password ends with ${exit}`, async () => {
      const { terminal } = begin();
      await terminal.until(/Password of the repository: /);
      terminal.type(key);
      assert.equal(await terminal.ended(), exit, terminal.screen());
    });
  }
});
