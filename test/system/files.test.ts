import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stateFolder } from '../../system/environment.js';
import { localHost } from '../../system/local-host.js';
import { resolveSecret } from '../../system/secrets.js';
import { temporaryFolder } from '../support/temp.js';

const enough = { files: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

function hostIn(folder: string) {
  return localHost({ name: 'test', stateFolder: folder });
}

test('a tree is counted with hostile names, without following links out of it', async () => {
  const folder = temporaryFolder();
  const outside = temporaryFolder();
  writeFileSync(join(outside, 'big'), 'x'.repeat(1000));
  mkdirSync(join(folder, '-rf ünï\nnew line'));
  for (const name of ['a b', '"', '*', '-n']) writeFileSync(join(folder, '-rf ünï\nnew line', name), '12345');
  symlinkSync(outside, join(folder, 'link'));
  symlinkSync('/nowhere', join(folder, 'dangling'));
  const host = hostIn(folder);
  assert.deepEqual(await host.countTree(folder, enough), { files: 4, bytes: 20, complete: true });
});

test('counting stops as soon as there is enough', async () => {
  const folder = temporaryFolder();
  for (let index = 0; index < 50; index += 1) writeFileSync(join(folder, `${index}`), 'x');
  const count = await hostIn(folder).countTree(folder, { files: 3, bytes: 2 });
  assert.deepEqual(count, { files: 3, bytes: 2, complete: false });
});

test('a folder that is not there cannot be counted', async () => {
  const folder = temporaryFolder();
  await assert.rejects(hostIn(folder).countTree(join(folder, 'gone'), enough), /ENOENT/);
});

test('a torn last line of a crash does not swallow the next one', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'evidence.jsonl');
  const host = hostIn(folder);
  await host.appendLine(file, '{"a":1}');
  appendFileSync(file, '{"torn":');
  await host.appendLine(file, '{"b":2}');
  assert.equal(readFileSync(file, 'utf8'), '{"a":1}\n{"torn":\n{"b":2}\n');
});

test('the real path of what is still to be made follows the links above it', async () => {
  const folder = temporaryFolder();
  symlinkSync('/etc', join(folder, 'link'));
  assert.equal(await hostIn(folder).realPath(join(folder, 'link', 'new', 'deep')), '/etc/new/deep');
});

test('nothing outside of the given folder is removed', async () => {
  const folder = temporaryFolder();
  const other = temporaryFolder();
  const host = hostIn(folder);
  await assert.rejects(host.removeTree(other, folder), /does not lie inside/);
  await assert.rejects(host.removeTree(join(folder, '..'), folder), /does not lie inside/);
  await assert.rejects(host.removeTree(folder, folder), /does not lie inside/);
  assert.equal(existsSync(other), true);
});

test('a folder is made with all above it, also by several at once, and where none can be made that is said', async () => {
  const folder = temporaryFolder();
  const host = hostIn(folder);
  const deep = join(folder, '-a b', 'ünï "c"', 'd');
  await Promise.all([deep, deep, join(deep, 'e')].map((path) => host.makeFolder(path)));
  assert.ok(existsSync(join(deep, 'e')));
  writeFileSync(join(folder, 'file'), '');
  symlinkSync(join(folder, 'nowhere'), join(folder, 'leads nowhere'));
  await assert.rejects(host.makeFolder(join(folder, 'file')), { code: 'EEXIST' });
  await assert.rejects(host.makeFolder(join(folder, 'file', 'below')), { code: 'ENOTDIR' });
  await assert.rejects(host.makeFolder(join(folder, 'leads nowhere')), { code: 'EEXIST' });
  // Node's own way of making a folder with its parents never comes back here.
  await assert.rejects(host.makeFolder('/proc/holdfast/state'), { code: 'ENOENT' });
});

