import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HoldfastError } from '../../contracts/errors.js';
import type { Host } from '../../system/host.js';
import { localHost } from '../../system/local-host.js';
import { pipeAcross } from '../../system/pipe-across.js';
import { sshHost } from '../../system/ssh-host.js';
import { type SshMachine, sshMachine } from '../../system/ssh-machine.js';
import type { SshTarget } from '../../system/ssh-target.js';
import { isAlive } from '../support/alive.js';
import { needs } from '../support/needs.js';
import { type SshServer, startSshServer } from '../support/ssh-server.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

/** Ways to machines, and pipes between them: two real ssh servers, and the ssh program for the bytes. */

const folder = temporaryFolder('ways');
const here = localHost({ name: 'nas', stateFolder: join(folder, 'here') });
const machines: SshMachine[] = [];

function hostAt(target: () => SshTarget): Host {
  const machine = sshMachine(target, join(folder, 'control'));
  machines.push(machine);
  return sshHost({ name: target().name, machine, driver: here });
}

const bash = (script: string) => ({ file: 'bash', args: ['-c', script] });

const refused =
  (code: string, words: RegExp) =>
  (error: unknown): boolean => {
    assert(error instanceof HoldfastError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, words);
    assert(error.message.length <= 300, `${error.message.length} characters: ${error.message}`);
    return true;
  };

/** Kept connections of the ssh program to a server. */
const mastersOf = (port: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return words.includes(`\0Port=${port}\0`) && words.includes('ControlPersist');
      } catch {
        return false;
      }
    })
    .map(Number);

const within = (what: string) => ({ timeoutMs: 60_000, what });

