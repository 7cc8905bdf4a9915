import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askCommand } from '../../activities/snapraid/command.js';
import { quoted } from '../support/lab-host.js';
import { repositoryRoot } from '../support/root.js';
import { startSmartGuest } from '../support/smart-guest.js';

/**
 * Records what smartctl and snapraid say of disks that answer SMART, those of QEMU: node dist/test/golden/record-smart.js. Nothing here is
 * edited by hand.
 */

const to = join(repositoryRoot, 'test/golden/smart');
rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });

const packaged = execFileSync('dpkg-query', ['-W', '-f', '${Version}', 'snapraid'], { encoding: 'utf8' });
const guest = await startSmartGuest();
const keep = (name: string, text: string): void => writeFileSync(join(to, name), text);

async function recordDisk(name: string, device: string): Promise<void> {
  const { code, stdout } = await guest.ask(
    `smartctl --json --health --attributes --nocheck=standby ${device}`,
  );
  keep(`${name}.json`, stdout);
  keep(`${name}.code`, `${code}\n`);
}

async function recordArray(name: string): Promise<void> {
  for (const { version, path } of guest.snapraids) {
    const { file, args = [] } = askCommand({ file: path, config: guest.config }, { verb: 'smart' });
    const { code, stdout, stderr } = await guest.ask(quoted([file, ...args]));
    const number = /^\d/.test(version) ? version : packaged.replace(/-.*$/, '');
    keep(`${name}-${number}.log`, stdout.replace(/^(?:smartctl:.*:out|argv|uuid|memory|map|stat):.*\n/gm, ''));
    keep(`${name}-${number}.err`, stderr);
    keep(`${name}-${number}.code`, `${code}\n`);
  }
}

const nvme = '/dev/nvme0n1';
await recordDisk('sata', '/dev/sda');
await recordDisk('nvme', nvme);
await recordDisk('virtual', '/dev/vda');
await recordArray('healthy');
await guest.setCriticalWarning(0b10);
await recordDisk('nvme-hot', nvme);
await guest.setCriticalWarning(0b100);
await recordDisk('nvme-unreliable', nvme);
await recordArray('failing');
await guest.setCriticalWarning(0);
await guest.sh('smartctl --smart=off /dev/sda');
await recordDisk('sata-off', '/dev/sda');
await recordArray('off');
await guest.stop();
