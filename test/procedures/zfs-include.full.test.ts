import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LabHost } from '../support/lab-host.js';
import { overSsh, useLabEstate } from '../support/zfs-estate.js';

/** A resource of which only some is meant, from its snapshots to its replica, on real pools. */

const { lab, skip, start } = useLabEstate();

async function below(host: LabHost, root: string, type: string): Promise<string[]> {
  const text = await host.zfs('list', '-H', '-r', '-t', type, '-o', 'name,guid', root);
  const lines = text.split('\n').filter((line) => line.startsWith(root));
  return lines.map((line) => line.slice(root.length).split('\t')[0] ?? '').sort();
}

test('what include names arrives with what leads to it, what it does not name never leaves, and exclude has the last word', {
  skip,
}, async () => {
  const [source, target] = [`${lab.din.parents.fast}/meant`, `${lab.grogu.parents.backup}/tree`];
  await lab.din.sh(`
    set -e
    for d in '' '/team a' '/team a/x' '/team a/x/db' '/team a/x/db/wal' '/team a/x/db/tmp' '/team a/x/logs' '/team b' '/team b/secret'; do zfs create '${source}'"$d"; done
    zfs create -s -V 8M '${source}/vol-1'; zfs create -s -V 8M '${source}/other'
    dd if=/dev/urandom of='/${source}/team a/x/db/data' bs=64k count=16 2>/dev/null
  `);
  const estate = await start({
    change(config) {
      config.hosts.din = { ssh: overSsh(lab.din) };
      config.hosts.grogu = { ssh: overSsh(lab.grogu, 'holdfast', { sudo: ['zfs'] }) };
      config.resources.tree = {
        ...{ host: 'din', dataset: source },
        ...{ include: ['team a/*/d?', 'vol-*'], exclude: ['**/tmp'] },
      };
      config.stores.grogu = { zfs: { host: 'grogu', dataset: lab.grogu.parents.backup } };
      config.jobs.hourly = { kind: 'zfs-snapshot', resources: ['tree'], keep: { last: 1 } };
      config.jobs.copy = { kind: 'zfs-replication', resources: ['tree'], store: 'grogu', retryFor: '2m' };
    },
  });
  const meant = ['', '/team a', '/team a/x', '/team a/x/db', '/team a/x/db/wal', '/vol-1'];
  for (const night of [1, 2]) {
    for (const job of ['hourly', 'copy']) {
      const ended = await estate.holdfast('run', job, '--follow');
      assert.equal(ended.code, 0, `night ${night}, ${job}: ${ended.stdout}${ended.stderr}`);
    }
    assert.deepEqual(await below(lab.grogu, target, 'filesystem,volume'), meant);
    const taken = await below(lab.din, source, 'snapshot');
    assert.deepEqual(
      [...new Set(taken.map((name) => name.split('@')[0] ?? ''))].sort(),
      meant,
      'snapshots of what is not meant',
    );
    const there = await below(lab.grogu, target, 'snapshot');
    assert(
      taken.every((name) => there.includes(name)),
      `${there.join(', ')} lacks some of ${taken.join(', ')}`,
    );
  }
});
