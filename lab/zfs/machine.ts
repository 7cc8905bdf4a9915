import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from '../places.js';
import { diskIn, type GuestName, type Image, savedState } from './guests.js';

export type Accelerator = 'kvm' | 'tcg';

const acceleration: Record<Accelerator, string[]> = {
  kvm: ['-accel', 'kvm', '-cpu', 'host'],
  // Without the last two words the 6.12 kernel panics under QEMU 7.2.
  tcg: ['-accel', 'tcg,thread=multi,tb-size=256', '-cpu', 'max,la57=off,cx16=off'],
};

/** A guest as a process of QEMU. */
export interface Machine {
  name: GuestName;
  image: Image;
  accelerator: Accelerator;
  /** Holds its disk, what its console said (NAME.log) and its monitor's socket (NAME.qmp). */
  folder: string;
  /** On 127.0.0.1; leads to the guest's ssh. */
  port: number;
  /** What it has beside the disk and the network card that each has, as QEMU's own arguments. */
  devices?: readonly string[];
}

export const consoleOf = (folder: string, name: GuestName): string => join(folder, `${name}.log`);
export const monitorOf = (folder: string, name: GuestName): string => join(folder, `${name}.qmp`);
export const wordsOf = (folder: string, name: GuestName): string => join(folder, `${name}.qemu.log`);

/** In QEMU's options a comma ends a value. */
export const escaped = (path: string): string => path.replaceAll(',', ',,');

const driveOf = (folder: string, name: GuestName): string => `file=${escaped(diskIn(folder, name))},`;

function machineArguments({ name, image, accelerator, folder, port, devices = [] }: Machine): string[] {
  const kernelLine = `root=/dev/vda rw console=ttyS0 init=/sbin/lab-init labhost=${name} net.ifnames=0 quiet panic=-1`;
  // Flushes reach our file but not the disk below: a guest that is killed has lost what a pulled plug loses, no more.
  const drive = `${driveOf(folder, name)}if=virtio,format=qcow2,cache=unsafe,discard=unmap`;
  return [
    ...acceleration[accelerator],
    ...['-smp', '1', '-m', '1280', '-nodefaults', '-display', 'none', '-no-reboot'],
    ...['-kernel', image.kernel, '-initrd', image.initrd, '-append', kernelLine],
    ...['-serial', `file:${escaped(consoleOf(folder, name))}`],
    ...['-qmp', `unix:${escaped(monitorOf(folder, name))},server=on,wait=off`],
    ...['-drive', `${drive},backing.driver=raw,backing.file.filename=${escaped(image.base)}`],
    ...['-netdev', `user,id=net,hostfwd=tcp:127.0.0.1:${port}-:22`],
    ...['-device', 'virtio-net-pci,netdev=net,id=card', '-device', 'virtio-rng-pci'],
    ...devices,
  ];
}

/** Starts a guest that outlives us: it boots, or continues where its state was saved. */
export function startMachine(machine: Machine, how: 'boot' | 'continue'): void {
  const qemu = onPath('qemu-system-x86_64');
  if (qemu === undefined) throw new Error('no qemu-system-x86_64 (package qemu-system-x86): npm run setup');
  const args = [...machineArguments(machine), ...(how === 'continue' ? ['-loadvm', savedState] : [])];
  const words = openSync(wordsOf(machine.folder, machine.name), 'w');
  const child = spawn(qemu, args, { detached: true, stdio: ['ignore', words, words] });
  closeSync(words);
  // That it did not start shows in findMachine.
  child.on('error', () => undefined);
  child.unref();
}

/** The process that runs this very disk, whoever started it: no file with a number that may be somebody else's by now. */
export function findMachine(folder: string, name: GuestName): number | undefined {
  const drive = driveOf(folder, name);
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1);
  return pids.find((pid) => {
    const args = argumentsOf(pid);
    return (args[0] ?? '').includes('qemu-system') && args.some((arg) => arg.startsWith(drive));
  });
}

function argumentsOf(pid: number): string[] {
  try {
    // Of a process that was killed and not yet waited for nothing is left to read.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