describe('ways to machines over ssh', { skip: needs('sshd') }, () => {
  let din: SshServer;
  let grogu: SshServer;

  before(async () => {
    din = await startSshServer({ name: 'din' });
    grogu = await startSshServer({ name: 'grogu' });
  });
  after(async () => {
    for (const machine of machines) machine.close();
    await din.stop();
    await grogu.stop();
  });

  test('an unknown machine is refused with its fingerprint and the line to add; with that line it is let in', async () => {
    const knownHostsFile = join(folder, 'not there yet');
    const host = hostAt(() => ({ ...din.target, knownHostsFile }));
    let line = '';
    await assert.rejects(host.run(bash('true')), (error: HoldfastError) => {
      line = String(error.details.line);
      return refused('HF_SSH_HOST_KEY', /"din" is not known yet: its key is SHA256:.*add/)(error);
    });
    assert.equal(line.trim(), din.knownLine.trim());
    writeFileSync(knownHostsFile, `${line}\n`);
    assert.equal((await host.run(bash('echo in'))).stdout, 'in\n');
  });

  test('a machine with another key than before gets no command and no byte', async (t) => {
    const own = await startSshServer({ name: 'din' });
    t.after(() => own.stop());
    const host = hostAt(() => own.target);
    assert.equal((await host.run(bash('echo in'))).stdout, 'in\n');
    await own.changeKey();
    const mark = join(folder, 'must not be');
    const changed = refused('HF_SSH_HOST_KEY', /"din".*has changed: it was SHA256:.*now it is SHA256:/);
    await assert.rejects(host.run(bash(`touch '${mark}'`)), changed);
    await assert.rejects(
      pipeAcross([
        { host: here, command: bash('echo secret') },
        { host, command: bash(`cat > '${mark}'`) },
      ]),
      changed,
    );
    assert.equal(existsSync(mark), false);
  });

  test('a key that the machine does not take, has a passphrase, or is not there, is said to be so', async () => {
    const wrong = hostAt(() => ({ ...din.target, keyFile: grogu.target.keyFile }));
    await assert.rejects(
      wrong.run(bash('true')),
      refused('HF_SSH_DENIED', /"din".*refuses the key .*authorized_keys/),
    );
    const none = hostAt(() => ({ ...din.target, keyFile: join(folder, 'none') }));
    await assert.rejects(none.run(bash('true')), refused('HF_SECRET_UNAVAILABLE', /none.*ENOENT.*ssh\.key/));
    const locked = join(folder, 'locked');
    await here.run({ file: 'ssh-keygen', args: ['-q', '-t', 'ed25519', '-N', 'a passphrase', '-f', locked] });
    const asking = hostAt(() => ({ ...din.target, keyFile: locked }));
    await assert.rejects(asking.run(bash('true')), refused('HF_SECRET_UNAVAILABLE', /has a passphrase/));
  });

  test('a machine that is off is an outage, and is reached again when it is back', async (t) => {
    const own = await startSshServer({ name: 'din' });
    t.after(() => own.stop());
    const host = hostAt(() => own.target);
    assert.equal((await host.run(bash('echo 1'))).stdout, '1\n');
    await own.stop();
    await assert.rejects(host.run(bash('true')), refused('HF_SSH_UNREACHABLE', /"din".*ECONNREFUSED/));
    await own.start();
    assert.equal((await host.run(bash('echo 2'))).stdout, '2\n');
  });

  test('the way leads over another machine, whose key is checked as well', async () => {
    const target = { ...grogu.target, jump: din.target };
    const host = hostAt(() => target);
    const { stdout } = await host.run(bash('echo "$SSH_CONNECTION"'));
    assert.match(stdout, new RegExp(` ${grogu.port}\n$`));
    const sum = createHash('sha256');
    const bytes = randomBytes(3_000_000);
    writeFileSync(join(folder, 'bytes'), bytes);
    const results = await pipeAcross([
      { host: here, command: { file: 'cat', args: [join(folder, 'bytes')] } },
      { host, command: { file: 'sha256sum', args: [] } },
    ]);
    assert.equal(results[1]?.stdout, `${sum.update(bytes).digest('hex')}  -\n`);
    const stranger = hostAt(() => ({ ...target, jump: { ...din.target, knownHostsFile: '/dev/null' } }));
    await assert.rejects(stranger.run(bash('true')), refused('HF_SSH_HOST_KEY', /"din" is not known/));
  });

  for (const { isSmall, how } of [
    { isSmall: false, how: 'through the ssh program' },
    { isSmall: true, how: 'through this process' },
  ]) {
    test(`bytes go from one machine over two programs each to another, with exit codes and lines of every program: ${how}`, async () => {
      const [a, b] = [hostAt(() => din.target), hostAt(() => grogu.target)];
      const heard: string[] = [];
      const results = await pipeAcross(
        [
          {
            host: a,
            command: bash('echo one >&2; head -c 50000000 /dev/zero; exit 3'),
            lock: join(folder, 'a.lock'),
          },
          { host: a, command: bash('echo two >&2; tr "\\0" x') },
          { host: b, command: bash('echo three >&2; exec cat') },
          { host: b, command: bash('echo four >&2; wc -c; exit 4') },
        ],
        { isSmall, onLine: (line, stream, member) => heard.push(`${member} ${stream} ${line}`) },
      );
      assert.deepEqual(
        results.map(({ exitCode }) => exitCode),
        [3, 0, 0, 4],
      );
      const said = ['0 stderr one', '1 stderr two', '2 stderr three', '3 stderr four', '3 stdout 50000000'];
      // Besides that a shell may complain of what its start-up files do on this machine.
      assert.deepEqual(heard.filter((line) => said.includes(line)).sort(), said);
      assert.deepEqual(
        [a, b].flatMap((host) => readdirSync(join(host.stateFolder, 'pipes'))),
        [],
        'no pipe is left behind',
      );
    });

    test(`a reader that ends early ends its writer, and both are told: ${how}`, async () => {
      const [a, b] = [hostAt(() => din.target), hostAt(() => grogu.target)];
      const [writer, reader] = await pipeAcross(
        [
          { host: a, command: { file: 'yes', args: [] } },
          { host: b, command: bash('head -c 10 >/dev/null; echo full >&2; exit 28') },
        ],
        { isSmall },
      );
      assert.equal(writer?.signal, 'SIGPIPE');
      assert.deepEqual([reader?.exitCode, reader?.stderrTail], [28, 'full\n']);
    });

    test(`a stop reaches every program on every machine, with grandchildren: ${how}`, async () => {
      const [a, b] = [hostAt(() => din.target), hostAt(() => grogu.target)];
      const pids = ['w', 'x', 'y', 'z'].map((name) => join(folder, `pid-${name}-${isSmall}`));
      const deaf = (file: string): string =>
        `(trap '' TERM INT HUP PIPE; echo $BASHPID > '${file}'; while :; do sleep 0.1; done) & exec sleep 1000`;
      const stop = new AbortController();
      const running = pipeAcross(
        pids.map((file, at) => ({ host: at < 2 ? a : b, command: bash(deaf(file)) })),
        { signal: stop.signal, killAfterMs: 500, isSmall },
      );
      const alive = await waitFor(
        () =>
          pids.every((file) => existsSync(file))
            ? pids.map((file) => Number(readFileSync(file, 'utf8')))
            : undefined,
        within('four programs'),
      );
      assert(alive.every((pid) => pid > 0 && isAlive(pid)));
      stop.abort(new Error('stopped by the test'));
      await assert.rejects(running, /stopped by the test/);
      await waitFor(() => alive.every((pid) => !isAlive(pid)), within('the end of all'));
    });

    test(`a program that is missing on the far side stops the others and is named: ${how}`, async () => {
      const [a, b] = [hostAt(() => din.target), hostAt(() => grogu.target)];
      for (const at of [0, 1, 2]) {
        const file = (own: number): string => (own === at ? 'no-such-tool' : 'cat');
        const members = [a, a, b].map((host, own) => ({
          host,
          command: { file: file(own), args: own === 0 ? ['/dev/zero'] : [] },
        }));
        await assert.rejects(
          pipeAcross(members, { isSmall }),
          refused('HF_TOOL_MISSING', /no-such-tool.*"(din|grogu)"/),
        );
      }
    });

    test(`a connection that is cut in the middle of a transfer is an outage: ${how}`, async (t) => {
      const own = await startSshServer({ name: 'din' });
      t.after(() => own.stop());
      const host = hostAt(() => own.target);
      const started = join(folder, `transfer-${isSmall}`);
      const running = pipeAcross(
        [
          { host: here, command: { file: 'yes', args: [] } },
          { host, command: bash(`touch '${started}'; exec cat >/dev/null`) },
        ],
        { isSmall },
      );
      running.catch(() => undefined);
      await waitFor(() => existsSync(started), within('the transfer'));
      own.cut();
      await assert.rejects(running, refused('HF_SSH_UNREACHABLE', /"din".*lost while/));
    });
  }

  test('few bytes of a program here arrive, although it is over before the far side has a channel', async () => {
    const host = hostAt(() => grogu.target);
    const pool = machines.at(-1)?.pool;
    assert(pool);
    const pid = join(folder, 'pid of the writer');
    const open = pool.open.bind(pool);
    pool.open = async (...words) => {
      await waitFor(
        () => existsSync(pid) && !isAlive(Number(readFileSync(pid, 'utf8'))),
        within('the end of the writer'),
      );
      return open(...words);
    };
    const heard: string[] = [];
    const results = await pipeAcross(
      [
        { host: here, command: bash(`echo few bytes; echo $$ > '${pid}'`) },
        { host, command: { file: 'cat', args: [] } },
      ],
      { isSmall: true, onLine: (line, stream) => heard.push(`${stream} ${line}`) },
    );
    assert.deepEqual(
      results.map(({ exitCode }) => exitCode),
      [0, 0],
    );
    assert(heard.includes('stdout few bytes'), heard.join('; '));
  });

  test('few bytes arrive whole, and what was sent before a cut still reaches its program', async (t) => {
    const own = await startSshServer({ name: 'din' });
    t.after(() => own.stop());
    const [a, b] = [hostAt(() => own.target), hostAt(() => grogu.target)];
    const bytes = randomBytes(20_000_000);
    writeFileSync(join(folder, 'few bytes'), bytes);
    const summed = await pipeAcross(
      [
        { host: a, command: { file: 'cat', args: [join(folder, 'few bytes')] } },
        { host: b, command: bash('sleep 0.5; exec sha256sum') },
      ],
      { isSmall: true },
    );
    assert.equal(summed[1]?.stdout, `${createHash('sha256').update(bytes).digest('hex')}  -\n`);
    const arrived = join(folder, 'arrived');
    const running = pipeAcross(
      [
        { host: a, command: bash('echo some; exec sleep 1000') },
        { host: b, command: bash(`read -r word; echo "$word" >'${arrived}'; cat; echo end >>'${arrived}'`) },
      ],
      { isSmall: true },
    );
    running.catch(() => undefined);
    await waitFor(() => existsSync(arrived) && readFileSync(arrived, 'utf8') === 'some\n', within('a word'));
    own.cut();
    await assert.rejects(running, refused('HF_SSH_UNREACHABLE', /"din".*lost while/));
    await waitFor(() => readFileSync(arrived, 'utf8') === 'some\nend\n', within('the end of what was sent'));
  });

  test('transfers that follow each other share a connection, and those at the same time have one each', async (t) => {
    const own = await startSshServer({ name: 'din' });
    t.after(() => own.stop());
    const host = hostAt(() => own.target);
    const send = (isSmall = false): Promise<unknown> =>
      pipeAcross(
        [
          { host: here, command: bash('echo x') },
          { host, command: bash('exec cat') },
        ],
        { isSmall },
      );
    const earlier = new Set(readdirSync(join(folder, 'control')));
    const sockets = (): string[] => readdirSync(join(folder, 'control')).filter((name) => !earlier.has(name));
    await Promise.all([send(true), send(true)]);
    assert.equal(sockets().length, 0, 'small ones need none');
    await send();
    assert.equal(sockets().length, 1);
    for (let again = 0; again < 3; again += 1) await send();
    const take = (): Promise<unknown> =>
      pipeAcross(
        [
          { host, command: bash('echo x') },
          { host: here, command: bash('exec cat') },
        ],
        { isSmall: true },
      );
    await Promise.all([take(), take(), take()]);
    assert.equal(sockets().length, 1, 'small ones that end here share');
    await Promise.all([send(), send(), send()]);
    assert.equal(sockets().length, 3);
    // What a killed one leaves behind is in nobody's way.
    const masters = mastersOf(own.port);
    assert.equal(masters.length, 3);
    for (const pid of masters) process.kill(pid, 'SIGKILL');
    await waitFor(() => mastersOf(own.port).length === 0, within('the end of the kept connections'));
    assert.equal(sockets().length, 3);
    await send();
    assert.equal(mastersOf(own.port).length, 1);
  });

  test('secrets for a program that reads from the wire are refused, because they would be seen', async () => {
    const host = hostAt(() => din.target);
    await assert.rejects(
      pipeAcross([
        { host: here, command: bash('echo x') },
        { host, command: { ...bash('cat'), env: { KEY: 'geheim' } } },
      ]),
      refused('HF_INTERNAL', /would be seen/),
    );
  });
});
