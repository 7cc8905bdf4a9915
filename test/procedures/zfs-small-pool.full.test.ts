import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { roomOf } from '../../activities/zfs/pool-room.js';
import { hostEnds } from '../../activities/zfs/replicate-hosts.js';
import { replicate } from '../../activities/zfs/replicate-rounds.js';
import { parseConfig } from '../../config/load.js';
import { closeOwnHosts, ownHost } from '../support/lab-zfs-host.js';
import { waitFor } from '../support/wait.js';
import { useZfsLab } from '../support/zfs-lab.js';
import { wholePolicy } from '../support/zfs-trees.js';

/** Two first copies into one real pool, where each fits and both do not. */

const lab = useZfsLab();
const pool = `small${process.pid}`;
const file = `/var/tmp/${pool}.img`;
after(async () => {
  closeOwnHosts();
  await lab.grogu.ask(`zpool destroy -f ${pool}; rm -f ${file}`);
});

const mib = 2 ** 20;

test('both end before the pool is full, what has arrived is kept, and both go on with it as soon as there is room', {
  skip: lab.skip,
}, async () => {
  const { din, grogu } = lab;
  const names = ['one', 'other'];
  const parent = din.parents.fast;
  for (const name of names)
    await din.sh(`set -e; zfs create '${parent}/${name}'
      dd if=/dev/urandom of='/${parent}/${name}/data' bs=1M count=80 2>/dev/null; zfs snapshot '${parent}/${name}@one'`);
  // About 150 MiB are left for datasets; no stream has written them.
  await grogu.sh(`set -e; truncate -s 1G ${file}; zpool create ${pool} ${file}; zfs create ${pool}/kept
    free=$(zfs list -Hpo available ${pool}); zfs set refreservation=$((free - ${150 * mib})) ${pool}/kept`);
  const { config, mistakes } = parseConfig(
    JSON.stringify({ hosts: { grogu: { pools: { [pool]: { floor: '5%' } } } } }),
    '/holdfast.yaml',
  );
  assert(config, JSON.stringify(mistakes));
  const tool = { signal: new AbortController().signal, zfs: 'zfs', zpool: 'zpool' };
  const target = { host: ownHost(grogu), ...tool };
  const lines: string[] = [];
  const copy = (name: string, everyMs: number) => {
    const [sourceRoot, targetRoot] = [`${parent}/${name}`, `${pool}/${name}`];
    const ends = hostEnds({
      ...{ source: { host: ownHost(din), ...tool }, target, sourceRoot, targetRoot },
      wire: async () => ({ onSource: [{ file: 'pv', args: ['-q', '-L', '4m'] }], onTarget: [] }),
      room: { look: (signal) => roomOf({ ...target, signal }, config, pool), everyMs },
      log: (line) => void lines.push(line),
    });
    const destination = `grogu.${name}`;
    const request = { sourceRoot, targetRoot, policy: { ...wholePolicy, destination } } as const;
    return replicate(ends, request, { destination, run: 'copy-2026-11-20T03:00:00Z', parallel: 1 });
  };
  const kindsOf = async (): Promise<string[]> =>
    (await Promise.all(names.map((name) => copy(name, 3000)))).flatMap(({ last }) =>
      last.plans.map(({ kind }) => kind),
    );

  assert.deepEqual(await kindsOf(), ['resume', 'resume'], lines.join('\n'));
  const ended = lines.filter((line) => line.includes('ended before it filled the pool'));
  assert.equal(ended.length, 2, lines.join('\n'));
  assert.match(ended[0] ?? '', new RegExp(`of ${pool} is free, its floor is 5 % \\(.* on "grogu"\\)`));
  const left = Number(await grogu.zfs('list', '-Hpo', 'available', pool));
  assert(left > 10 * mib && left < 100 * mib, `${left / mib} MiB are left`);
  const arrived = Number(await grogu.zfs('list', '-Hpo', 'used', `${pool}/one`));
  assert(arrived > 20 * mib, `${arrived / mib} MiB of one have arrived`);

  await grogu.zfs('set', 'refreservation=none', `${pool}/kept`);
  lines.length = 0;
  // The receivers whose streams were ended may live on for a while, and nothing is given up for that.
  await waitFor(async () => (await kindsOf()).every((kind) => kind === 'nothing'), {
    timeoutMs: 240_000,
    what: 'both to be there',
  });
  const sent = lines.filter((line) => line.startsWith('zfs send'));
  assert(sent.length >= 2);
  assert(
    sent.every((line) => line.startsWith('zfs send -vP -t 1-')),
    'what had arrived was not sent twice',
  );
  for (const name of names) {
    const guids = [
      await din.zfs('get', '-Ho', 'value', 'guid', `${parent}/${name}@one`),
      await grogu.zfs('get', '-Ho', 'value', 'guid', `${pool}/${name}@one`),
    ];
    assert.equal(guids[0], guids[1]);
  }
});
