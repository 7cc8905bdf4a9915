import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadConfig } from '../../config/load.js';
import { onPath } from '../../lab/places.js';
import { repositoryRoot } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';
import { openTerminal } from '../support/terminal.js';

const skip = onPath('script') ? false : 'needs script(1): apt-get install bsdutils';

/** `holdfast init` as a human meets it: at a terminal, in an empty home. */
function begin() {
  const folder = temporaryFolder('init');
  const source = join(folder, 'photos');
  mkdirSync(source);
  writeFileSync(join(source, 'one.jpg'), 'x');
  const output = join(folder, 'etc/holdfast.yaml');
  const quoted = (text: string) => `'${text}'`;
  const words = [process.execPath, join(repositoryRoot, 'bin/holdfast.js'), 'init', '--output', output];
  const env = { PATH: process.env.PATH, HOME: folder, TERM: 'xterm', LC_ALL: 'C.UTF-8' };
  const terminal = openTerminal(words.map(quoted).join(' '), { cwd: folder, env });
  return { folder, source, output, terminal };
}

describe('holdfast init at a terminal', { skip }, () => {
  test('asks a few things and writes a right configuration and a password', async () => {
    const { folder, source, output, terminal } = begin();
    await terminal.until(/Which folder shall be protected\?.* $/);
    terminal.type('/nonexistent\r');
    await terminal.until(/is not there\n+Which folder.* $/);
    terminal.type(`${source}\r`);
    await terminal.until(/Another folder \(Enter: no more\)\? $/);
    terminal.type('\r');
    await terminal.until(/Where shall the copies be kept.* $/);
    terminal.type('/mnt/usb/restic\r');
    await terminal.until(/In which file is the password.*disk\.key\] $/);
    terminal.type('\r');
    await terminal.until(/Make it, with a strong random password\? \[Y\/n\] $/);
    terminal.type('\r');
    assert.equal(await terminal.ended(), 0, terminal.screen());
    assert.equal(Object.values(loadConfig(output).resources)[0]?.directory, source);
    const key = join(folder, 'etc/disk.key');
    assert.equal(statSync(key).mode & 0o777, 0o600);
    // An orchestrator with a user of its own reads the configuration, and nothing else there.
    assert.equal(statSync(join(folder, 'etc')).mode & 0o777, 0o755);
    assert.equal(statSync(output).mode & 0o777, 0o644);
    assert.ok(!terminal.screen().includes(readFileSync(key, 'utf8').trim()));
    assert.match(terminal.screen(), /Keep a copy of the password outside of this house/);
  });

  test('loses no answer that was typed ahead', async () => {
    const { source, output, terminal } = begin();
    await terminal.until(/Which folder shall be protected\?.* $/);
    terminal.type(`${source}\r\r/mnt/usb/restic\r\r\r`);
    assert.equal(await terminal.ended(), 0, terminal.screen());
    assert.ok(loadConfig(output));
  });

  test('writes nothing after Ctrl-C and ends with 130', async () => {
    const { folder, source, terminal } = begin();
    await terminal.until(/Which folder shall be protected\?.* $/);
    terminal.type(`${source}\r`);
    await terminal.until(/Another folder/);
    terminal.type('\u0003');
    assert.equal(await terminal.ended(), 130, terminal.screen());
    assert.ok(!existsSync(join(folder, 'etc')));
  });
});
