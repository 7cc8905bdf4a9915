import { listTrees, type Zfs } from '../../activities/zfs/listing.js';
import { planRollBack, type RollBack } from '../../activities/zfs/roll-back-plan.js';
import type { LabHost } from './lab-host.js';
import { ownHost } from './lab-zfs-host.js';

/** A tree with a mount point, a quota, a zvol and what came after its first snapshot, on din. */
export async function rollBackScene(din: LabHost, name: string) {
  const root = `${din.parents.fast}/${name}`;
  await din.sh(`
    set -e
    zfs create -o mountpoint='/${name} place' -o compression=zstd '${root}'; zfs create -o quota=64M '${root}/a b'; zfs create -o canmount=noauto '${root}/n'
    zfs create -s -V 8M '${root}/vol'
    zfs snapshot '${root}@gone'; zfs bookmark '${root}@gone' '${root}#holdfast_far_7'; zfs destroy '${root}@gone'
    echo old > '/${name} place/a b/file'; zfs snapshot -r '${root}@one'; zfs bookmark '${root}@one' '${root}#holdfast_late_8'
    echo new > '/${name} place/a b/file'; zfs create '${root}/late'; zfs snapshot -r '${root}@two'; zfs bookmark '${root}@two' '${root}#holdfast_grogu_1'
  `);
  const { signal } = new AbortController();
  const zfs: Zfs = { host: ownHost(din), signal, zfs: 'zfs', zpool: 'zpool' };
  const state = async () => {
    const text = await din.sh(
      `zfs list -Hr -t all -o name,guid,canmount,mountpoint,mounted,quota,compression '${root}'; cat '/${name} place/a b/file'`,
    );
    return text.split('\n');
  };
  const plan = async (): Promise<RollBack & { steps: string[] }> =>
    planRollBack([...(await listTrees(zfs, { roots: [root] })).values()], {
      root,
      run: 'hourly.restore-2026-11-20T03:00:00Z',
      copy: 'one',
    });
  const file = (): Promise<string> => din.sh(`cat '/${name} place/a b/file'`);
  return { root, zfs, state, plan, file };
}
