import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { repositoryRoot } from '../support/root.js';
import { freePort } from '../support/spawn.js';
import { temporaryFolder } from '../support/temp.js';
import { holdfast } from './command-line.js';

const config = join(repositoryRoot, 'config/examples/photos-offsite.yaml');
const to = ['--to', 'nas:/tmp/r'];

/** Everything here must be refused before Temporal is asked: no server runs. */
const refusals: [argv: string[], exit: number, message: RegExp][] = [
  [['prnue'], 2, /unknown command 'prnue'/],
  [['plna'], 2, /Did you mean plan\?/],
  [['run'], 2, /missing required argument 'JOB'/],
  [['run', 'photos-offsite', '--folow'], 2, /unknown option '--folow' \(Did you mean --follow\?\)/],
  [['run', 'photos-offsite', '--only'], 2, /argument missing/],
  [['run', 'photos-offsite', '--only', 'scrub'], 2, /no operation "scrub"; it has: backup, prune, check/],
  [['run', 'photos-ofsite'], 3, /no job "photos-ofsite"; did you mean "photos-offsite"\?/],
  [['run', 'constructor'], 3, /no job "constructor"/],
  [['run', '-n'], 2, /unknown option '-n'/],
  [['run', '--', '--help'], 3, /no job "--help"/],
  [['run', "x'; DROP\u001b[2J\n"], 3, /no job "x'; DROP\?\[2J\?"/],
  [['runs', '--limit', '0'], 2, /--limit takes a whole number from 1 to 10000/],
  [['logs', 'x', '--lines', 'ten'], 2, /--lines takes a whole number/],
  [['logs', '../../etc/passwd'], 3, /no run "\.\.\/\.\.\/etc\/passwd"/],
  [['pause', 'nothing'], 3, /no job "nothing"/],
  [['status', 'nothing'], 3, /no job "nothing"/],
  [['init-store', 'b2'], 3, /no store "b2"/],
  [['restore', 'photos-offsite'], 2, /Say where to: --to HOST:DIR/],
  [['restore', 'photos-offsite', '--to', 'nas:relative'], 2, /absolute path, not "nas:relative"/],
  [['restore', 'photos-offsite', '--to', 'moon:/tmp/r'], 2, /no host "moon"/],
  [['restore', 'photos-offsite', ...to, '--at', 'yesterday-ish'], 2, /--at takes a time such as/],
  [['restore', 'photos-offsite', ...to, '--at', '2026-02-30'], 2, /--at takes a time/],
  [['restore', 'photos-offsite', ...to, '--copy', 'zz'], 2, /--copy takes the id of a copy/],
  [['restore', 'photos-offsite', ...to, '--copy', 'abcd', '--at', '2026-01-01'], 2, /exclude each other/],
  [['restore', 'photos-offsite', ...to, '--path', '../secret'], 2, /relative to the resource/],
  [['restore', 'photos-offsite', ...to, '--path', '/etc'], 2, /relative to the resource/],
  [['restore', 'photos-offsite/films', ...to], 2, /no resource "films"; it has: photos/],
  [['restore', 'photos-offsite', ...to, '--store', 'usb'], 2, /no store "usb"; it has: b2-photos/],
  [['restore', 'photos-offsite', '--in-place'], 5, /"photos" may not be restored in place/],
  [['restore', 'photos-offsite', '--in-place', ...to], 2, /--in-place and --to exclude each other/],
  [['restore', 'photos-offsite', '--in-place', '--path', 'a'], 2, /restores a whole resource/],
  [
    ['restore', 'photos-offsite', ...to, '--first', 'a', '--path', 'b'],
    2,
    /--first goes with a whole restore/,
  ],
  [['restore', 'photos-offsite', ...to, '--first', '/etc'], 2, /relative to the resource/],
  [['restore', 'photos-offsite', ...to, '--map-ids', '0:1'], 2, /FROM:TO:COUNT.*not "0:1"/],
  [['restore', 'photos-offsite', ...to, '--map-ids', '0:9:0'], 2, /COUNT is 0/],
  [['restore', 'photos-offsite', '--undo', 'x', ...to], 2, /--undo takes nothing else/],
  [['restore', 'photos'], 3, /no job "photos"/],
  [['undo'], 2, /missing required argument 'HOST'/],
  [['undo', 'moon'], 2, /no host "moon"/],
  [['do'], 2, /missing required argument 'JOB'/],
  [['do', 'photos'], 3, /no job "photos"/],
  [['do', 'photos-offsite', 'park'], 2, /no action "park"; there are none/],
];

