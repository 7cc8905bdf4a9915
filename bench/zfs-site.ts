import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureZfsImage } from '../lab/parts/zfs-image.js';
import { makePools } from '../lab/zfs/first-boot.js';
import { type GuestName, guestNames } from '../lab/zfs/guests.js';
import { consoleOf, findMachine, monitorOf } from '../lab/zfs/machine.js';
import { limitDisk } from '../lab/zfs/monitor.js';
import { doorOf, downPair, type Pair, upPair } from '../lab/zfs/pair.js';
import { inGuest } from '../lab/zfs/reach.js';
import { temporaryFolder } from '../test/support/temp.js';
import { waitFor } from '../test/support/wait.js';
import { processorSeconds } from './measure.js';

export interface Effort {
  /** Programs that were started over ssh. */
  commands: number;
  /** Of the emulated processors: what is left when the machine is busy with other things. */
  processorSeconds: number;
}

/** Two real OpenZFS hosts for a comparison: this machine drives them over ssh, whichever tool it is. */
export interface Site {
  pair: Pair;
  /** For ssh: "din" and "grogu" by their names. Its own name is what bzfs asks for. */
  sshConfig: string;
  folder: string;
  sh(name: GuestName, script: string): Promise<string>;
  /** What both hosts did since the last time, whoever asked for it. */
  takeEffort(): Effort;
  /** All pools anew: nothing of an earlier turn is left. */
  renew(): Promise<void>;
  stop(): Promise<void>;
}

/** `diskOperations`: so many a second, as a hard disk; default: as many as the machine does. */
export async function openSite(diskOperations?: number): Promise<Site> {
  const image = await ensureZfsImage();
  if ('missing' in image) throw new Error(image.missing);
  const folder = temporaryFolder('bench-zfs');
  // HOLDFAST_LAB_PAIR: hosts that are up already, for who measures often.
  const own = process.env.HOLDFAST_LAB_PAIR;
  const pair = await upPair(own ?? join(folder, 'pair'));
  const sshConfig = join(folder, 'bzfs_ssh_config');
  writeFileSync(sshConfig, configFor(pair));
  const sh = (name: GuestName, script: string) => inGuest(doorOf(pair, name), script, 20 * 60_000);
  for (const name of guestNames) {
    await sh(name, countSessions);
    const answers = () =>
      sh(name, 'true').then(
        () => true,
        () => false,
      );
    await waitFor(answers, { timeoutMs: 60_000, what: `the ssh server of ${name} to be back` });
    if (diskOperations !== undefined) await limitDisk(monitorOf(pair.folder, name), diskOperations);
  }
  const renewOne = (name: GuestName) =>
    sh(
      name,
      `zpool list -H -o name | while read -r pool; do zpool destroy -f "$pool"; done; ${makePools(name)}`,
    );
  let seen: Effort = { commands: 0, processorSeconds: 0 };
  return {
    pair,
    sshConfig,
    folder,
    sh,
    takeEffort() {
      const all = effortOf(pair);
      const since = {
        commands: all.commands - seen.commands,
        processorSeconds: all.processorSeconds - seen.processorSeconds,
      };
      seen = all;
      return since;
    },
    renew: async () => void (await Promise.all(guestNames.map(renewOne))),
    async stop() {
      if (own === undefined) await downPair(pair.folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server itself says which programs it starts: that counts alike for every tool. */
const countSessions =
  'echo "LogLevel VERBOSE" > /etc/ssh/sshd_config.d/bench.conf && kill -HUP "$(cat /run/sshd.pid)"';

function effortOf({ folder }: Pair): Effort {
  const all = { commands: 0, processorSeconds: 0 };
  for (const name of guestNames) {
    const log = readFileSync(consoleOf(folder, name), 'latin1');
    all.commands += log.match(/^Starting session: /gm)?.length ?? 0;
    const pid = findMachine(folder, name);
    if (pid !== undefined) all.processorSeconds += processorSeconds(pid);
  }
  return all;
}

const configFor = ({ ports, image, folder }: Pair): string =>
  guestNames
    .map(
      (name) => `Host ${name}
  HostName 127.0.0.1
  Port ${ports[name]}
  User root
  IdentityFile "${image.key}"
  IdentitiesOnly yes
  UserKnownHostsFile "${join(folder, 'known_hosts')}"
  BatchMode yes
`,
    )
    .join('');
