import { join } from 'node:path';
import type { Document } from 'yaml';
import { findImage, guestNames } from '../zfs/guests.js';
import { findMachine } from '../zfs/machine.js';
import { doorOf, type Pair, upPair } from '../zfs/pair.js';
import { inGuest } from '../zfs/reach.js';
import type { Place } from './place.js';
import { holdfast } from './processes.js';

/** The second tier in the demo: two real OpenZFS hosts with nothing of ours on them, one replicated to the other. */

const tree = 'fast/kubernetes';
const replica = 'backup/kubernetes';

/** The image takes 10 to 20 minutes to build: without `--zfs` the demo has the hosts only where it is there already. */
export const hasZfsHosts = (): boolean => findImage() !== undefined;

export const startZfsHosts = ({ folder }: Pick<Place, 'folder'>): Promise<Pair> =>
  upPair(join(folder, 'zfs-hosts'));

/** Their processes; a guest is ended by ending its QEMU. */
export const pidsOf = ({ folder }: Pair): number[] =>
  guestNames.flatMap((name) => findMachine(folder, name) ?? []);

/** Hosts, datasets and jobs, as they stand in the example of a replication. */
export function addZfsJobs(file: Document, pair: Pair): void {
  for (const name of guestNames) {
    const { host: address, port, key, knownHosts } = doorOf(pair, name);
    file.setIn(['hosts', name], { ssh: { address, port, user: 'root', via: 'nas', key, knownHosts } });
  }
  file.setIn(['resources', 'kubernetes'], { host: 'din', dataset: tree });
  file.setIn(['stores', 'grogu'], { zfs: { host: 'grogu', dataset: 'backup' } });
  const resources = ['kubernetes'];
  file.setIn(['jobs', 'kubernetes-hourly'], {
    kind: 'zfs-snapshot',
    resources,
    schedule: { cron: '0 * * * *' },
    keep: { hourly: 24 },
    objective: { rpo: '2h' },
  });
  file.setIn(['jobs', 'kubernetes-to-grogu'], {
    kind: 'zfs-replication',
    resources,
    store: 'grogu',
    schedule: { cron: '15 * * * *' },
    objective: { rpo: '3h' },
  });
}

/** What a cluster has: claims that come and go, a volume, an encrypted dataset, a name with a space. */
const makeDatasets = `set -e
zfs create ${tree}
for n in 1 2 3; do zfs create ${tree}/pvc-$n; head -c 3000000 /dev/urandom > /${tree}/pvc-$n/data; done
zfs create '${tree}/pvc with space'; echo hello > '/${tree}/pvc with space/file'
zfs create -V 16M ${tree}/pvc-volume
printf 'demo-passphrase' | zfs create -o encryption=on -o keyformat=passphrase -o keylocation=prompt ${tree}/secret
echo sealed > /${tree}/secret/file`;

/** Snapshots by name and guid, said by zfs itself: the only thing that both sides must agree on. */
async function snapshotsOf(pair: Pair, name: (typeof guestNames)[number], root: string): Promise<string[]> {
  const listed = await inGuest(doorOf(pair, name), `zfs list -Hp -r -t snapshot -o name,guid ${root}`);
  return listed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.slice(root.length))
    .sort();
}

/** Two rounds of snapshots and replication with changes in between; then both pools are asked past Holdfast. */
export async function proveReplication(
  place: Place,
  pair: Pair,
  expect: (holds: boolean, words: string) => void,
): Promise<void> {
  await inGuest(doorOf(pair, 'din'), makeDatasets);
  const round = async (): Promise<void> => {
    await holdfast(place, ['run', 'kubernetes-hourly', '--follow']);
    await holdfast(place, ['run', 'kubernetes-to-grogu', '--follow']);
  };
  await round();
  const change = `echo more >> /${tree}/pvc-1/data; zfs destroy -r ${tree}/pvc-3; zfs create ${tree}/pvc-4`;
  await inGuest(doorOf(pair, 'din'), change);
  console.log('  on din: one claim written to, one destroyed, one new');
  await round();
  const here = await snapshotsOf(pair, 'din', tree);
  const there = await snapshotsOf(pair, 'grogu', replica);
  const missing = here.filter((line) => !there.includes(line));
  expect(missing.length === 0, `all ${here.length} snapshots of din are on grogu by guid, says zfs itself`);
  const kept = there.filter((line) => line.startsWith('/pvc-3@'));
  expect(kept.length > 0, 'the replica of the claim that was destroyed is kept');
  const keys = await inGuest(doorOf(pair, 'grogu'), `zfs get -Hp -o value keystatus ${replica}/secret`);
  expect(keys.trim() === 'unavailable', 'the encrypted dataset is over there without its key');
}
