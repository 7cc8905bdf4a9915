import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { guestNames } from '../../lab/zfs/guests.js';
import { findMachine } from '../../lab/zfs/machine.js';
import { type Pair, sharedPair, upPair } from '../../lab/zfs/pair.js';
import { enter, isInUse, isKept, leave } from '../../lab/zfs/users.js';
import { type LabHost, labHost } from './lab-host.js';
import { makeParents, removeParents } from './lab-parents.js';
import { needs } from './needs.js';
import { repositoryRoot } from './root.js';
import { beforeRemoval, temporaryFolder } from './temp.js';

export interface ZfsLab {
  /** For the options of a test: false, or why this machine has no ZFS hosts. */
  skip: false | string;
  /** Both are there from the first test on. */
  din: LabHost;
  grogu: LabHost;
}

export interface ZfsLabOptions {
  /** A pair that no other test file uses: for plugs, cables and whole pools. Costs some seconds and 2 GB. */
  own?: boolean;
}

/** At the top of a test file: the two real ZFS hosts, started if nobody has yet, with empty parents that are removed at the end. */
export function useZfsLab(options: ZfsLabOptions = {}): ZfsLab {
  const skip = needs('zfs-lab');
  const own = options.own ?? false;
  const hosts: Partial<Record<'din' | 'grogu', LabHost>> = {};
  const onAll = (script: (parents: string[]) => string): Promise<unknown> =>
    Promise.all(Object.values(hosts).map((host) => host.sh(script(Object.values(host.parents)))));
  if (skip === false) {
    before(async () => {
      const pair = own ? await upOwnPair() : await upSharedPair();
      const suffix = `${process.pid}-${Date.now().toString(36)}`;
      for (const name of guestNames) hosts[name] = labHost(pair, name, suffix, own);
      await onAll(makeParents);
    });
    // Guests of our own go with all that they hold.
    if (!own) after(() => onAll(removeParents));
  }
  const host = (name: 'din' | 'grogu'): LabHost => {
    const found = hosts[name];
    if (found === undefined) throw new Error('the ZFS hosts are there from the first test on, not before');
    return found;
  };
  return {
    skip,
    get din() {
      return host('din');
    },
    get grogu() {
      return host('grogu');
    },
  };
}

async function upSharedPair(): Promise<Pair> {
  enter(sharedPair);
  process.once('exit', () => {
    leave(sharedPair);
    // The last one turns off the light, by another process, because we may not wait any more.
    const tidy = [join(repositoryRoot, 'dist/lab/zfs/main.js'), 'tidy'];
    if (!isInUse(sharedPair)) spawnSync(process.execPath, tidy, { stdio: 'inherit', timeout: 60_000 });
  });
  // What a crash left is nobody's any more, unless somebody wanted to keep it.
  return await upPair(sharedPair, { fresh: !isKept(sharedPair) });
}

async function upOwnPair(): Promise<Pair> {
  const folder = join(temporaryFolder('zfs'), 'pair');
  beforeRemoval(() => {
    for (const name of guestNames) {
      const pid = findMachine(folder, name);
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    }
  });
  return await upPair(folder);
}
