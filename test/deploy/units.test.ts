import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ms from 'ms';
import { commands } from '../../cli/commands.js';
import { onPath } from '../../lab/places.js';
import { shutdownLimits } from '../../workers/drain.js';
import { repositoryRoot } from '../support/root.js';
import { temporaryFolder } from '../support/temp.js';
import { read } from './compose.js';

const folder = join(repositoryRoot, 'deploy/systemd');
const units = readdirSync(folder).filter((name) => name.endsWith('.service'));
const asRoot = ['holdfast-worker@.service', 'holdfast-up.service'];

/** "Section.Key" and all its values, in the order of the file. */
function parseUnit(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let section = '';
  for (const line of text.split('\n')) {
    section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section;
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key === undefined) continue;
    const name = `${section}.${key}`;
    found.set(name, [...(found.get(name) ?? []), value ?? '']);
  }
  return found;
}

const unitOf = (name: string) => {
  const settings = parseUnit(read('deploy/systemd', name));
  return (key: string): string | undefined => settings.get(key)?.join(' ');
};

test('there are units for the worker, the orchestrator and both on one machine', () => {
  assert.deepEqual(units.sort(), [
    'holdfast-orchestrator.service',
    'holdfast-up.service',
    'holdfast-worker@.service',
  ]);
});

for (const name of units) {
  const unit = unitOf(name);

  test(`${name}: SIGTERM reaches our process alone, which has longer than it takes; the rest goes with the control group`, () => {
    assert.equal(unit('Service.KillMode'), 'mixed');
    assert.equal(unit('Service.KillSignal'), 'SIGTERM');
    // "up" ends its server after its workers, in 10 s at most.
    const needed = ms(shutdownLimits.shutdownForceTime) / 1000 + (name === 'holdfast-up.service' ? 10 : 0);
    assert.ok(Number(unit('Service.TimeoutStopSec')) >= needed + 15, unit('Service.TimeoutStopSec'));
    assert.equal(unit('Service.SendSIGKILL'), undefined);
  });

  test(`${name} is started again for ever, after the network, at boot`, () => {
    assert.equal(unit('Service.Restart'), 'always');
    assert.equal(unit('Unit.StartLimitIntervalSec'), '0');
    assert.match(unit('Unit.After') ?? '', /network-online\.target/);
    assert.equal(unit('Unit.Wants'), 'network-online.target');
    assert.equal(unit('Install.WantedBy'), 'multi-user.target');
  });

  test(`${name} runs a command that there is, with its configuration and state folder`, () => {
    const words = unit('Service.ExecStart')?.split(' ') ?? [];
    assert.deepEqual(words.slice(0, 2), ['/usr/bin/node', '/opt/holdfast/bin/holdfast.js']);
    const command = commands.find((one) => one.name === words[2]);
    assert.ok(command, words[2]);
    for (const option of words.filter((word) => word.startsWith('--')))
      assert.ok(
        command.options?.some(({ flags }) => flags.split(/[ ,]+/).includes(option)),
        option,
      );
    const state = unit('Service.StateDirectory');
    assert.match(unit('Service.Environment') ?? '', /HOLDFAST_CONFIG=\/etc\/holdfast\/holdfast\.yaml( |$)/);
    assert.match(unit('Service.Environment') ?? '', new RegExp(`HOLDFAST_STATE=/var/lib/${state}( |$)`));
    // Optional: without it the server is on this machine.
    assert.match(unit('Service.EnvironmentFile') ?? '', /^-\/etc\/holdfast\//);
  });

  test(`${name} gives up what it does not need, and nothing that Node needs`, () => {
    for (const key of ['NoNewPrivileges', 'ProtectKernelModules', 'ProtectControlGroups', 'LockPersonality'])
      assert.equal(unit(`Service.${key}`), 'yes', key);
    assert.equal(unit('Service.MemoryDenyWriteExecute'), undefined);
  });
}

for (const name of asRoot) {
  test(`${name} can read everything and restore everything`, () => {
    const unit = unitOf(name);
    assert.equal(unit('Service.User'), 'root');
    // Each of them hides files from a backup, or keeps a restore from giving them back as they were.
    for (const key of ['RestrictSUIDSGID', 'PrivateTmp', 'ProtectHome', 'PrivateDevices', 'PrivateUsers'])
      assert.equal(unit(`Service.${key}`), undefined, key);
    assert.equal(unit('Service.ProtectSystem'), 'yes', 'only /usr and /boot');
    const dropped = unit('Service.CapabilityBoundingSet') ?? '';
    assert.match(dropped, /^~/);
    for (const needed of ['DAC_READ_SEARCH', 'DAC_OVERRIDE', 'CHOWN', 'FOWNER', 'FSETID', 'SETFCAP', 'MKNOD'])
      assert.ok(!dropped.includes(`CAP_${needed}`), needed);
    // One restic that runs out of memory must not take the worker with it.
    assert.equal(unit('Service.OOMPolicy'), 'continue');
  });
}

test('the orchestrator has no rights and no place to write but its own', () => {
  const unit = unitOf('holdfast-orchestrator.service');
  assert.equal(unit('Service.DynamicUser'), 'yes');
  assert.equal(unit('Service.CapabilityBoundingSet'), '');
  assert.equal(unit('Service.ProtectSystem'), 'strict');
});

test('one machine is not served twice', () => {
  assert.equal(unitOf('holdfast-up.service')('Unit.Conflicts'), 'holdfast-orchestrator.service');
});

test('systemd itself finds nothing wrong', {
  skip: onPath('systemd-analyze') === undefined && 'needs systemd-analyze (package systemd)',
}, () => {
  const place = temporaryFolder('units');
  const dropIns = join(place, 'holdfast-orchestrator.service.d');
  mkdirSync(dropIns);
  // Where Node and Holdfast are on this machine: it looks whether the programs are there.
  const here = (text: string): string =>
    text.replaceAll('/usr/bin/node', process.execPath).replaceAll('/opt/holdfast', repositoryRoot);
  for (const name of units) writeFileSync(join(place, name), here(read('deploy/systemd', name)));
  writeFileSync(join(dropIns, 'mutual-tls.conf'), read('deploy/systemd/mutual-tls.conf'));
  for (const name of units) {
    const instance = join(place, name.replace('@.', '@nas.'));
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', instance], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${name}: ${stdout}${stderr}`);
    // Settings that it does not know are only warnings.
    assert.ok(!`${stdout}${stderr}`.includes(place), `${name}: ${stdout}${stderr}`);
  }
});
