import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { onPath, snapraidVersions } from '../../lab/places.js';
import { diskIn, findImage, knownHostsText } from '../../lab/zfs/guests.js';
import { type Accelerator, escaped, findMachine, monitorOf, startMachine } from '../../lab/zfs/machine.js';
import { askMonitor } from '../../lab/zfs/monitor.js';
import { pullPlug, sshArguments, waitForBoot, waitForGuest } from '../../lab/zfs/reach.js';
import { type LabHost, labHost } from './lab-host.js';
import { freePort } from './spawn.js';
import { beforeRemoval, temporaryFolder } from './temp.js';

/**
 * A host whose disks answer SMART, as no loop device does: QEMU's SATA disks have a table of attributes, its NVMe disks a log of their health.
 * It is the image of the ZFS hosts with more disks; the programs are those of this machine and of our cache.
 */
export interface SmartGuest extends LabHost {
  /** snapraid.conf of the array: d1 and d2 on SATA, d2 in a folder of its disk, d3 on NVMe, the parity on a mapped device, as an encrypted volume is one. */
  config: string;
  /** Each snapraid that the guest has, oldest first. */
  snapraids: { version: string; path: string }[];
  /** The NVMe disk says this of itself from now on: the critical warning of its log, a sum of bits. */
  setCriticalWarning(bits: number): Promise<void>;
  /** The NVMe disk is pulled out of its slot. */
  unplugNvme(): Promise<void>;
  stop(): Promise<void>;
}

const sata = ['d1', 'd2', 'parity'];
const bootTimeoutMs = 5 * 60_000;

export async function startSmartGuest(): Promise<SmartGuest> {
  const image = findImage();
  if (image === undefined) throw new Error('the image of the ZFS hosts is not built: npm run setup');
  const folder = temporaryFolder('smart');
  const port = await freePort();
  writeFileSync(join(folder, 'known_hosts'), knownHostsText(image, { din: port, grogu: port }));
  const base = ['-b', image.base, '-F', 'raw'];
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...base, diskIn(folder, 'din')]);
  const accelerator = readFileSync(image.accelerator, 'utf8').trim() as Accelerator;
  const machine = { name: 'din', image, accelerator, folder, port, devices: disksIn(folder) } as const;
  const end = (): Promise<void> => pullPlug(folder, 'din');
  beforeRemoval(() => {
    const pid = findMachine(folder, 'din');
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  });
  startMachine(machine, 'boot');
  const host = labHost({ folder, image, ports: { din: port, grogu: port } }, 'din', 'smart', true);
  await waitForBoot(machine, bootTimeoutMs);
  await waitForGuest(machine, host, bootTimeoutMs);
  const snapraids = giveTools(host);
  await host.sh(mountScript);
  const monitor = monitorOf(folder, 'din');
  return {
    ...host,
    config: '/etc/snapraid.conf',
    snapraids,
    async setCriticalWarning(bits) {
      const of = { path: '/machine/peripheral/nvme', property: 'smart_critical_warning' };
      await askMonitor(monitor, 'qom-set', { ...of, value: bits });
    },
    async unplugNvme() {
      await askMonitor(monitor, 'device_del', { id: 'nvme' });
    },
    stop: end,
  };
}

function disksIn(folder: string): string[] {
  const drive = (name: string): string =>
    `file=${escaped(makeDisk(folder, name))},id=${name},if=none,format=raw,cache=unsafe`;
  return [
    ...['-device', 'ich9-ahci,id=ahci'],
    ...sata.flatMap((name, at) => [
      ...['-drive', drive(name)],
      ...['-device', `ide-hd,drive=${name},bus=ahci.${at},serial=sata-${name},rotation_rate=5400`],
    ]),
    ...['-drive', drive('d3'), '-device', 'nvme,id=nvme,drive=d3,serial=nvme-d3'],
  ];
}

const megabytes = 96;
const sectorsPerMegabyte = 2048;

/** With one partition from the first megabyte on: what looks for the disk behind a file system has to find one. */
function makeDisk(folder: string, name: string): string {
  const file = join(folder, `${name}.img`);
  const table = Buffer.alloc(512);
  table.writeUInt8(0x83, 446 + 4);
  table.writeUInt32LE(sectorsPerMegabyte, 446 + 8);
  table.writeUInt32LE((megabytes - 1) * sectorsPerMegabyte, 446 + 12);
  table.writeUInt16BE(0x55aa, 510);
  writeFileSync(file, table);
  truncateSync(file, megabytes * 2 ** 20);
  const format = ['-q', '-t', 'ext4', '-m', '0', '-L', name, '-E', 'offset=1048576'];
  execFileSync('mke2fs', [...format, file, `${megabytes - 1}M`], { stdio: 'ignore' });
  return file;
}

/** What an installation would have done. */
const mountScript = `set -e
modprobe -a ahci sd_mod dm_mod
for disk in d1 d2 d3 parity; do
  for try in $(seq 60); do [ ! -e /dev/disk/by-label/$disk ] || break; sleep 0.5; done
  mkdir -p /mnt/$disk /mnt/whole-$disk
done
for disk in d1 d3; do mount LABEL=$disk /mnt/$disk; done
partition=$(readlink -f /dev/disk/by-label/parity)
dmsetup create mapped --noudevsync --table "0 $(blockdev --getsz "$partition") linear $partition 0"
ln -sf ../dm-0 /dev/mapper/mapped
mount /dev/mapper/mapped /mnt/parity
mount LABEL=d2 /mnt/whole-d2
mkdir "/mnt/whole-d2/my data"
mount --bind "/mnt/whole-d2/my data" /mnt/d2
for disk in d1 d2 d3; do
  mkdir /mnt/$disk/Films
  for at in 1 2 3; do echo "$disk $at" > "/mnt/$disk/Films/film $at.mkv"; done
  touch /mnt/$disk/.holdfast
done
mkdir -p /var/snapraid
cat > /etc/snapraid.conf <<END
parity /mnt/parity/snapraid.parity
content /var/snapraid/snapraid.content
content /mnt/d1/snapraid.content
data d1 /mnt/d1/
data d2 /mnt/d2/
data d3 /mnt/d3/
exclude /lost+found/
blocksize 32
END
`;

/** The programs of this machine run there as they are: its C library is the newer one. */
function giveTools(host: LabHost): SmartGuest['snapraids'] {
  give(host, '/usr/sbin', ...['smartctl', 'dmsetup'].map(pathOf));
  give(host, '/usr/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu/libdevmapper.so.1.02.1');
  return snapraidVersions().map(({ version, path }, at) => {
    const to = `/opt/snapraid-${at}`;
    if (isAbsolute(path))
      give(host, to, ...['libraries', 'program', 'snapraid'].map((name) => join(dirname(path), name)));
    else give(host, to, pathOf(path));
    return { version, path: `${to}/snapraid` };
  });
}

function pathOf(program: string): string {
  const path = onPath(program);
  if (path === undefined) throw new Error(`no ${program} here: npm run setup`);
  return path;
}

/** Files and folders with what their names lead to. */
function give(host: LabHost, to: string, ...paths: string[]): void {
  const words = paths.flatMap((path) => ['-C', dirname(path), basename(path)]);
  const pack = ['--exclude=gconv', '-chf', '-', ...words];
  const input = execFileSync('tar', pack, { maxBuffer: 2 ** 28 });
  execFileSync('ssh', [...sshArguments(host), `mkdir -p ${to} && tar -C ${to} -xf -`], { input });
}
