import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureZfsImage } from '../lab/parts/zfs-image.js';
import { makePools } from '../lab/zfs/first-boot.js';
import { type GuestName, guestNames } from '../lab/zfs/guests.js';
import { consoleOf } from '../lab/zfs/machine.js';
import { doorOf, downPair, type Pair, upPair } from '../lab/zfs/pair.js';
import { inGuest } from '../lab/zfs/reach.js';
import { temporaryFolder } from '../test/support/temp.js';
import { waitFor } from '../test/support/wait.js';

/** Two real OpenZFS hosts for a comparison: this machine drives them over ssh, whichever tool it is. */
export interface Site {
  pair: Pair;
  /** For ssh: "din" and "grogu" by their names. Its own name is what bzfs asks for. */
  sshConfig: string;
  folder: string;
  sh(name: GuestName, script: string): Promise<string>;
  /** Programs that were started on both hosts since the last time, whoever did it. */
  takeCommands(): number;
  /** All pools anew: nothing of an earlier turn is left. */
  renew(): Promise<void>;
  stop(): Promise<void>;
}

export async function openSite(): Promise<Site> {
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
  }
  const renewOne = (name: GuestName) =>
    sh(
      name,
      `zpool list -H -o name | while read -r pool; do zpool destroy -f "$pool"; done; ${makePools(name)}`,
    );
  let seen = 0;
  return {
    pair,
    sshConfig,
    folder,
    sh,
    takeCommands() {
      const all = sessions(pair);
      const since = all - seen;
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

const sessions = ({ folder }: Pair): number =>
  guestNames
    .map(
      (name) => readFileSync(consoleOf(folder, name), 'latin1').match(/^Starting session: /gm)?.length ?? 0,
    )
    .reduce((sum, count) => sum + count, 0);

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
