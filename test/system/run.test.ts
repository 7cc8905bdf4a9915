import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HoldfastError } from '../../contracts/errors.js';
import type { Command } from '../../system/host.js';
import { redact, rememberSecret } from '../../system/redact.js';
import { run, runPipeline } from '../../system/run.js';
import { isAlive } from '../support/alive.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

const shell = (script: string, more: Partial<Command> = {}): Command => ({
  file: 'bash',
  args: ['-c', script],
  ...more,
});

const pidIn = (file: string): Promise<number> =>
  waitFor(() => Number(readFileSync(file, 'utf8').trim()), { timeoutMs: 10_000, what: `a pid in ${file}` });

test('a failing exit is a result with its code and the end of standard error', async () => {
  const result = await run(shell('echo out; echo "it broke" >&2; exit 3'));
  assert.equal(result.exitCode, 3);
  assert.equal(result.signal, undefined);
  assert.equal(result.stdout, 'out\n');
  assert.equal(result.stderrTail, 'it broke\n');
});

test('a program that was killed says by which signal', async () => {
  const result = await run(shell('kill -KILL $$'));
  assert.equal(result.exitCode, undefined);
  assert.equal(result.signal, 'SIGKILL');
});

test('a program that is not installed is named, also behind a lock', async () => {
  const lock = join(temporaryFolder(), 'a.lock');
  for (const options of [{}, { lock }]) {
    await assert.rejects(run({ file: 'no-such-tool', args: [] }, options), (error) => {
      assert(error instanceof HoldfastError);
      assert.equal(error.code, 'HF_TOOL_MISSING');
      assert.match(error.message, /no-such-tool/);
      return true;
    });
  }
});

test('words that are longer than the system takes are an error of ours, not a crash, also in a pipeline', async () => {
  const tooLong = shell(`: ${'x'.repeat(200_000)}`);
  const refused = {
    name: 'HoldfastError',
    code: 'HF_INTERNAL',
    message: /sh with 2 words of 2000\d\d bytes: .*E2BIG/,
  };
  await assert.rejects(run(tooLong), refused);
  await assert.rejects(runPipeline([shell('exec sleep 60'), tooLong]), refused);
});

test('a line of ten megabytes arrives whole', async () => {
  const lengths: number[] = [];
  const script = 'head -c 10000000 /dev/zero | tr "\\0" x; echo; echo short; printf "no line break"';
  await run(shell(script), { onLine: (line) => lengths.push(line.length) });
  assert.deepEqual(lengths, [10_000_000, 5, 13]);
});

test('characters of several bytes are not cut where chunks meet', async () => {
  const { stdout } = await run(shell('for i in $(seq 20000); do printf "ä€😀"; done'));
  assert.equal(stdout, 'ä€😀'.repeat(20_000));
});

test('arguments with spaces, quotes, line breaks and leading dashes arrive as they are', async () => {
  const names = ['a b', `it's "quoted"`, '-rf', 'new\nline', '$HOME', '*', 'ünï', ''];
  const { stdout } = await run({ file: 'printf', args: ['[%s]', ...names] });
  assert.equal(stdout, names.map((name) => `[${name}]`).join(''));
});

test('too much output ends the program and is told', async () => {
  await assert.rejects(run(shell('yes'), { maxStdoutBytes: 100_000 }), /more than 100000 bytes/);
});

test('a tool gets what it needs of the environment and none of the credentials in it', async () => {
  process.env.AWS_SECRET_ACCESS_KEY = 'must-not-leak';
  try {
    const { stdout } = await run({ file: 'env', args: [], env: { RESTIC_REPOSITORY: 'here' } });
    assert.match(stdout, /^PATH=/m);
    assert.match(stdout, /^RESTIC_REPOSITORY=here$/m);
    assert.doesNotMatch(stdout, /must-not-leak/);
  } finally {
    delete process.env.AWS_SECRET_ACCESS_KEY;
  }
});

test('cancelling sends the tool its own stop signal and waits until it has cleaned up', async () => {
  const folder = temporaryFolder();
  const ready = join(folder, 'ready');
  const clean = join(folder, 'clean');
  const script = `trap 'sleep 0.2; echo cleaned > ${clean}; exit 130' INT; trap 'echo wrong > ${clean}; exit 1' TERM; echo $$ > ${ready}; while :; do sleep 0.05; done`;
  const stop = new AbortController();
  const running = run(shell(script, { stopSignal: 'SIGINT' }), { signal: stop.signal });
  await pidIn(ready);
  stop.abort(new Error('cancelled by the test'));
  await assert.rejects(running, /cancelled by the test/);
  assert.equal(readFileSync(clean, 'utf8'), 'cleaned\n');
});

test('cancelling ends grandchildren too, and a tool that ignores its signal', async () => {
  const folder = temporaryFolder();
  const pidFile = join(folder, 'pid');
  const script = `trap '' INT TERM; (trap '' INT TERM; echo $BASHPID > ${pidFile}; while :; do sleep 0.05; done) & wait; while :; do sleep 0.05; done`;
  const stop = new AbortController();
  const running = run(shell(script), { signal: stop.signal, killAfterMs: 100 });
  const grandchild = await pidIn(pidFile);
  stop.abort(new Error('stop'));
  await assert.rejects(running, /stop/);
  await waitFor(() => !isAlive(grandchild), { timeoutMs: 5_000, what: 'the end of the grandchild' });
});

