import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { postgresPath } from '../../lab/places.js';
import { endChild, freePort, hasEnded, spawnTied } from '../support/spawn.js';
import { temporaryFolder } from '../support/temp.js';
import { waitFor } from '../support/wait.js';

export interface Postgres {
  port: number;
  user: string;
  password: string;
  stop(): Promise<void>;
}

interface Account {
  uid: number;
  gid: number;
}

/** PostgreSQL refuses to run as root; its package brings a user. */
function account(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const fields = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'postgres');
  if (!fields) throw new Error('no user "postgres" on this machine');
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}

const as = (who: Account | undefined, file: string, args: string[]): [string, string[]] =>
  who
    ? // A change of user takes the outer death signal away: this one is given after it. SIGINT is its fast shutdown.
      [
        'setpriv',
        [
          ...[`--reuid=${who.uid}`, `--regid=${who.gid}`, '--clear-groups', '--pdeathsig', 'INT', '--'],
          ...[file, ...args],
        ],
      ]
    : [file, args];

/** A PostgreSQL of its own in a temporary folder, on loopback, with a password; no service of the machine is touched. */
export async function startPostgres(): Promise<Postgres> {
  const bin = postgresPath();
  if (bin === undefined) throw new Error("no PostgreSQL: guard the test with needs('postgres')");
  const folder = temporaryFolder('postgres');
  const who = account();
  const settings = { port: await freePort(), user: 'temporal', password: 'rockandtide7' };
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, `${settings.password}\n`);
  if (who) for (const path of [folder, passwordFile]) chownSync(path, who.uid, who.gid);
  chmodSync(folder, 0o700);
  const data = join(folder, 'data');
  const make = ['--pgdata', data, '--username', settings.user, '--pwfile', passwordFile];
  const safe = ['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-locale', '--no-sync'];
  execFileSync(...as(who, join(bin, 'initdb'), [...make, ...safe]), { stdio: 'ignore', cwd: '/' });
  const logFile = join(folder, 'postgres.log');
  const log = openSync(logFile, 'a');
  const listen = ['-h', '127.0.0.1', '-p', `${settings.port}`, '-k', folder];
  const child = spawnTied(...as(who, join(bin, 'postgres'), ['-D', data, ...listen, '-c', 'fsync=off']), {
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  closeSync(log);
  const ready = () => readFileSync(logFile, 'utf8').includes('ready to accept connections');
  await waitFor(() => ready() || hasEnded(child), { timeoutMs: 60_000, what: 'PostgreSQL to be ready' });
  if (hasEnded(child)) throw new Error(`PostgreSQL ended: ${readFileSync(logFile, 'utf8').slice(-500)}`);
  return { ...settings, stop: () => endChild(child, 'SIGINT') };
}
