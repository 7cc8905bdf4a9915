import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HoldfastError } from '../../contracts/errors.js';
import type { Command, Host } from '../../system/host.js';
import { localHost } from '../../system/local-host.js';
import { sshHost } from '../../system/ssh-host.js';
import { type SshMachine, sshMachine } from '../../system/ssh-machine.js';
import { isAlive } from '../support/alive.js';
import { needs } from '../support/needs.js';
import { type SshServer, startSshServer } from '../support/ssh-server.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

/** Commands on a machine over ssh: a real sshd, real processes, real locks. */

const skip = needs('sshd');
let server: SshServer;
let machine: SshMachine;
let host: Host;

before(async () => {
  if (skip) return;
  server = await startSshServer();
  machine = sshMachine(() => server.target, join(server.folder, 'control'));
  const driver = localHost({ name: 'nas', stateFolder: join(server.folder, 'here') });
  host = sshHost({ name: 'din', machine, driver });
});

after(async () => {
  if (skip) return;
  machine.close();
  await server.stop();
});

const bash = (script: string, more: Partial<Command> = {}): Command => ({
  file: 'bash',
  args: ['-c', script],
  ...more,
});

const pidIn = (file: string): Promise<number> =>
  waitFor(() => (existsSync(file) ? Number(readFileSync(file, 'utf8').trim()) : 0), {
    timeoutMs: 60_000,
    what: `a pid in ${file}`,
  });

const gone = (pid: number): Promise<boolean> =>
  waitFor(() => !isAlive(pid), { timeoutMs: 60_000, what: `the end of ${pid}` });

const hasCode =
  (code: string, words: RegExp) =>
  (error: unknown): boolean => {
    assert(error instanceof HoldfastError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, words);
    assert(error.message.length <= 300, `${error.message.length} characters`);
    return true;
  };

test('exit code, signal, output and standard error come back as from a program of this machine', {
  skip,
}, async () => {
  const failed = await host.run(bash('echo out; echo "it broke" >&2; exit 3'));
  assert.deepEqual(
    [failed.exitCode, failed.signal, failed.stdout, failed.stderrTail],
    [3, undefined, 'out\n', 'it broke\n'],
  );
  const killed = await host.run(bash('kill -KILL $$'));
  assert.deepEqual([killed.exitCode, killed.signal], [undefined, 'SIGKILL']);
});

test('hostile arguments, variables and folders arrive as they are', { skip }, async () => {
  const names = [
    'a b',
    `it's "quoted"`,
    '-rf',
    'new\nline',
    '$HOME',
    '`id`',
    '*',
    '!!',
    '\\',
    'ünï',
    '',
    '~',
  ];
  const { stdout } = await host.run({ file: 'printf', args: ['[%s]', ...names] });
  assert.equal(stdout, names.map((name) => `[${name}]`).join(''));
  const cwd = join(temporaryFolder(), `it's a "folder" $x`);
  mkdirSync(cwd);
  const said = await host.run(bash('printf "%s|%s" "$SECRET" "$PWD"', { cwd, env: { SECRET: `a'b\n$c` } }));
  assert.equal(said.stdout, `a'b\n$c|${cwd}`);
});

test('a list of arguments that no single argument could hold arrives whole', { skip }, async () => {
  const args = Array.from(
    { length: 5_000 },
    (_, at) => `tank/kubernetes/pvc-${at}@a-snapshot-with-a-long-name`,
  );
  const { stdout } = await host.run({ file: 'printf', args: ['%s\n', ...args] });
  assert.equal(stdout, args.map((arg) => `${arg}\n`).join(''));
});

test('a program that is not there is named with its host, also behind a lock', { skip }, async () => {
  for (const options of [{}, { lock: join(server.folder, 'missing.lock') }]) {
    await assert.rejects(
      host.run({ file: 'no-such-tool', args: [] }, options),
      hasCode('HF_TOOL_MISSING', /no-such-tool.*"din"/),
    );
  }
  assert.equal(await host.findProgram('no-such-tool'), undefined);
  assert.match((await host.findProgram('find')) ?? '', /^\/.*\/find$/);
});

const commandLines = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'latin1')];
      } catch {
        return [];
      }
    });

test('a secret is in no list of processes, on either side', { skip }, async () => {
  const secret = 'a-secret-only-of-this-test-5d1f';
  const folder = temporaryFolder();
  const [ready, go] = [join(folder, 'ready'), join(folder, 'go')];
  const script = `echo $$ > ${ready}; until [ -e ${go} ]; do sleep 0.05; done; printf %s "$RESTIC_PASSWORD" | sha256sum`;
  const env = { RESTIC_PASSWORD: secret };
  const running = [
    host.run(bash(script, { env })),
    host.pipe([
      bash(`until [ -e ${go} ]; do sleep 0.05; done; printf %s "$RESTIC_PASSWORD"`, { env }),
      { file: 'sha256sum', args: [] },
    ]),
  ] as const;
  await pidIn(ready);
  const seen = commandLines();
  writeFileSync(go, '');
  assert(
    seen.some((line) => line.includes(ready)),
    'the command itself is seen',
  );
  assert.deepEqual(
    seen.filter((line) => line.includes(secret)),
    [],
  );
  const sum = createHash('sha256').update(secret).digest('hex');
  assert.equal((await running[0]).stdout, `${sum}  -\n`);
  assert.equal((await running[1])[1]?.stdout, `${sum}  -\n`);
});