test('nothing is started when it is cancelled already', async () => {
  const mark = join(temporaryFolder(), 'mark');
  writeFileSync(mark, 'untouched');
  await assert.rejects(
    run(shell(`echo started > ${mark}`), { signal: AbortSignal.abort(new Error('too late')) }),
    /too late/,
  );
  assert.equal(readFileSync(mark, 'utf8'), 'untouched');
});

test('a lock is held by the child while it lives, and waited for', async () => {
  const folder = temporaryFolder();
  const lock = join(folder, 'locks', 'resource.lock');
  const go = join(folder, 'go');
  const first = run(
    shell(
      `echo $$ > ${folder}/first; until test -e ${go}; do sleep 0.02; done; echo first >> ${folder}/order`,
    ),
    { lock },
  );
  await pidIn(join(folder, 'first'));
  let waited = false;
  const second = run(shell(`echo second >> ${folder}/order`), {
    lock,
    onLockWait: () => {
      waited = true;
      writeFileSync(go, '');
    },
  });
  await Promise.all([first, second]);
  assert.equal(waited, true);
  assert.equal(readFileSync(join(folder, 'order'), 'utf8'), 'first\nsecond\n');
});

test('a pipeline gives each end, and its bytes do not pass through us', async () => {
  const [writer, reader] = await runPipeline([shell('echo one; echo two; exit 0'), shell('wc -l; exit 4')]);
  assert.equal(writer?.exitCode, 0);
  assert.equal(writer?.stdout, '');
  assert.equal(reader?.exitCode, 4);
  assert.equal(reader?.stdout.trim(), '2');
});

test('a writer does not outlive its dead reader', async () => {
  const [writer] = await runPipeline([
    { file: 'yes', args: [] },
    { file: 'head', args: ['-n', '1'] },
  ]);
  // SIGPIPE or EPIPE, depending on what the tool does with the signal: it ends, and not with success.
  assert.notEqual(writer?.exitCode, 0);
});

test('secrets are blanked out of lines, tails and logs', async () => {
  rememberSecret('hunter2-remembered');
  const lines: string[] = [];
  const result = await run(shell('echo "key hunter2-remembered and hunter2-named" >&2'), {
    secrets: ['hunter2-named'],
    log: (line) => lines.push(line),
  });
  assert.equal(result.stderrTail, 'key *** and ***\n');
  assert.deepEqual(lines, ['key *** and ***']);
  assert.equal(redact('s3:http://x:hunter2-remembered@host'), 's3:http://x:***@host');
});

test('a listener that throws ends the program and fails the step, not the worker', async () => {
  const script = 'echo one; sleep 60';
  const broken = () => {
    throw new RangeError('not a time');
  };
  await assert.rejects(run(shell(script), { onLine: broken }), /not a time/);
  await assert.rejects(run(shell('echo one >&2; sleep 60'), { log: broken }), /not a time/);
});

test('a secret is not shown in half where the end of standard error is cut', async () => {
  const secret = 'one half of it and the other half';
  rememberSecret(secret);
  for (const after of [4070, 4085, 4094]) {
    const { stderrTail } = await run({
      file: 'bash',
      args: [
        '-c',
        'printf %s "$1" >&2; head -c "$2" /dev/zero | tr "\\0" x >&2',
        'bash',
        secret,
        String(after),
      ],
    });
    assert.doesNotMatch(stderrTail, /half/);
    assert(stderrTail.length <= 4096);
  }
});

test('a secret that was cut where little is left of the end of standard error is not shown in half either', async () => {
  const secret = 'one third, another third, the last third '.repeat(10);
  rememberSecret(secret);
  const { stderrTail } = await run(shell(`for i in $(seq 30); do echo '${secret}' >&2; done`));
  assert.match(stderrTail, /^(\*\*\*\n)+$/);
});

test('the end of a long standard error begins with a whole line, and one that is nothing but one line is cut', async () => {
  const of = async (script: string) => (await run(shell(script))).stderrTail;
  for (const length of [4096, 4100, 9000, 30_000]) {
    const many = await of(`yes "it is 'a name' of 20" | head -c ${length} >&2; echo >&2; echo end >&2`);
    assert.match(many, /^it is 'a name' of 20\n/, String(length));
    assert.match(many, /\nend\n$/);
    assert(many.length > 4000 && many.length <= 4096, `${many.length}`);
  }
  for (const end of ['', '\\n']) assert.match(await of(`printf '%05000d${end}' 7 >&2`), /^0{4000,}7\n?$/);
  assert.equal(await of("printf '%04000d\\n7' 7 >&2"), `${'7'.padStart(4000, '0')}\n7`);
});

test('a secret with quotes is blanked out of JSON too', () => {
  rememberSecret('a "quoted" \\ secret');
  assert.doesNotMatch(redact(JSON.stringify({ said: 'it is a "quoted" \\ secret' })), /quoted/);
});