test('/proc is a mount point and a plain folder is not', async () => {
  const folder = temporaryFolder();
  assert.equal(await hostIn(folder).isMountPoint('/proc'), true);
  assert.equal(await hostIn(folder).isMountPoint(folder), false);
});

test('a secret comes from a file, a variable or a command, without its last line break', async () => {
  const folder = temporaryFolder();
  const host = hostIn(folder);
  writeFileSync(join(folder, 'key'), ' pass word \n');
  process.env.HOLDFAST_TEST_SECRET = 'from-variable';
  assert.equal(await resolveSecret(host, { file: join(folder, 'key') }), ' pass word ');
  assert.equal(await resolveSecret(host, { env: 'HOLDFAST_TEST_SECRET' }), 'from-variable');
  assert.equal(await resolveSecret(host, { command: ['printf', 'from-command\\n'] }), 'from-command');
});

test('a secret that cannot be had says where from and why, never what', async () => {
  const folder = temporaryFolder();
  const host = hostIn(folder);
  writeFileSync(join(folder, 'empty'), '\n');
  const code = 'HF_SECRET_UNAVAILABLE';
  await assert.rejects(resolveSecret(host, { file: join(folder, 'gone') }), {
    code,
    message: /gone.*ENOENT/,
  });
  await assert.rejects(resolveSecret(host, { file: join(folder, 'empty') }), { code, message: /is empty/ });
  await assert.rejects(resolveSecret(host, { env: 'HOLDFAST_NOT_SET' }), {
    code,
    message: /HOLDFAST_NOT_SET.*not set/,
  });
  const command = ['bash', '-c', 'echo half-a-secret; echo "locked: half-a-secret" >&2; exit 2'];
  await assert.rejects(resolveSecret(host, { command }), (error: Error) => {
    assert.match(error.message, /failed with 2: locked: \*\*\*/);
    assert.doesNotMatch(error.message, /half-a-secret/);
    return true;
  });
});

test('the state folder is HOLDFAST_STATE, else the XDG one, else /var/lib/holdfast for root', () => {
  assert.equal(stateFolder({ HOLDFAST_STATE: '/a', XDG_STATE_HOME: '/b' }, true), '/a');
  assert.equal(stateFolder({ XDG_STATE_HOME: '/b' }, true), '/b/holdfast');
  assert.equal(stateFolder({}, true), '/var/lib/holdfast');
  assert.match(stateFolder({}, false), /\/\.local\/state\/holdfast$/);
});

test('entries are moved with names that are no UTF-8, and nothing is replaced', async () => {
  const folder = temporaryFolder();
  const [from, to] = [join(folder, 'from'), join(folder, 'to')];
  mkdirSync(from);
  mkdirSync(to);
  const latin1 = Buffer.concat([Buffer.from(`${from}/`), Buffer.from([0x66, 0xfc, 0x72])]);
  writeFileSync(latin1, 'for');
  writeFileSync(join(from, '-rf "x'), 'dash');
  const host = hostIn(folder);
  assert.equal(await host.moveEntries(from, to), undefined);
  assert.deepEqual(readdirSync(from), []);
  const moved = readdirSync(to, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
  assert.deepEqual(moved.sort(), ['-rf "x', 'für']);
  writeFileSync(join(from, '-rf "x'), 'another');
  assert.match(String(await host.moveEntries(from, to)), /-rf "x$/);
  assert.equal(readFileSync(join(to, '-rf "x'), 'utf8'), 'dash');
});

test('many that write one file at the same time all succeed, and one of their texts is there whole', async () => {
  const folder = temporaryFolder();
  const host = hostIn(folder);
  const path = join(folder, 'a b', 'state.json');
  const texts = Array.from({ length: 20 }, (_, at) => `${at}`.repeat(50_000));
  await Promise.all(texts.map((text) => host.writeFile(path, text)));
  assert(texts.includes(readFileSync(path, 'utf8')));
  assert.deepEqual(readdirSync(join(folder, 'a b')), ['state.json']);
});