test('cancelling sends the stop signal of the tool, waits until it has cleaned up, and takes grandchildren along', {
  skip,
}, async () => {
  const folder = temporaryFolder();
  const [ready, clean] = [join(folder, 'ready'), join(folder, 'clean')];
  const script = `trap 'echo cleaned > ${clean}; exit 130' INT; trap 'echo wrong > ${clean}; exit 1' TERM; (trap '' INT TERM HUP; echo $BASHPID > ${ready}; while :; do sleep 0.05; done) & while :; do sleep 0.05; done`;
  const stop = new AbortController();
  const running = host.run(bash(script, { stopSignal: 'SIGINT' }), {
    signal: stop.signal,
    killAfterMs: 60_000,
  });
  const grandchild = await pidIn(ready);
  stop.abort(new Error('cancelled by the test'));
  await assert.rejects(running, /cancelled by the test/);
  assert.equal(readFileSync(clean, 'utf8'), 'cleaned\n');
  await gone(grandchild);
});

test('a tool that does not listen is killed', { skip }, async () => {
  const ready = join(temporaryFolder(), 'ready');
  const stop = new AbortController();
  const script = `trap '' INT TERM HUP; echo $$ > ${ready}; while :; do sleep 0.05; done`;
  const running = host.run(bash(script), { signal: stop.signal, killAfterMs: 100 });
  const pid = await pidIn(ready);
  stop.abort(new Error('stop'));
  await assert.rejects(running, /stop/);
  await gone(pid);
});

test('a cut connection is an outage; the orphan keeps its lock, and the next one waits for it', {
  skip,
}, async () => {
  const folder = temporaryFolder();
  const [ready, go, lock] = [join(folder, 'ready'), join(folder, 'go'), join(folder, 'locks', "it's.lock")];
  const orphan = `echo $$ > ${ready}; until [ -e ${go} ]; do sleep 0.05; done`;
  const running = host.run(bash(orphan), { lock });
  const pid = await pidIn(ready);
  server.cut();
  await assert.rejects(running, hasCode('HF_SSH_UNREACHABLE', /"din".*lost.*keeps its lock/));
  assert(isAlive(pid), 'closing the connection does not end it');
  await assert.rejects(
    host.run(bash('true'), { lock, lockTaken: 'refuse' }),
    hasCode('HF_HOST_LOCKED', /earlier attempt/),
  );
  let waited = false;
  const next = host.run(bash(`echo after`), { lock, onLockWait: () => (waited = true) });
  await waitFor(() => waited, { timeoutMs: 60_000, what: 'waiting for the lock' });
  writeFileSync(go, '');
  assert.equal((await next).stdout, 'after\n');
  await gone(pid);
});

test('a folder of ours that somebody else has made is not used', {
  skip: skip || needs('root'),
}, async () => {
  const folder = join(temporaryFolder(), 'not ours');
  mkdirSync(folder);
  chownSync(folder, 65_534, 65_534);
  const foreign = sshMachine(() => ({ ...server.target, folder }), join(server.folder, 'control'));
  const driver = localHost({ name: 'nas', stateFolder: join(server.folder, 'here') });
  const own = sshHost({ name: 'din', machine: foreign, driver });
  const options = { lock: `${folder}/a.lock` };
  await assert.rejects(own.run(bash('true'), options), hasCode('HF_CONFIG_INVALID', /not ours.*ssh\.folder/));
  assert.equal((await own.run(bash('true'))).exitCode, 0, 'what needs no folder is done');
  foreign.close();
});

test('whoever waits for a lock can be cancelled', { skip }, async () => {
  const folder = temporaryFolder();
  const [ready, go, lock] = [join(folder, 'ready'), join(folder, 'go'), join(folder, 'a.lock')];
  const holder = host.run(bash(`echo $$ > ${ready}; until [ -e ${go} ]; do sleep 0.05; done`), { lock });
  await pidIn(ready);
  const stop = new AbortController();
  const started = join(folder, 'started');
  const waiting = host.run(bash(`echo > ${started}`), {
    lock,
    signal: stop.signal,
    onLockWait: () => stop.abort(new Error('enough')),
  });
  await assert.rejects(waiting, /enough/);
  writeFileSync(go, '');
  assert.equal((await holder).exitCode, 0);
  assert.equal(existsSync(started), false);
});

test('a hundred commands at once all run, although the server gives ten at a time', { skip }, async () => {
  const results = await Promise.all(
    Array.from({ length: 100 }, (_, at) => host.run({ file: 'echo', args: [`number ${at}`] })),
  );
  assert.deepEqual(
    results.map(({ stdout }) => stdout),
    Array.from({ length: 100 }, (_, at) => `number ${at}\n`),
  );
});

test('the process writes its own number down before it becomes the program', { skip }, async () => {
  const pidFile = join(temporaryFolder(), 'pid');
  const { stdout } = await host.run(bash('echo $$'), { pidFile });
  assert.equal(readFileSync(pidFile, 'utf8'), stdout);
});

test('too much output, a listener that throws and an early cancellation end as they do here', {
  skip,
}, async () => {
  await assert.rejects(host.run(bash('yes'), { maxStdoutBytes: 100_000 }), /more than 100000 bytes/);
  const onLine = (): void => {
    throw new Error('thrown by the listener');
  };
  await assert.rejects(host.run(bash('yes'), { onLine }), /thrown by the listener/);
  const mark = join(temporaryFolder(), 'mark');
  await assert.rejects(
    host.run(bash(`echo > ${mark}`), { signal: AbortSignal.abort(new Error('too late')) }),
    /too late/,
  );
  assert.equal(existsSync(mark), false);
});

test('megabytes of lines arrive whole and in order', { skip }, async () => {
  let [lines, wrong] = [0, 0];
  const onLine = (line: string): void => {
    lines += 1;
    if (line !== String(lines)) wrong += 1;
  };
  await host.run({ file: 'seq', args: ['1000000'] }, { onLine });
  assert.deepEqual([lines, wrong], [1_000_000, 0]);
});
