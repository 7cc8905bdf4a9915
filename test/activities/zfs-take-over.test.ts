import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Zfs } from '../../activities/zfs/listing.js';
import { takeOver } from '../../activities/zfs/take-over.js';
import type { Command, RunOptions } from '../../system/host.js';
import { fakeMachine } from '../support/fake-trees.js';
import { dataset } from '../support/zfs-trees.js';

/** In which order replicas get their mount points and are mounted when they take over. */

const root = 'backup/k8s';

/** What was set and mounted, a list for each remote command: within one everything may run side by side. */
async function commandsOf(mountpoints: Record<string, string | undefined>): Promise<string[][]> {
  const names = Object.keys(mountpoints);
  const { host } = fakeMachine('grogu', names);
  const commands: string[][] = [];
  const run = (command: Command, options?: RunOptions) => {
    const calls = [...(command.args[1] ?? '').matchAll(/^z \d+ (.*) <\/dev\/null &$/gm)];
    const words = calls.map(([, line = '']) => line.replaceAll("'", '').split(' '));
    const mounting = words.filter(([, verb, what]) => verb === 'mount' || what === 'readonly=off');
    if (mounting.length > 0) commands.push(mounting.map((one) => `${one[1]} ${one.at(-1)}`).sort());
    return host.run(command, options);
  };
  const zfs = {
    ...{ host: { ...host, run }, zfs: 'zfs', zpool: 'zpool' },
    signal: new AbortController().signal,
  } as Zfs;
  await takeOver({ log: () => undefined }, zfs, {
    root,
    role: { kind: 'promoted', run: 'k8s.failover-2026-11-20T03:00:00Z', store: 'grogu' },
    promotion: { live: names.map((name) => dataset(name)), kept: [] },
    propertiesOf: (name): Record<string, string> => {
      const mountpoint = mountpoints[name];
      return mountpoint === undefined ? {} : { mountpoint };
    },
  });
  return commands;
}

test('what may mount a folder has ended before anything below that folder is set or mounted', async () => {
  const commands = await commandsOf({
    [`${root}/a/inherits`]: undefined,
    [`${root}/a`]: undefined,
    [`${root}/db`]: '/data/k8s/db',
    [root]: '/data/k8s',
  });
  const levels = [[root], [`${root}/a`, `${root}/db`], [`${root}/a/inherits`]];
  assert.deepEqual(
    commands,
    ['set', 'mount'].flatMap((verb) => levels.map((names) => names.map((name) => `${verb} ${name}`))),
  );
});

test('a folder counts by where it lies, whatever its dataset is called', async () => {
  const commands = await commandsOf({
    [root]: 'none',
    [`${root}/below`]: '/srv/web/files',
    [`${root}/web`]: '/srv/web',
    [`${root}/web/up`]: '/srv',
  });
  const orderOf = (verb: string) =>
    commands
      .flat()
      .filter((words) => words.startsWith(verb))
      .filter((words) => words !== `${verb} ${root}`);
  for (const verb of ['set', 'mount'])
    assert.deepEqual(orderOf(verb), [
      `${verb} ${root}/web/up`,
      `${verb} ${root}/web`,
      `${verb} ${root}/below`,
    ]);
  assert.equal(commands.length, 6);
});