describe('words that are not understood', () => {
  for (const [argv, exit, message] of refusals) {
    test(`holdfast ${JSON.stringify(argv.join(' '))} ends with ${exit}`, async () => {
      const ended = await holdfast(argv, { config });
      assert.match(ended.notes, message);
      assert.match(ended.notes, /^next: \S/m, 'it says what to do next');
      assert.doesNotMatch(ended.notes, /COMMAND/, 'it names the command');
      assert.doesNotMatch(ended.notes, /\n\s+at /, 'no stack');
      assert.equal(ended.out, '');
      assert.equal(ended.exit, exit);
    });
  }

  test('are an object on standard output with --json', async () => {
    const { out, notes, exit } = await holdfast(['status', 'nothing', '--json'], { config });
    const { error } = JSON.parse(out);
    assert.equal(error.code, 'HF_RUN_NOT_FOUND');
    assert.match(error.message, /no job "nothing"/);
    assert.notEqual(error.next, '');
    assert.equal(notes, '');
    assert.equal(exit, 3);
    assert.equal(JSON.parse((await holdfast(['status', '--jsn', '--json'])).out).error.code, 'HF_USAGE');
  });

  test('show the help on standard error when there are none at all', async () => {
    const { notes, out, exit } = await holdfast([]);
    assert.match(notes, /Usage: holdfast/);
    assert.equal(out, '');
    assert.equal(exit, 2);
  });

  test('print the stack only with HOLDFAST_DEBUG=1', async () => {
    const { notes } = await holdfast(['run', 'nothing'], { config, env: { HOLDFAST_DEBUG: '1' } });
    assert.match(notes, /\n\s+at /);
  });
});

describe('a resource or a store that is not clear', () => {
  const file = join(temporaryFolder(), 'holdfast.yaml');
  writeFileSync(
    file,
    `hosts: { nas: {}, attic: {} }
resources: { photos: { host: nas, directory: /a }, notes: { host: attic, directory: /b } }
stores:
  one: { restic: { repository: /r1, password: { file: /k } } }
  two: { restic: { repository: /r2, password: { file: /k } } }
jobs:
  photos: { kind: restic-backup, resources: [photos, notes], stores: [one, two] }
`,
  );

  for (const [argv, message] of [
    [['restore', 'photos', ...to], /several resources: photos, notes/],
    [['restore', 'photos/photos', ...to], /several stores: one, two/],
    [['init-store', 'one'], /Hosts nas, attic use the store "one"/],
  ] as const) {
    test(`holdfast ${argv.join(' ')} ends with 2 and the list`, async () => {
      const { notes, exit } = await holdfast(argv, { config: file });
      assert.match(notes, message);
      assert.equal(exit, 2);
    });
  }
});

test('a Temporal that does not answer ends with 4 and names the address', async () => {
  const port = await freePort();
  const file = join(temporaryFolder(), 'holdfast.yaml');
  writeFileSync(file, `temporal: { address: "127.0.0.1:${port}" }\nhosts: { nas: {} }\n`);
  const { notes, exit } = await holdfast(['runs'], { config: file });
  assert.match(notes, new RegExp(`Temporal does not answer at 127\\.0\\.0\\.1:${port}`));
  assert.equal(exit, 4);
});

test('a configuration that is not there ends with 2', async () => {
  const { notes, exit } = await holdfast(['status'], { config: '/nonexistent/holdfast.yaml' });
  assert.match(notes, /there is no such file/);
  assert.equal(exit, 2);
});
