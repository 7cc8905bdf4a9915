import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Estate } from '../support/estate.js';
import type { LabHost } from '../support/lab-host.js';
import { overSsh, useLabEstate } from '../support/zfs-estate.js';

/** A user who may do nothing as root, at both ends: the lines that doctor prints are enough, and no more than it says is missing. */

const { lab, skip, start } = useLabEstate();

/** What doctor says to run as root on a host. */
async function allowLines(running: Estate, host: string): Promise<string[]> {
  const { stdout } = await running.holdfast('doctor', host, '--json');
  const { findings } = JSON.parse(stdout) as { findings: { host: string; next?: string }[] };
  return findings.flatMap((one) => {
    const [, line] = /^As root there: (zfs allow .*)$/.exec(one.next ?? '') ?? [];
    return one.host === host && line !== undefined ? [line] : [];
  });
}

test('without the right to give up what has arrived of a stream, the run names it, and so does doctor', {
  skip,
}, async () => {
  const [source, place] = [`${lab.din.parents.fast}/stuck`, `${lab.grogu.parents.backup}/stuck`];
  await lab.din.sh(`
    set -e
    zfs create '${source}'; dd if=/dev/urandom of='/${source}/data' bs=1M count=4 2>/dev/null; zfs snapshot '${source}@one'
  `);
  await lab.grogu.sh(`zfs create -o canmount=off '${place}'`);
  const estate = await start({
    change(config) {
      config.hosts.din = { ssh: overSsh(lab.din) };
      config.hosts.grogu = { ssh: overSsh(lab.grogu, 'holdfast') };
      config.resources.stuck = { host: 'din', dataset: source };
      config.stores.grogu = { zfs: { host: 'grogu', dataset: place } };
      config.jobs['copy-stuck'] = {
        ...{ kind: 'zfs-replication', resources: ['stuck'], store: 'grogu' },
        ...{ snapshots: 'all', retryFor: '1m' },
      };
    },
  });
  await lab.grogu.sh((await allowLines(estate, 'grogu')).join('\n'));
  const run = () => estate.holdfast('run', 'copy-stuck', '--follow');
  const first = await run();
  assert.equal(first.code, 0, first.stdout + first.stderr);
  // The first half of a stream whose snapshot is gone by now, as an interrupted run leaves it.
  const half = await lab.din.sh(`
    set -e
    dd if=/dev/urandom of='/${source}/more' bs=1M count=4 2>/dev/null; zfs snapshot '${source}@two'
    zfs send -L -c -i @one '${source}@two' | head -c 3000000 | base64 -w0
    zfs destroy '${source}@two'; zfs snapshot '${source}@three'
  `);
  await lab.grogu.ask(`base64 -d | zfs receive -s -u '${place}/stuck'`, { input: half });
  const stuck = await run();
  assert.equal(stuck.code, 1, stuck.stdout + stuck.stderr);
  assert.match(stuck.stdout + stuck.stderr, /zfs receive -A .*failed: .*permission denied/);
  const notes = async () => (await estate.holdfast('doctor', 'grogu')).stdout;
  assert.match(await notes(), /holdfast may not destroy on .*stuck: a dataset whose stream was cut/);
  await lab.grogu.sh(`zfs allow -u holdfast destroy '${place}'`);
  assert.doesNotMatch(await notes(), /may not destroy/);
  const goesOn = await run();
  assert.equal(goesOn.code, 0, goesOn.stdout + goesOn.stderr);
  assert.match(await lab.grogu.zfs('list', '-H', '-t', 'snapshot', '-o', 'name', `${place}/stuck`), /@three/);
});

test('the rights that doctor names let snapshots, replication and retention do all of their work', {
  skip,
}, async () => {
  const [source, place] = [`${lab.din.parents.fast}/rights`, `${lab.grogu.parents.backup}/rights`];
  await lab.din.sh(`
    set -e
    zfs create '${source}'; zfs create '${source}/pvc 1'; zfs create -s -V 8M '${source}/vol'
    echo 'a pass phrase' | zfs create -o encryption=on -o keyformat=passphrase '${source}/secret'
    dd if=/dev/urandom of='/${source}/pvc 1/data' bs=64k count=16 2>/dev/null
  `);
  await lab.grogu.sh(`zfs create -o canmount=off '${place}'`);
  const estate = await start({
    change(config) {
      config.hosts.din = { ssh: overSsh(lab.din, 'holdfast') };
      config.hosts.grogu = { ssh: overSsh(lab.grogu, 'holdfast') };
      config.resources.tree = { host: 'din', dataset: source };
      config.stores.grogu = { zfs: { host: 'grogu', dataset: place } };
      config.jobs.hourly = { kind: 'zfs-snapshot', resources: ['tree'], keep: { last: 2 } };
      config.jobs.copy = {
        ...{ kind: 'zfs-replication', resources: ['tree'], store: 'grogu' },
        ...{ keep: { last: 2 }, retryFor: '1m' },
      };
    },
  });
  for (const [host, machine] of [
    ['din', lab.din],
    ['grogu', lab.grogu],
  ] as const) {
    const lines = await allowLines(estate, host);
    assert.equal(lines.length, 1, `${host}: ${lines.join('\n')}`);
    await machine.sh(lines.join('\n'));
    assert.deepEqual(await allowLines(estate, host), [], `${host} lacks something still`);
  }
  for (const night of [1, 2, 3, 4]) {
    if (night === 3)
      await lab.din.sh(`zfs create '${source}/pvc 1/new'; zfs rename '${source}/vol' '${source}/vol 2'`);
    for (const job of ['hourly', 'copy']) {
      const { code, stdout, stderr } = await estate.holdfast('run', job, '--follow');
      assert.equal(code, 0, `night ${night}, ${job}: ${stdout}${stderr}`);
    }
  }
  const list = async (machine: LabHost, root: string): Promise<string[]> =>
    (await machine.zfs('list', '-H', '-r', '-t', 'snapshot', '-o', 'name,guid', root))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.slice(root.length))
      .sort();
  const [here, there] = [await list(lab.din, source), await list(lab.grogu, `${place}/tree`)];
  // Two of each of five datasets; the source keeps besides what was the base of the copy when its job ran.
  assert.equal(there.length, 2 * 5, there.join('\n'));
  assert.deepEqual(
    there.filter((line) => !here.includes(line)),
    [],
  );
});
