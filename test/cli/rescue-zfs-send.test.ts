import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { listColumns } from '../../activities/zfs/list-command.js';
import { temporaryFolder } from '../support/temp.js';
import { holdfast } from './command-line.js';

/** What a rescue refuses to send, with a zfs that can only show what lies there. */

const row = (values: Record<string, string>): string =>
  listColumns.map((column) => values[column] ?? '-').join('\t');

const dataset = (name: string, guid: number, more: Record<string, string> = {}): string =>
  row({ name, type: 'filesystem', guid: String(guid), createtxg: '1', available: '1000000000', ...more });

const snapshot = (name: string, guid: number): string =>
  row({ name, type: 'snapshot', guid: String(guid), createtxg: '10', creation: '1795000010', userrefs: '0' });

const replica = { 'holdfast:replica-of': '7', readonly: 'on' };
const promoted = 'promoted kubernetes-2026-11-20T03:00:00Z grogu';

function machineWith(rows: string[]): void {
  writeFileSync(join(programs, 'rows'), `${rows.join('\n')}\n`);
}

const programs = temporaryFolder('programs');
const path = process.env.PATH;

before(() => {
  mkdirSync(programs, { recursive: true });
  const script = [
    '#!/bin/sh',
    '[ "$1" = list ] || exit 1',
    'for root; do :; done',
    `awk -F'\\t' -v r="$root" '$1 == r || index($1, r "/") == 1 || index($1, r "@") == 1 { print; n++ } END { exit !n }' '${programs}/rows' && exit 0`,
    `echo "cannot open '$root': dataset does not exist" >&2`,
    'exit 1',
  ];
  writeFileSync(join(programs, 'zfs'), `${script.join('\n')}\n`, { mode: 0o755 });
  process.env.PATH = `${programs}:${path}`;
});
after(() => {
  process.env.PATH = path;
});

const send = (to: string) =>
  holdfast(['rescue', 'zfs', 'send', 'backup/k', '--to', to], { stateFolder: temporaryFolder('state') });

describe('rescue zfs send', () => {
  test('makes no dataset inside of a replica, its own least of all', async () => {
    machineWith([
      dataset('backup', 1),
      dataset('backup/k', 2, replica),
      snapshot('backup/k@s1', 3),
      dataset('backup/k/a', 4, replica),
    ]);
    for (const to of ['backup/k/copy', 'backup/k/a/copy']) {
      const ended = await send(to);
      assert.equal(ended.exit, 5, ended.notes);
      assert.match(ended.notes, /Nothing is sent to .*: backup\/k\S* is a part of a replica/);
      assert.match(ended.notes, /next: Give another dataset with --to/);
    }
  });

  test('does not send a replica that is in use to its own place, and advises nothing that needs a server now', async () => {
    machineWith([
      dataset('backup', 1),
      dataset('backup/k', 2, { 'holdfast:replica-of': '7', 'holdfast:role': promoted }),
      snapshot('backup/k@s1', 3),
      dataset('fast', 5),
    ]);
    const ended = await send('fast/k');
    assert.equal(ended.exit, 5, ended.notes);
    assert.match(ended.notes, /backup\/k is the one in use since kubernetes-2026-11-20T03:00:00Z/);
    assert.doesNotMatch(ended.notes, /do rescue failback/);
    assert.match(ended.notes, /next: .*"restore" and "clone" read it/);
  });

  test('names the place beside as it is typed here', async () => {
    machineWith([
      dataset('backup', 1),
      dataset('backup/k', 2, replica),
      snapshot('backup/k@s1', 3),
      dataset('fast', 5),
      dataset('fast/k', 6),
      snapshot('fast/k@other', 9),
    ]);
    const ended = await send('fast/k');
    assert.equal(ended.exit, 5, ended.notes);
    assert.match(ended.notes, /fast\/k is in the way/);
    assert.match(ended.notes, /restore beside with --to fast\/k-restored/);
  });
});
