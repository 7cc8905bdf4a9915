import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type GuestName, type GuestUser, pools } from '../../lab/zfs/guests.js';
import { monitorOf } from '../../lab/zfs/machine.js';
import { setLink } from '../../lab/zfs/monitor.js';
import { doorOf, type Pair, upPair } from '../../lab/zfs/pair.js';
import { type Door, pullPlug, sshArguments } from '../../lab/zfs/reach.js';
import { beforeRemoval, temporaryFolder } from './temp.js';

export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

export interface AskOptions {
  user?: GuestUser;
  input?: string;
  timeoutMs?: number;
}

/** A real ZFS host of the lab, as one test file sees it: with parents of its own, and asked by plain OpenSSH instead of by what is tested. */
export interface LabHost extends Door {
  name: GuestName;
  user: GuestUser;
  /** Of this test file alone, one a pool ("fast/t-…"), removed with all below it when the file ends. */
  parents: Record<string, string>;
  /** A script for the guest's shell, as root. */
  ask(script: string, options?: AskOptions): Promise<Answer>;
  /** The same where only success makes sense: its output, without the last line break. */
  sh(script: string, options?: AskOptions): Promise<string>;
  /** `zfs` with these very arguments. */
  zfs(...args: string[]): Promise<string>;
  /** As if somebody stumbled over the cable. Only of an own pair. */
  pullPlug(): Promise<void>;
  /** Starts it again with its disk, and waits until it lets us in. Only of an own pair. */
  boot(): Promise<void>;
  /** Its network cable. Only of an own pair. */
  setLink(up: boolean): Promise<void>;
}

export const quoted = (words: readonly string[]): string =>
  words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');

/** The names in zfs are those of a test file; `own` says whether other tests use the same guests. */
export function labHost(pair: Pair, name: GuestName, suffix: string, own: boolean): LabHost {
  const door = doorOf(pair, name);
  const shared = sharedConnection();
  const closeShared = () =>
    void spawnSync('ssh', [...shared, '-O', 'exit', ...sshArguments(door)], { stdio: 'ignore' });
  beforeRemoval(closeShared);
  const onlyOwn = (): void => {
    if (!own) throw new Error('other test files use these guests too: useZfsLab({ own: true })');
  };
  const ask = (script: string, options: AskOptions = {}): Promise<Answer> =>
    runSsh([...shared, ...sshArguments(door, options.user)], script, options);
  const sh = async (script: string, options: AskOptions = {}): Promise<string> => {
    const { code, stdout, stderr } = await ask(script, options);
    if (code !== 0) throw new Error(`${name} answers ${code} to ${script}: ${stderr}`);
    return stdout.replace(/\n$/, '');
  };
  return {
    ...door,
    name,
    user: 'root',
    parents: Object.fromEntries(pools[name].map((pool) => [pool, `${pool}/t-${suffix}`])),
    ask,
    sh,
    zfs: (...args) => sh(`zfs ${quoted(args)}`),
    async pullPlug() {
      onlyOwn();
      await pullPlug(pair.folder, name);
      closeShared();
    },
    async boot() {
      onlyOwn();
      await upPair(pair.folder);
    },
    async setLink(up) {
      onlyOwn();
      await setLink(monitorOf(pair.folder, name), up);
    },
  };
}

/** What is mounted there to be read, of the datasets of this test file alone: others work on the same guests at the same time. */
export const mountsForReading = ({ parents, sh }: Pick<LabHost, 'parents' | 'sh'>): Promise<string> =>
  sh(
    `grep /reading/ /proc/mounts | grep -F ${quoted(Object.values(parents).flatMap((parent) => ['-e', parent]))} || true`,
  );

let folder: string | undefined;

/** A new connection costs a second under emulation, so that a test file's questions share one. */
function sharedConnection(): string[] {
  folder ??= temporaryFolder('ssh');
  return [
    ...['-o', 'ControlMaster=auto', '-o', `ControlPath="${join(folder, '%C')}"`, '-o', 'ControlPersist=60'],
    ...['-o', 'ServerAliveInterval=10', '-o', 'ServerAliveCountMax=3'],
  ];
}

const runSsh = (args: string[], script: string, options: AskOptions): Promise<Answer> =>
  new Promise((resolve) => {
    const limits = { timeout: options.timeoutMs ?? 5 * 60_000, maxBuffer: 1 << 28 };
    const child = execFile('ssh', [...args, script], limits, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : 255;
      resolve({ code: error ? code : 0, stdout, stderr });
    });
    child.stdin?.end(options.input ?? '');
  });
