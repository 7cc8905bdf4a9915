import { type ChildProcess, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endChild, freePort, portIsOpen, spawnTied } from './spawn.js';
import { temporaryFolder } from './temp.js';
import { waitFor } from './wait.js';

/** A real Samba on a high port of loopback, with everything of it below a folder of its own. Needs `needs('samba')`. */
export interface Samba {
  port: number;
  folder: string;
  /** For smbclient: of the only user, and one with a wrong password. */
  credentials: string;
  wrongCredentials: string;
  password: string;
  /** Of the running server. */
  pid(): number;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Shares: "media" for guests, "locked" for its user alone, "gone" whose folder is not there. */
export async function startSamba(): Promise<Samba> {
  const folder = temporaryFolder('samba');
  const port = await freePort();
  const at = (name: string): string => join(folder, name);
  const folders = { private: 'private dir', lock: 'lock directory', state: 'state directory' };
  const more = { cache: 'cache directory', pid: 'pid directory', rpc: 'ncalrpc dir' };
  const settings = Object.entries({ ...folders, ...more }).map(([name, key]) => {
    mkdirSync(at(name));
    return `${key} = ${at(name)}`;
  });
  mkdirSync(at('media'));
  // The guest is "nobody".
  chmodSync(folder, 0o755);
  writeFileSync(at('media/film.mkv'), 'film');
  const lines = [
    '[global]',
    'workgroup = TEST',
    'server role = standalone server',
    'interfaces = 127.0.0.1',
    'bind interfaces only = yes',
    `smb ports = ${port}`,
    `log file = ${at('smbd.log')}`,
    `passdb backend = tdbsam:${at('private/passdb.tdb')}`,
    'map to guest = Bad User',
    'disable spoolss = yes',
    'load printers = no',
    'usershare max shares = 0',
    ...settings,
    `[media]\npath = ${at('media')}\nguest ok = yes`,
    `[locked]\npath = ${at('media')}\nvalid users = root`,
    `[gone]\npath = ${at('nothing')}\nguest ok = yes`,
  ];
  writeFileSync(at('smb.conf'), `${lines.join('\n')}\n`);
  const password = 'correct horse "battery" staple';
  const credentials = (name: string, word: string): string => {
    writeFileSync(at(name), `username = root\npassword = ${word}\n`);
    chmodSync(at(name), 0o600);
    return at(name);
  };
  execFileSync('smbpasswd', ['-c', at('smb.conf'), '-s', '-a', 'root'], {
    input: `${password}\n${password}\n`,
  });
  let child: ChildProcess | undefined;
  const samba: Samba = {
    port,
    folder,
    password,
    credentials: credentials('credentials', password),
    wrongCredentials: credentials('wrong', 'another word'),
    pid: () => child?.pid ?? 0,
    async stop() {
      if (child) await endChild(child);
    },
    async start() {
      child = spawnTied('smbd', ['--foreground', '--debug-stdout', '-s', at('smb.conf')], {
        stdio: 'ignore',
      });
      await waitFor(() => portIsOpen(port), { timeoutMs: 20_000, what: 'smbd to listen' });
    },
  };
  await samba.start();
  return samba;
}
